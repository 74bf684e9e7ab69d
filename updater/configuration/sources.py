"""Which source of an Application is read and written, and of what type it is (specification 3.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updater.configuration import untrusted
from updater.configuration.annotation_keys import SOURCE_INDEX, SOURCE_NAME
from updater.configuration.findings import Findings
from updater.configuration.manifest import Manifest
from updater.configuration.written import Setting

HELM, KUSTOMIZE, PLUGIN, DIRECTORY = "Helm", "Kustomize", "Plugin", "Directory"


_BLOCKS = {"helm": HELM, "kustomize": KUSTOMIZE, "plugin": PLUGIN}
_TYPES = tuple(_BLOCKS.values())


@dataclass(frozen=True, slots=True)
class Source:
    """One source: `index` into `spec.sources`, None for `spec.source` or the dry source."""

    place: str
    document: object
    index: int | None = None

    @property
    def repository(self) -> str:
        """`repoURL`."""
        return untrusted.text(self.document, "repoURL")

    @property
    def path(self) -> str:
        """`path`."""
        return untrusted.text(self.document, "path")

    @property
    def revision(self) -> str:
        """`targetRevision`."""
        return untrusted.text(self.document, "targetRevision")

    @property
    def chart(self) -> str:
        """`chart`: the name of a chart in a Helm repository."""
        return untrusted.text(self.document, "chart")

    @property
    def is_chart(self) -> bool:
        """Whether it comes from a Helm repository: there is no directory to commit to."""
        return bool(self.chart) and not self.path

    @property
    def blocks(self) -> list[str]:
        """The types that have an explicit block."""
        return [
            kind
            for block, kind in _BLOCKS.items()
            if isinstance(untrusted.find(self.document, block), Mapping)
        ]


@dataclass(frozen=True, slots=True)
class Layout:
    """The sources of one Application and the types Argo CD reports for them."""

    sources: tuple[Source, ...]
    types: tuple[str, ...]  # status.sourceTypes, multi-source only
    type: str  # status.sourceType
    is_multiple: bool
    is_hydrated: bool

    def detected_type(self) -> str:
        """Return the type without regard to any write-back target."""
        if self.is_multiple:
            return next((kind for kind in self.types if kind in _TYPES), DIRECTORY)
        explicit = self.sources[0].blocks if self.is_hydrated and self.sources else []
        return (explicit or [self.type or DIRECTORY])[0]

    def source_for(self, kind: str) -> Source | None:
        """Return the source that is read and written for the type."""
        if not self.is_multiple:
            return next(iter(self.sources), None)
        explicit = [source for source in self.sources if kind in source.blocks]
        with_block = [source for source in self.sources if source.blocks]
        return next(iter([*explicit, *self._at_type(kind), *with_block, *self.sources]), None)

    def type_of(self, source: Source) -> str:
        """Return the type of one chosen source of several."""
        if len(self.types) == len(self.sources) and source.index is not None:
            return self.types[source.index] or DIRECTORY
        return (source.blocks or [DIRECTORY])[0]

    def source_of(self, repository: str) -> Source | None:
        """Return the first of several sources that comes from this git repository."""
        same = [source for source in self.sources if source.repository == repository]
        return same[0] if same and self.is_multiple else None

    def _at_type(self, kind: str) -> list[Source]:
        if len(self.types) != len(self.sources):
            return []
        return [self.sources[index] for index, found in enumerate(self.types) if found == kind]


def layout(manifest: Manifest) -> Layout:
    """Return the sources: the dry source of a hydrator before `sources`, those before `source`."""
    spec, status = (untrusted.mapping(manifest.document, name) for name in ("spec", "status"))
    hydrator = isinstance(spec.get("sourceHydrator"), Mapping)
    listed = [] if hydrator else untrusted.items(spec, "sources")
    if listed:
        found = [Source(f"spec.sources[{index}]", one, index) for index, one in enumerate(listed)]
    else:
        path = ("sourceHydrator", "drySource") if hydrator else ("source",)
        present = isinstance(untrusted.find(spec, *path), Mapping)
        place = Source(".".join(("spec", *path)), untrusted.mapping(spec, *path))
        found = [place] if present else []
    return Layout(
        sources=tuple(found),
        types=_texts(untrusted.items(status, "sourceTypes")),
        type=untrusted.text(status, "sourceType"),
        is_multiple=bool(listed),
        is_hydrated=hydrator,
    )


def picked(manifest: Manifest, found: Layout, findings: Findings) -> Source | None:
    """Return the source chosen by our own annotations, None when they choose none."""
    keys = (SOURCE_NAME, SOURCE_INDEX)
    settings = [
        _annotation(key, value)
        for key in keys
        if (value := manifest.annotations.get(key)) is not None
    ]
    choices = [
        [source for source in found.sources if _is_meant(source, setting)] for setting in settings
    ]
    for setting, choice in zip(settings, choices, strict=True):
        if len(choice) != 1 or choice != choices[0]:
            findings.refuse(setting, code="BAD_SOURCE", message=_mend(found.sources))
            return None
    return choices[0][0] if choices else None


def _annotation(key: str, value: object) -> Setting:
    fault = "" if isinstance(value, str) else "Annotation values are text."
    return Setting(key, untrusted.shown(value), fault=fault)


def _is_meant(source: Source, setting: Setting) -> bool:
    if setting.fault:
        return False
    if setting.key == SOURCE_INDEX:
        return setting.text == str(source.index or 0)
    return setting.text == untrusted.text(source.document, "name") != ""


def _mend(found: Sequence[Source]) -> str:
    names = [untrusted.text(source.document, "name") for source in found]
    known = ", ".join(f"{index} {name}".strip() for index, name in enumerate(names[:10]))
    return f"This does not name exactly one source; the sources are: {known or 'none'}."


def _texts(values: list[object]) -> tuple[str, ...]:
    return tuple(value if isinstance(value, str) else "" for value in values)
