"""Whether a comparison starts a sync by itself (section 2.5); pure."""

from dataclasses import dataclass

from onebox.world.argocd.comparing import OUT_OF_SYNC, Comparison, ObjectState
from onebox.world.argocd.settings import Settings
from onebox.world.cluster import times
from onebox.world.cluster.documents import Json

_HEAL_FACTOR, _HEAL_CAP_SECONDS = 3, 300
_DEFAULT_RETRY = {"limit": 5}


@dataclass(frozen=True, slots=True)
class Decision:
    """What auto-sync does: an operation, or a condition, or wait until `heal_at`, or nothing."""

    operation: Json | None = None
    condition: str = ""
    heal_at: float | None = None


def policy(app: Json) -> Json | None:
    """Return the automated policy when it is on."""
    automated = (app["spec"].get("syncPolicy") or {}).get("automated")
    is_on = isinstance(automated, dict) and automated.get("enabled") is not False
    return automated if is_on else None


def decide(
    app: Json, comparison: Comparison, settings: Settings, *, may_sync: bool, at: float
) -> Decision:
    """Return what follows from a comparison."""
    automated = policy(app)
    is_idle = "operation" not in app and "deletionTimestamp" not in app["metadata"]
    if automated is None or not is_idle or comparison.status != OUT_OF_SYNC or not may_sync:
        return Decision()
    refusal = _pruning_refusal(automated, comparison)
    if refusal is not None:
        return Decision(condition=refusal)
    state = (app.get("status") or {}).get("operationState")
    if state is None or not _was_attempted(state, comparison):
        return Decision(operation=_operation(app, automated, comparison))
    if state.get("phase") != "Succeeded":
        target = ", ".join(comparison.revisions)
        message = f"Failed last sync attempt to [{target}]: {state.get('message', '')}"
        return Decision(condition=message)
    if not automated.get("selfHeal"):
        return Decision()
    return _heal(app, automated, comparison, settings, at)


def _pruning_refusal(automated: Json, comparison: Comparison) -> str | None:
    """Return "" for silence, a condition's message, or None when pruning is no obstacle."""
    changed = [item for item in comparison.objects if item.status == OUT_OF_SYNC]
    if not automated.get("prune"):
        return "" if all(item.must_go for item in changed) else None
    if not automated.get("allowEmpty") and all(item.must_go for item in comparison.objects):
        return "Skipping sync attempt: auto-sync will wipe out all resources"
    return None


def _was_attempted(state: Json, comparison: Comparison) -> bool:
    result = state.get("syncResult")
    if result is None:
        return state.get("phase") in ("Succeeded", "Failed", "Error")
    if comparison.sources.is_multiple:
        tried = result.get("revisions"), result.get("sources")
        return tried == (list(comparison.revisions), list(comparison.sources.items))
    tried_one = result.get("revision"), result.get("source")
    return tried_one == (comparison.revisions[0], comparison.sources.items[0])


def _operation(app: Json, automated: Json, comparison: Comparison) -> Json:
    stated = app["spec"].get("syncPolicy") or {}
    sync = {
        **comparison.sources.as_stated(),
        **comparison.sources.revisions(comparison.revisions),
    }
    if automated.get("prune"):
        sync["prune"] = True
    if stated.get("syncOptions"):
        sync["syncOptions"] = stated["syncOptions"]
    retry = stated.get("retry") or _DEFAULT_RETRY
    return {"sync": sync, "initiatedBy": {"automated": True}, "retry": retry}


def _heal(
    app: Json, automated: Json, comparison: Comparison, settings: Settings, at: float
) -> Decision:
    """Sync only what drifted, waiting longer each time; such a sync leaves no history."""
    state = app["status"]["operationState"]
    done = ((state.get("operation") or {}).get("sync") or {}).get("autoHealAttemptsCount", 0)
    pause = settings.self_heal_backoff_seconds * _HEAL_FACTOR**done if done else 0
    ready_at = times.parse(state["finishedAt"]) + min(pause, _HEAL_CAP_SECONDS)
    if at < ready_at:
        return Decision(heal_at=ready_at)
    operation = _operation(app, automated, comparison)
    drifted = [item for item in comparison.objects if item.status == OUT_OF_SYNC]
    operation["sync"]["resources"] = [_reference(item) for item in drifted]
    operation["sync"]["autoHealAttemptsCount"] = done + 1
    return Decision(operation=operation)


def _reference(item: ObjectState) -> Json:
    key = item.key
    named = {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}
    return {name: value for name, value in named.items() if value}
