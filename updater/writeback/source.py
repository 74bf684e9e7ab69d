"""The source of the Application that is read and written, and the lists it holds already."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from updater.configuration import sources, untrusted
from updater.configuration.manifest import Manifest
from updater.configuration.model import WriteBack

# type -> block of the source and list inside it
_LISTS = {
    sources.HELM: ("helm", "parameters"),
    sources.KUSTOMIZE: ("kustomize", "images"),
    sources.PLUGIN: ("plugin", "env"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """One source of an Application manifest."""

    manifest: Mapping[str, Any]
    document: Mapping[str, Any]
    index: int | None
    is_hydrated: bool

    @property
    def path(self) -> str:
        """The directory of the source."""
        return untrusted.text(self.document, "path")

    @property
    def repository(self) -> str:
        """The repository of the source."""
        return untrusted.text(self.document, "repoURL")

    def has_block(self, kind: str) -> bool:
        """Tell whether the source has an explicit block of the type."""
        return isinstance(untrusted.find(self.document, _LISTS[kind][0]), Mapping)

    def named(self, kind: str) -> dict[str, str]:
        """Return the Helm parameters or plugin variables; of one name the last counts."""
        return {
            untrusted.text(item, "name"): untrusted.text(item, "value")
            for item in self.items(kind)
            if isinstance(item, Mapping)
        }

    def image_strings(self) -> list[str]:
        """Return the Kustomize image strings."""
        return [item for item in self.items(sources.KUSTOMIZE) if isinstance(item, str)]

    def items(self, kind: str) -> list[object]:
        """Return the items of the list of the type, of whatever shape they are."""
        return untrusted.items(self.document, *_LISTS[kind])

    def patch(self, kind: str, items: Sequence[object]) -> dict[str, Any]:
        """Return the merge patch that makes these the list; several sources are one value of it."""
        block, inner = _LISTS[kind]
        change = {block: {inner: list(items)}}
        if self.index is None:
            own = (
                {"sourceHydrator": {"drySource": change}}
                if self.is_hydrated
                else {"source": change}
            )
            return {"spec": own}
        listed = deepcopy(untrusted.items(self.manifest, "spec", "sources"))
        present = untrusted.mapping(listed[self.index], block)
        listed[self.index] = {
            **untrusted.mapping(listed[self.index]),
            block: {**present, inner: list(items)},
        }
        return {"spec": {"sources": listed}}


def pick(manifest: Mapping[str, Any], write_back: WriteBack) -> Source:
    """Return the source that the configuration chose."""
    layout = sources.layout(Manifest(manifest, ""))
    index = write_back.source_index
    found = layout.sources[index or 0] if len(layout.sources) > (index or 0) else None
    document = untrusted.mapping(found.document) if found else {}
    return Source(manifest, document, index, is_hydrated=layout.is_hydrated)
