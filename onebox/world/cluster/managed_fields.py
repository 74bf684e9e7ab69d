"""Who owns which field: `metadata.managedFields`, and server-side apply with its conflicts; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from onebox.world.cluster.documents import Json, JsonValue
from onebox.world.cluster.patches import merge
from onebox.world.cluster.statuses import Cause

Path = tuple[str, ...]

# Fields of the server and the object's identity belong to nobody.
_OWNERLESS = frozenset(
    ("metadata", name)
    for name in (
        "name",
        "namespace",
        "generateName",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    )
) | {("apiVersion",), ("kind",)}


class FieldConflictError(Exception):
    """An apply without force touched fields of other managers."""

    def __init__(self, causes: Sequence[Cause]) -> None:
        super().__init__("fields belong to other managers")
        self.causes = tuple(causes)


@dataclass(frozen=True, slots=True)
class Ownership:
    """The fields one manager owns through one kind of operation."""

    manager: str
    operation: str  # "Update" or "Apply"
    api_version: str
    time: str
    paths: frozenset[Path]


def leaves(value: JsonValue, path: Path = ()) -> frozenset[Path]:
    """Return the paths of all values; a list counts as one value, as lists here are atomic."""
    if path in _OWNERLESS:
        return frozenset()
    if not isinstance(value, dict) or not value:
        return frozenset({path}) if path else frozenset()
    return frozenset().union(*(leaves(item, (*path, key)) for key, item in value.items()))


def read(manifest: Json) -> list[Ownership]:
    """Return the entries of `metadata.managedFields`."""
    return [
        Ownership(
            manager=entry["manager"],
            operation=entry["operation"],
            api_version=entry["apiVersion"],
            time=entry["time"],
            paths=frozenset(_paths(entry["fieldsV1"])),
        )
        for entry in manifest["metadata"].get("managedFields", [])
    ]


def write(owners: Iterable[Ownership]) -> list[Json]:
    """Return entries as they stand in the object; managers who own nothing are left out."""
    return [
        {
            "manager": owner.manager,
            "operation": owner.operation,
            "apiVersion": owner.api_version,
            "time": owner.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": _tree(owner.paths),
        }
        for owner in owners
        if owner.paths
    ]


def record_update(before: Json, after: Json, by: Ownership) -> list[Ownership]:
    """Give the changed fields to the writer (`by` names it, its paths are ignored)."""
    old, new = leaves(before), leaves(after)
    changed = {path for path in new if path not in old or _at(before, path) != _at(after, path)}
    gone = old - new
    kept, mine = [], frozenset(changed)
    for owner in read(before) if before else []:
        if (owner.manager, owner.operation) == (by.manager, by.operation):
            mine |= owner.paths - gone
        else:
            kept.append(replace(owner, paths=owner.paths - gone - changed))
    return [*kept, replace(by, paths=mine)]


def apply(before: Json, wanted: Json, by: Ownership, *, force: bool) -> Json:
    """Return the object after a server-side apply, with its new managedFields.

    Raises: FieldConflictError when others own applied fields with other values and `force` is off.
    """
    applied = leaves(wanted)
    own, others = _split(before, by)
    causes = [cause for owner in others for cause in _conflicts(before, wanted, owner, applied)]
    if causes and not force:
        raise FieldConflictError(causes)
    taken = {path for path in applied if _at(before, path) != _at(wanted, path)}
    others = [replace(owner, paths=owner.paths - taken) for owner in others]
    after: Json = merge(before, wanted)
    for path in own - applied - frozenset().union(*(owner.paths for owner in others)):
        after = _without(after, path)
    owners = [*others, replace(by, paths=applied)]
    after["metadata"] = {**after["metadata"], "managedFields": write(owners)}
    return after


def _split(before: Json, by: Ownership) -> tuple[frozenset[Path], list[Ownership]]:
    own: frozenset[Path] = frozenset()
    others = []
    for owner in read(before) if before else []:
        if (owner.manager, owner.operation) == (by.manager, by.operation):
            own = owner.paths
        else:
            others.append(owner)
    return own, others


def _conflicts(
    before: Json, wanted: Json, owner: Ownership, applied: frozenset[Path]
) -> list[Cause]:
    message = f'conflict with "{owner.manager}" using {owner.api_version}'
    contested = sorted(
        path for path in applied & owner.paths if _at(before, path) != _at(wanted, path)
    )
    return [
        Cause(field="." + ".".join(path), message=message, reason="FieldManagerConflict")
        for path in contested
    ]


def _at(manifest: JsonValue, path: Path) -> JsonValue:
    for key in path:
        manifest = manifest.get(key) if isinstance(manifest, dict) else None
    return manifest


def _without(manifest: Json, path: Path) -> Json:
    if path[0] not in manifest:
        return manifest
    changed = dict(manifest)
    if len(path) == 1:
        del changed[path[0]]
    else:
        changed[path[0]] = _without(changed[path[0]], path[1:])
    return changed


def _tree(paths: Iterable[Path]) -> Json:
    root: Json = {}
    for path in sorted(paths):
        node = root
        for key in path:
            node = node.setdefault(f"f:{key}", {})
    return root


def _paths(tree: Json, path: Path = ()) -> Iterable[Path]:
    if not tree:
        yield path
    for key, inner in tree.items():
        yield from _paths(inner, (*path, key.removeprefix("f:")))
