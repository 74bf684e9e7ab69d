"""Asks a registry what `explain tags` wants to know, without any database: one image, right now."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from updater import patterns, selection
from updater.configuration import credentials as references
from updater.configuration import registries
from updater.configuration.registries import Endpoint, Registries
from updater.connections import Connections, registry_access
from updater.images import Entry
from updater.integrations import registry
from updater.scanning.throttle import BURST, HostThrottle, LocalBucket
from updater.selection import DEFAULT_PLATFORM, Rules, TagFacts

PARALLEL = 8


def fetch_for_explain(
    entry: Entry, rules: Rules, registries_conf: str | None, credentials: str | None
) -> Sequence[TagFacts]:
    """Return the facts of all tags of an image, with the metadata that the strategy looks at.

    `registries_conf` is a path (None: the one of the settings), `credentials` a credential reference.

    Raises:
        UpdaterError: of the registry, the configuration file or the credentials.
    """
    world = Connections()
    endpoint = registry_access.endpoint(_registries(world, registries_conf), entry.reference)
    if credentials is not None:
        endpoint = replace(endpoint, credentials=credentials)
    login = _login(world, endpoint)
    path = endpoint.repository_path(entry.reference)
    return asyncio.run(_Inquiry(endpoint, path, rules).facts(login, world.registry_access))


def _registries(world: Connections, path: str | None) -> Registries:
    if path is None:
        return world.registries
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise registries.RegistriesConfigurationError(f"{path} cannot be read: {error}") from error
    return registries.load(text, read_file=lambda name: Path(name).read_text(encoding="utf-8"))


def _login(world: Connections, endpoint: Endpoint) -> registry.Credentials | None:
    if endpoint.credentials is None:
        return None
    # env: and ext: are the operator's own and never look at the cluster, so none need be there
    is_local = references.parse(endpoint.credentials).is_operator_only
    cluster = cast("Any", None) if is_local else world.cluster
    return registry_access.credentials(cluster, endpoint, pull_secret=None, namespace="")


class _Inquiry:
    """One look at one repository."""

    def __init__(self, endpoint: Endpoint, path: str, rules: Rules) -> None:
        self._endpoint = endpoint
        self._path = path
        self._rules = rules
        self._slots = asyncio.Semaphore(PARALLEL)

    async def facts(
        self, login: registry.Credentials | None, access: registry.Access
    ) -> list[TagFacts]:
        rate, clock = self._endpoint.limit_per_second, asyncio.get_running_loop().time
        bucket = LocalBucket(rate, max(1.0, min(BURST, rate)), clock) if rate else None
        access = replace(access, throttle=HostThrottle(bucket, clock))
        async with registry.connect(
            self._endpoint, access=access, connections=PARALLEL
        ) as connection:
            return await self._ask(connection.client(login))

    async def _ask(self, client: registry.RegistryClient) -> list[TagFacts]:
        size = {"page_size": None} if self._endpoint.sort_mode else {}
        listing = await client.list_tags(self._path, **size)
        if not listing.is_complete:
            raise registry.TagListIncompleteError(
                f"The tag list of {self._path} is incomplete. {listing.reason}"
            )
        wanted = set(self._wanted(listing.names))
        return await asyncio.gather(
            *(
                self._fact(client, name, place, is_wanted=name in wanted)
                for place, name in enumerate(listing.names)
            )
        )

    def _wanted(self, names: Sequence[str]) -> list[str]:
        strategy, sort_mode = self._rules.strategy, self._endpoint.sort_mode
        if selection.needs_metadata(strategy, sort_mode) or selection.needs_digest(strategy):
            return selection.admit(names, self._rules)[0]
        return []

    async def _fact(
        self, client: registry.RegistryClient, name: str, place: int, *, is_wanted: bool
    ) -> TagFacts:
        if not is_wanted:
            return TagFacts(name, position=place)
        try:
            async with self._slots:
                manifest = await client.get_manifest(self._path, name, wanted=self._is_platform)
        except (registry.BadAnswerError, registry.ManifestNotFoundError):
            return TagFacts(name, position=place)  # its verdict says that nothing is known of it
        platforms = tuple(one.platform for one in manifest.platforms)
        return TagFacts(name, manifest.digest, manifest.created, platforms, place)

    def _is_platform(self, platform: str) -> bool:
        return patterns.platform_matches(self._rules.platforms or (DEFAULT_PLATFORM,), platform)
