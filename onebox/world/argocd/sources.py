"""The sources of an Application in the forms in which spec, status and operations state them; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from onebox.world.cluster.documents import Json

NO_SOURCE: Json = {"repoURL": ""}  # Go writes an empty struct where there is no single source


@dataclass(frozen=True, slots=True)
class Sources:
    """What an Application is rendered from; several are written in other keys than a single one."""

    items: tuple[Json, ...]
    is_multiple: bool

    @property
    def targets(self) -> tuple[str, ...]:
        """The revisions as the spec states them, not resolved."""
        return tuple(source.get("targetRevision", "") for source in self.items)

    def as_stated(self) -> Json:
        """Return `source` or `sources`."""
        if self.is_multiple:
            return {"sources": list(self.items)}
        return {"source": self.items[0]}

    def as_recorded(self) -> Json:
        """Return `source` and `sources` as status holds them."""
        return {"source": NO_SOURCE, **self.as_stated()}

    def revisions(self, resolved: Sequence[str]) -> Json:
        """Return `revision` or `revisions`."""
        return {"revisions": list(resolved)} if self.is_multiple else {"revision": resolved[0]}


def of_spec(spec: Json) -> Sources:
    """Return what counts: the hydrator's branch before `sources` before `source`."""
    if "sourceHydrator" in spec:
        return Sources((hydrated_source(spec["sourceHydrator"]),), is_multiple=False)
    if spec.get("sources"):
        return Sources(tuple(spec["sources"]), is_multiple=True)
    return Sources((spec.get("source") or NO_SOURCE,), is_multiple=False)


def of_operation(operation: Json, spec: Json) -> Sources:
    """Return the sources of a sync: its own, or the spec's."""
    sync = operation.get("sync") or {}
    if sync.get("sources"):
        return Sources(tuple(sync["sources"]), is_multiple=True)
    if (sync.get("source") or {}).get("repoURL"):
        return Sources((sync["source"],), is_multiple=False)
    return of_spec(spec)


def hydrated_source(hydrator: Json) -> Json:
    """Return the branch and path an Application syncs from when its manifests are hydrated."""
    synced = hydrator["syncSource"]
    return {
        "repoURL": synced.get("repoURL") or hydrator["drySource"]["repoURL"],
        "path": synced["path"],
        "targetRevision": synced["targetBranch"],
    }


def compared_to(spec: Json) -> Json:
    """Return `status.sync.comparedTo` for a spec."""
    stated = {"destination": spec["destination"], **of_spec(spec).as_recorded()}
    if spec.get("ignoreDifferences"):
        stated["ignoreDifferences"] = spec["ignoreDifferences"]
    return stated


def normalized(spec: Json) -> Json:
    """Return the spec as the controller keeps it: a named project, no empty tool objects."""
    changed = dict(spec)
    changed["project"] = spec.get("project") or "default"
    if "source" in spec:
        changed["source"] = _without_empty(spec["source"])
    if "sources" in spec:
        changed["sources"] = [_without_empty(source) for source in spec["sources"]]
    return changed


def _without_empty(source: Json) -> Json:
    tools = ("helm", "kustomize", "directory", "plugin")
    return {key: value for key, value in source.items() if key not in tools or value}
