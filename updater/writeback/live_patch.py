"""The method argocd: the merge patch of the live Application (specification 3.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from updater.configuration import sources, untrusted
from updater.overrides import image_strings
from updater.overrides.edit import Edit
from updater.writeback.source import Source
from updater.writeback.wanted import Wanted


@dataclass(frozen=True, slots=True)
class LivePatch:
    """The patch, None when the Application asks for all of it already, and what it changes."""

    patch: dict[str, Any] | None
    edits: tuple[Edit, ...]


def make(source: Source, wanted: Sequence[Wanted], kind: str) -> LivePatch:
    """Return the patch: our entries replaced in place or appended, everybody else's as they are."""
    if kind == sources.KUSTOMIZE:
        items, edits = _kustomize(source, wanted)
    else:
        items, edits = _named(source, wanted, kind)
    is_new = items != source.items(kind)
    return LivePatch(source.patch(kind, items) if is_new else None, tuple(edits))


def _named(source: Source, wanted: Sequence[Wanted], kind: str) -> tuple[list[object], list[Edit]]:
    items, edits = source.items(kind), []
    old, prefix = source.named(kind), "helm.parameters" if kind == sources.HELM else "plugin.env"
    for one in wanted:
        for name, value in one.helm() if kind == sources.HELM else one.plugin():
            entry: dict[str, object] = {"name": name, "value": value}
            if kind == sources.HELM:
                entry["forceString"] = True
            items = _with_entry(items, entry)
            if old.get(name) != value:
                edits.append(Edit(f"{prefix}.{name}", old.get(name), value, one.key))
    return items, edits


def _with_entry(items: Sequence[object], entry: Mapping[str, object]) -> list[object]:
    is_ours = [untrusted.find(item, "name") == entry["name"] for item in items]
    kept = [dict(entry) if ours else item for item, ours in zip(items, is_ours, strict=True)]
    return kept if any(is_ours) else [*kept, dict(entry)]


def _kustomize(source: Source, wanted: Sequence[Wanted]) -> tuple[list[object], list[Edit]]:
    strings, edits = source.image_strings(), []
    for one in wanted:
        new = one.kustomize()
        merged = image_strings.merged(strings, new)
        gone = [text for text in strings if text not in merged]
        if new.text not in strings:
            key = f"kustomize.images.{new.name}"
            edits.append(Edit(key, gone[0] if gone else None, new.text, one.key))
        strings = merged
    return list(strings), edits
