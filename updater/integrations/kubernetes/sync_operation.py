"""The body that asks Argo CD for a sync by writing `operation`, as its own API server writes it."""

from collections.abc import Mapping, Sequence
from typing import Any

from updater.integrations.kubernetes.errors import ApplicationDeletingError, OperationRunningError

Json = dict[str, Any]


def sync_patch(
    manifest: Json, *, username: str, info: Mapping[str, str], revisions: Sequence[str] = ()
) -> Json:
    """Return the merge patch that starts a sync of this Application.

    `revisions` has one per source; none means the target revision. The old operationState is removed with it,
    else its left-over keys would be merged into the new run.
    Raises: ApplicationDeletingError, OperationRunningError.
    """
    _check_is_idle(manifest)
    policy = _object(_object(manifest, "spec"), "syncPolicy")
    operation: Json = {
        "initiatedBy": {"username": username},
        "info": [{"name": name, "value": value} for name, value in info.items()],
        "sync": {**_sources(_object(manifest, "spec"), revisions), **_options(policy)},
    }
    if policy.get("retry"):
        operation["retry"] = policy["retry"]
    return {"operation": operation, "status": {"operationState": None}}


def _check_is_idle(manifest: Json) -> None:
    metadata = _object(manifest, "metadata")
    name = f"{metadata.get('namespace')}/{metadata.get('name')}"
    if metadata.get("deletionTimestamp"):
        raise ApplicationDeletingError(f"Application {name} is being deleted.")
    if manifest.get("operation"):
        raise OperationRunningError(f"Argo CD is already running an operation on {name}.")


def _sources(spec: Json, revisions: Sequence[str]) -> Json:
    if spec.get("sources"):
        return {"sources": spec["sources"], "revisions": list(revisions)}
    wanted: Json = {"revision": revisions[0]} if revisions else {}
    if spec.get("source") and not spec.get("sourceHydrator"):
        wanted["source"] = spec["source"]
    return wanted


def _options(policy: Json) -> Json:
    # The controller does not inherit the policy's options for an operation somebody else wrote.
    options: Json = {"syncStrategy": {"hook": {}}}
    if policy.get("syncOptions"):
        options["syncOptions"] = policy["syncOptions"]
    return options


def _object(container: Json, key: str) -> Json:
    value = container.get(key)
    return value if isinstance(value, dict) else {}
