"""Applying rendered objects to the destination: which of them, what is pruned, what the cluster refuses."""

from collections.abc import Iterable, Mapping
from typing import Any

from onebox.world.argocd import children, comparing, manifests
from onebox.world.argocd.api import APPLICATIONS
from onebox.world.argocd.installation import Installation, key_of
from onebox.world.argocd.manifests import ObjectKey
from onebox.world.cluster.documents import Json


class ApplyError(Exception):
    """The cluster refused objects; `results` is syncResult.resources."""

    def __init__(self, message: str, results: list[Json]) -> None:
        super().__init__(message)
        self.results = results


def asked_revisions(operation: Json) -> list[str]:
    """Return the revisions an operation names, one per source; "" where it names none."""
    sync = operation.get("sync") or {}
    return list(sync.get("revisions") or [sync.get("revision", "")])


def counts_as_deployment(operation: Json) -> bool:
    """Whether a success goes into the history: only full syncs do, and no dry runs."""
    sync = operation.get("sync") or {}
    return not sync.get("resources") and not sync.get("dryRun")


def apply(
    installation: Installation, app: Json, operation: Json, rendered: Iterable[Json]
) -> list[Json]:
    """Apply all objects the operation is about and return syncResult.resources.

    Raises: ApplyError when the cluster refuses one; then nothing is applied.
    """
    sync = operation.get("sync") or {}
    wanted, _ = comparing.by_key(rendered, app)
    chosen = {key: item for key, item in wanted.items() if _is_chosen(key, sync)}
    _check(chosen)
    if sync.get("dryRun"):
        return [_result(key, item, "Synced", "dry run") for key, item in chosen.items()]
    done = [
        _result(key, item, "Synced", _apply_one(installation, app, key, item))
        for key, item in chosen.items()
    ]
    return [*done, *_prune(installation, app, wanted, sync)]


def _is_chosen(key: ObjectKey, sync: Json) -> bool:
    listed = sync.get("resources")
    if not listed:
        return True
    return any(
        (item.get("group", ""), item["kind"], item["name"]) == (key.group, key.kind, key.name)
        and item.get("namespace") in (None, "", key.namespace)
        for item in listed
    )


def _check(chosen: Mapping[ObjectKey, Json]) -> None:
    problems = {key: manifests.problem(item) for key, item in chosen.items()}
    first = next((problem for problem in problems.values() if problem), None)
    if first is None:
        return
    results = [
        _result(key, chosen[key], "SyncFailed" if problem else "Synced", problem or "")
        for key, problem in problems.items()
    ]
    raise ApplyError(f"one or more objects failed to apply, reason: {first}", results)


def _apply_one(installation: Installation, app: Json, key: ObjectKey, manifest: Json) -> str:
    if key.is_application:
        word = children.apply(installation, app, manifest)
    else:
        word = installation.live.apply(key_of(app), key, manifest)
    kind = f"{key.kind.lower()}.{key.group}" if key.group else key.kind.lower()
    return f"{kind}/{key.name} {word}"


def _prune(
    installation: Installation, app: Json, wanted: Mapping[ObjectKey, Json], sync: Mapping[str, Any]
) -> list[Json]:
    live = installation.live.objects(key_of(app))
    extra = {key: item.manifest for key, item in live.items() if key not in wanted}
    extra.update(children.left_over(installation, app, wanted))
    results = []
    for key, manifest in extra.items():
        if not _is_chosen(key, dict(sync)):
            continue
        if not sync.get("prune"):
            results.append(_result(key, manifest, "PruneSkipped", "ignored (requires pruning)"))
            continue
        if key.is_application:
            installation.api.delete(APPLICATIONS, manifest)
        else:
            installation.live.remove(key_of(app), key)
        results.append(_result(key, manifest, "Pruned", "pruned"))
    return results


def _result(key: ObjectKey, manifest: Json, status: str, message: str) -> Json:
    result = {
        "group": key.group,
        "version": manifests.version_of(manifest),
        "kind": key.kind,
        "namespace": key.namespace,
        "name": key.name,
        "status": status,
        "message": message,
        "syncPhase": "Sync",
    }
    images = [str(item.get("image", "")) for item in manifests.containers(manifest)]
    return {**result, "images": images} if images else result
