"""From claimed rows to jobs: the endpoint, the path, the wanted platforms and the logins of each repository."""

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from updater.configuration import store
from updater.configuration.model import ImageConfiguration
from updater.configuration.registries import Endpoint, Registries
from updater.connections import registry_access
from updater.errors import UpdaterError
from updater.integrations.registry import Credentials
from updater.models import TrackedImage
from updater.scanning.planning import Job
from updater.selection import DEFAULT_PLATFORM

logger = logging.getLogger(__name__)

CredentialsFor = Callable[[TrackedImage, Endpoint], Credentials | None]
MAX_LOGINS = 3  # different logins tried for one repository
Login = Credentials | None | UpdaterError


class JobMaker:
    """Makes jobs; each login is looked up once, however many images use it."""

    def __init__(self, registries: Registries, credentials_for: CredentialsFor) -> None:
        self._registries = registries
        self._credentials_for = credentials_for
        self._logins: dict[tuple[str, str, str], Login] = {}

    def jobs(self, repository_ids: Iterable[int]) -> list[Job]:
        """Return a job for each repository."""
        images = (
            TrackedImage.objects.present()
            .filter(image_repository__in=list(repository_ids), is_usable=True)
            .select_related("application", "image_repository__registry")
            .defer("application__manifest", "application__problems", "choice")  # large, unused
            .order_by("image_repository", "pk")
        )
        groups = groupby(images, key=lambda image: image.image_repository_id)
        found = (self._job(list(group)) for _, group in groups)
        return [job for job in found if job is not None]

    def _job(self, images: Sequence[TrackedImage]) -> Job | None:
        readable = [
            (image, one) for image in images if (one := read_configuration(image)) is not None
        ]
        repository = images[0].image_repository
        if repository is None or not readable:
            return None
        reference = readable[0][1].reference
        endpoint = registry_access.endpoint(self._registries, reference)
        wanted = {name for _, one in readable for name in one.platforms or (DEFAULT_PLATFORM,)}
        logins = [self._login(image, one, endpoint) for image, one in readable]
        errors = [one for one in logins if isinstance(one, UpdaterError)]
        usable = dict.fromkeys(one for one in logins if not isinstance(one, UpdaterError))
        # Those with a name first: they may read more, and have a budget of their own
        ordered = sorted(usable, key=lambda one: one is None)
        return Job(
            repository_id=repository.pk,
            host=repository.registry.host,
            name=repository.name,
            path=endpoint.repository_path(reference),
            endpoint=endpoint,
            platforms=tuple(sorted(wanted)),
            logins=tuple(ordered[:MAX_LOGINS]),
            login_error=errors[0] if errors else None,
        )

    def _login(
        self, image: TrackedImage, configured: ImageConfiguration, endpoint: Endpoint
    ) -> Login:
        secret = configured.pull_secret or ""
        # A pull secret belongs to a namespace; the registry's own login to everybody
        key = (endpoint.prefix, secret, image.application.namespace if secret else "")
        if key not in self._logins:
            self._logins[key] = self._look_up(image, endpoint)
        return self._logins[key]

    def _look_up(self, image: TrackedImage, endpoint: Endpoint) -> Login:
        try:
            return self._credentials_for(image, endpoint)
        except UpdaterError as error:
            return error


def read_configuration(image: TrackedImage) -> ImageConfiguration | None:
    """Return the configuration of a row, or None (and a log line) if it cannot be read."""
    try:
        return store.from_json(image.configuration)
    except store.StoredConfigurationError:
        logger.exception("stored configuration is unreadable", extra={"image": str(image.pk)})
        return None
