"""`Connections`: the cluster, registries and Git as one unit of work sees them."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from updater.configuration import matching, reading, registries, store
from updater.configuration.manifest import Manifest
from updater.configuration.model import ApplicationConfiguration
from updater.configuration.registries import Endpoint, Registries
from updater.connections import git_access, passages, registry_access
from updater.errors import UpdaterError
from updater.integrations import git, kubernetes, registry
from updater.integrations.git import pull_requests
from updater.models import TrackedImage

if TYPE_CHECKING:
    from updater.integrations.kubernetes.client import ClusterClient


class Connections:
    """What one task needs of the outside; never kept longer than the task, so nothing is stale."""

    def __init__(self) -> None:
        self._remotes: dict[tuple[str, str, str], git.Remote] = {}
        self._mirrors: dict[tuple[str, str, str], git.GitMirror] = {}
        self._tips: dict[tuple[int, str], str] = {}
        self._default_branches: dict[int, str] = {}
        self._image_updaters: dict[str, list[dict[str, Any]]] = {}
        self._logins: dict[tuple[Endpoint, str | None, str], registry.Credentials | None] = {}

    @cached_property
    def cluster(self) -> "ClusterClient":
        """The cluster of KUBECONFIG, or the one we run in."""
        return kubernetes.connect(settings.KUBECONFIG or None, passage=passages.to_cluster())

    def read(self, manifest: Mapping[str, Any]) -> ApplicationConfiguration:
        """Return the configuration of an Application as it is in the cluster now."""
        namespace = str(manifest.get("metadata", {}).get("namespace", ""))
        return reading.read(
            manifest,
            image_updaters=self.image_updaters(namespace),
            argocd_namespace=settings.ARGOCD_NAMESPACE,
            allow_http=settings.ALLOW_INSECURE_GIT,
            source_repositories=self.source_repositories(),
        )

    def selecting(self, manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the ImageUpdater resources that select an Application."""
        namespace = str(manifest.get("metadata", {}).get("namespace", ""))
        application = Manifest(manifest, settings.ARGOCD_NAMESPACE)
        return [
            resource
            for resource in self.image_updaters(namespace)
            if matching.selects(resource, application)
        ]

    def image_updaters(self, namespace: str) -> Sequence[Mapping[str, Any]]:
        """Return the ImageUpdater resources of a namespace ("": of all); none where the kind is unknown."""
        if namespace not in self._image_updaters:
            self._image_updaters[namespace] = list(self.cluster.list_image_updaters(namespace))
        return self._image_updaters[namespace]

    def sync_windows(self) -> dict[str, Any]:
        """Return the sync windows of each project, as Argo CD holds them."""
        return {name: spec.get("syncWindows") or [] for name, spec in self._projects.items()}

    def source_repositories(self) -> dict[str, Any]:
        """Return the patterns of the repositories that each project permits."""
        return {name: spec.get("sourceRepos") or [] for name, spec in self._projects.items()}

    @cached_property
    def _projects(self) -> dict[str, Mapping[str, Any]]:
        projects = self.cluster.list_app_projects(settings.ARGOCD_NAMESPACE)
        return {str(item["metadata"]["name"]): item.get("spec") or {} for item in projects}

    def mirror(self, url: str, project: str, secret: str = "") -> git.GitMirror:
        """Return the local mirror of a Git repository.

        `secret` is "namespace/name" of the Secret that the Application names itself, else "" for Argo CD's own
        credentials of this project.
        """
        key = (url, project, secret)
        if key not in self._mirrors:
            remote = self._remote(url, project, secret)
            name = hashlib.sha256("\x1f".join(key).encode()).hexdigest()[:32]
            self._mirrors[key] = git.GitMirror(
                Path(settings.STATE_DIR) / "mirrors" / name,
                remote,
                passage=passages.to_git(remote),
            )
        return self._mirrors[key]

    def source_history(self, url: str, project: str, known: str) -> git.SourceHistory:
        """Return the history of the source repository that an image's label names; `known` is where we write."""
        remote = git_access.source_remote(self.cluster, url, project=project, known=known)
        name = hashlib.sha256(f"{url}\x1f{project}".encode()).hexdigest()[:32]
        return git.SourceHistory(Path(settings.STATE_DIR) / "sources" / name, remote)

    def pull_requests(
        self, host: str, url: str, project: str, secret: str = ""
    ) -> pull_requests.PullRequestHost:
        """Return the pull requests of a Git repository on a host of this kind."""
        remote = self._remote(url, project, secret)
        return pull_requests.choose(host, remote, passages.to_pull_requests(remote))

    def _remote(self, url: str, project: str, secret: str) -> git.Remote:
        key = (url, project, secret)
        if key not in self._remotes:
            self._remotes[key] = git_access.remote(
                self.cluster, url, project=project, secret=secret
            )
        return self._remotes[key]

    def tip(self, mirror: git.GitMirror, branch: str) -> str:
        """Return the branch's commit, fetched once in this unit of work."""
        key = (id(mirror), branch)
        if key not in self._tips:
            self._tips[key] = mirror.fetch(branch)
        return self._tips[key]

    def default_branch(self, mirror: git.GitMirror) -> str:
        """Return what HEAD of the remote points to, asked once in this unit of work."""
        if id(mirror) not in self._default_branches:
            self._default_branches[id(mirror)] = mirror.default_branch()
        return self._default_branches[id(mirror)]

    @cached_property
    def registries(self) -> Registries:
        """Which registry serves which image."""
        path = settings.REGISTRIES_CONF
        text = Path(path).read_text(encoding="utf-8") if path else ""
        return registries.load(text, read_file=lambda name: Path(name).read_text(encoding="utf-8"))

    @property
    def registry_access(self) -> registry.Access:
        """The operator's rules for talking to registries."""
        return registry_access.access()

    def registry_credentials(
        self, image: TrackedImage, endpoint: Endpoint
    ) -> registry.Credentials | None:
        """Return the login for an image: its own pull secret, else the registry's; read once in this unit of work."""
        pull_secret = store.from_json(image.configuration).pull_secret
        namespace = image.application.namespace
        key = (endpoint, pull_secret, namespace)
        if key not in self._logins:
            self._logins[key] = registry_access.credentials(
                self.cluster, endpoint, pull_secret=pull_secret, namespace=namespace
            )
        return self._logins[key]

    def digest_of(self, image: TrackedImage, tag: str) -> str:
        """Ask the registry for the digest behind a tag now."""
        (answer,) = self.digests_of([(image, tag)])
        if isinstance(answer, UpdaterError):
            raise answer
        return answer

    def digests_of(self, wanted: Sequence[tuple[TrackedImage, str]]) -> list[str | UpdaterError]:
        """Ask for the digests behind many tags side by side; for each the digest, or why it is not known."""
        answers: dict[int, str | UpdaterError] = {}
        asked: dict[Endpoint, dict[int, registry.Question]] = {}
        for place, (image, tag) in enumerate(wanted):
            try:
                endpoint, question = self._question(image, tag)
            except UpdaterError as error:
                answers[place] = error
            else:
                asked.setdefault(endpoint, {})[place] = question
        for endpoint, questions in asked.items():
            ask = partial(
                registry.resolve_digests,
                endpoint,
                list(questions.values()),
                access=self.registry_access,
            )
            given = passages.ask_registry(endpoint.host, ask, len(questions))
            answers |= zip(questions, given, strict=True)
        return [answers[place] for place in range(len(wanted))]

    def _question(self, image: TrackedImage, tag: str) -> tuple[Endpoint, registry.Question]:
        reference = store.from_json(image.configuration).reference
        endpoint = registry_access.endpoint(self.registries, reference)
        login = self.registry_credentials(image, endpoint)
        return endpoint, registry.Question(endpoint.repository_path(reference), tag, login)

    @cached_property
    def commit_template(self) -> str | None:
        """The operator's commit message template; None: the built-in one."""
        path = settings.COMMIT_TEMPLATE
        return Path(path).read_text(encoding="utf-8") if path else None

    @property
    def signature(self) -> git.Signature:
        """Author and committer of our commits."""
        return git.Signature(settings.GIT_COMMIT_USER, settings.GIT_COMMIT_EMAIL)

    @cached_property
    def signing_key(self) -> git.SigningKey | None:
        """The key that signs our commits, if there is one."""
        return git_access.signing_key()
