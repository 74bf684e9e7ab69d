"""What was written, and where, before any of it is judged: one shape for annotations and resources."""

from dataclasses import dataclass, field, fields

from updater.images import Entry


@dataclass(frozen=True, slots=True)
class Setting:
    """One configured value and its place; `fault` says why its type is wrong."""

    key: str
    text: str
    items: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """How one image may move; None is "not set here"."""

    strategy: Setting | None = None
    force_update: Setting | None = None
    allow_tags: Setting | None = None
    ignore_tags: Setting | None = None
    pull_secret: Setting | None = None
    platforms: Setting | None = None

    def over(self, lower: "UpdateSettings") -> "UpdateSettings":
        """Return these settings, each missing one taken from the lower level."""
        names = [item.name for item in fields(self)]
        return UpdateSettings(
            **{name: getattr(self, name) or getattr(lower, name) for name in names}
        )


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """Where in the manifests one image is written."""

    helm_name: Setting | None = None
    helm_tag: Setting | None = None
    helm_spec: Setting | None = None
    kustomize_name: Setting | None = None
    plugin_name: Setting | None = None
    plugin_tag: Setting | None = None
    plugin_spec: Setting | None = None

    def of_kind(self, kind: str) -> list[Setting]:
        """Return the settings of one kind: helm, kustomize or plugin."""
        names = [item.name for item in fields(self) if item.name.startswith(f"{kind}_")]
        return [setting for name in names if (setting := getattr(self, name)) is not None]


@dataclass(frozen=True, slots=True)
class ListedImage:
    """One entry of the image list with the settings that hold for it."""

    setting: Setting
    entry: Entry
    update: UpdateSettings = field(default_factory=UpdateSettings)
    targets: TargetSettings = field(default_factory=TargetSettings)

    @property
    def key(self) -> str:
        """The name that stands for the image within its Application."""
        return self.entry.alias or self.entry.reference.repository


@dataclass(frozen=True, slots=True)
class PullRequestSettings:
    """Pull-request mode of an ImageUpdater resource."""

    setting: Setting
    provider: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WriteBackSettings:
    """How and where changes are to be written."""

    method: Setting | None = None
    repository: Setting | None = None
    branch: Setting | None = None
    target: Setting | None = None
    pull_request: PullRequestSettings | None = None


@dataclass(frozen=True, slots=True)
class WrittenConfiguration:
    """Everything written for one Application; `is_listed` False: it does not ask to be managed."""

    is_listed: bool
    images: tuple[ListedImage, ...] = ()
    write_back: WriteBackSettings = field(default_factory=WriteBackSettings)
