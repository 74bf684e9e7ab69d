"""What was configured, whichever generation it was read from (specification sections 1.1 and 1.2)."""

from dataclasses import dataclass, field

from updater.images import ImageReference
from updater.selection import Strategy


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the configuration: which key, its value, and the mend in words."""

    key: str
    value: str
    message: str
    code: str = "INVALID"
    alias: str | None = None  # ImageConfiguration.key; None: the whole Application
    fatal: bool = True  # False: a warning; the image (or Application) still works


@dataclass(frozen=True, slots=True)
class HelmTarget:
    """Helm parameters (or values paths) to write; `spec` set means name and tag are ignored."""

    name: str | None = None
    tag: str | None = None
    spec: str | None = None


@dataclass(frozen=True, slots=True)
class KustomizeTarget:
    """The image name as written in the manifests, when the wanted image has another one."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class PluginTarget:
    """Environment variables of a config management plugin to write."""

    name: str | None = None
    tag: str | None = None
    spec: str | None = None


@dataclass(frozen=True, slots=True)
class ImageConfiguration:
    """One entry of the image list; `alias` "" when none was given, `reference.tag` never set: see `constraint`."""

    alias: str
    reference: ImageReference
    constraint: str | None = None
    strategy: Strategy = Strategy.SEMVER
    allow_tags: str | None = None  # literal setting: "any", "regexp:…"; None: all tags
    ignore_tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()  # empty: linux/amd64, the default of ours
    pull_secret: str | None = None  # literal, validated credential reference (specification 1.4)
    force_update: bool = False
    helm: HelmTarget = field(default_factory=HelmTarget)
    kustomize: KustomizeTarget = field(default_factory=KustomizeTarget)
    plugin: PluginTarget = field(default_factory=PluginTarget)
    live: tuple[str, ...] = ()  # entries of status.summary.images that are this image, literal

    @property
    def key(self) -> str:
        """The name that stands for the image within its Application: the alias, or the repository."""
        return self.alias or self.reference.repository


@dataclass(frozen=True, slots=True)
class Target:
    """Where in Git: kind `argocd-source`, `helmvalues` or `kustomization`; `path` from the repository root."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class WriteBack:
    """How changes are written (specification 3.1 to 3.4)."""

    method: str = "argocd"  # "argocd" or "git"
    credentials: str | None = None  # None, "repocreds", "secret:<namespace>/<name>"
    repository: str | None = None  # Git URL
    base_branch: str | None = None  # None or "HEAD": ask the remote
    write_branch: str | None = None  # template text; None: same as base
    target: Target | None = None
    source_index: int | None = (
        None  # index into spec.sources; None: spec.source or the hydrator's dry source
    )
    pull_request: str | None = None  # None, "github", "gitlab", "gitea"
    pull_request_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplicationConfiguration:
    """All that is configured for one Application, with everything that is wrong about it."""

    namespace: str
    name: str
    managed: bool
    source_type: str | None = None  # "Helm", "Kustomize", "Plugin", "Directory"
    images: tuple[ImageConfiguration, ...] = ()
    write_back: WriteBack = field(default_factory=WriteBack)
    problems: tuple[Problem, ...] = ()
    pin: str = "tag"  # "tag" or "digest": what is written to Git (design, decision 1)

    @property
    def usable_images(self) -> tuple[ImageConfiguration, ...]:
        """The images that nothing wrong disables, alone or with their whole Application."""
        disabled = {problem.alias for problem in self.problems if problem.fatal}
        if not self.managed or None in disabled:
            return ()
        return tuple(image for image in self.images if image.key not in disabled)
