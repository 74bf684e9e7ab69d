"""One comparison from its reason to what it leaves: perhaps an operation, then the status (2.1 to 2.3, 2.6)."""

from onebox.world.argocd import (
    auto_sync,
    comparing,
    levels,
    projects,
    sources,
    status,
    status_writing,
)
from onebox.world.argocd.api import APPLICATIONS, ApiError
from onebox.world.argocd.auto_sync import Decision
from onebox.world.argocd.comparing import Comparison
from onebox.world.argocd.installation import Installation, Memory
from onebox.world.argocd.levels import CACHED, FRESH, KNOWN, REFRESH
from onebox.world.cluster.documents import Json


def refresh(installation: Installation, app: Json, memory: Memory, level: int) -> None:
    """Compare an Application and write what follows from it."""
    memory.pending_level = 0
    project = installation.project(app)
    problem = projects.permission_problem(project, app, sources.of_spec(app["spec"]).items)
    if problem is not None:
        _refuse(installation, app, problem, level)
        levels.remember(installation, memory, level)
        return
    is_hard = app["metadata"].get("annotations", {}).get(REFRESH) == "hard"
    comparison = comparing.compare(installation, app, memory, level=level, is_hard=is_hard)
    if level > KNOWN:
        installation.pause(installation.settings.compare_seconds)
    levels.remember(installation, memory, level)
    if _is_in_grace(installation, memory, comparison, level):
        return
    decision = _decide(installation, app, project, comparison)
    memory.heal_at = decision.heal_at
    if decision.operation is not None:
        _start(installation, app, memory, decision.operation, comparison)
    _store(installation, app, comparison, decision, level)


def _refuse(installation: Installation, app: Json, problem: str, level: int) -> None:
    refused = [("InvalidSpecError", problem)]
    new = status.invalid(app, refused, now=installation.now())
    status_writing.write(installation, app, new, ends_refresh=level == FRESH)


def _is_in_grace(
    installation: Installation, memory: Memory, comparison: Comparison, level: int
) -> bool:
    """Whether a failed poll is kept quiet: a repository may be away for a moment."""
    if not comparison.error:
        memory.repository_error_since = None
        return False
    if memory.repository_error_since is None:
        memory.repository_error_since = installation.clock()
    silent_for = installation.clock() - memory.repository_error_since
    return level < FRESH and silent_for < installation.settings.repository_error_grace_seconds


def _decide(
    installation: Installation, app: Json, project: Json | None, comparison: Comparison
) -> Decision:
    at = installation.clock()
    may_sync = projects.may_sync(project, app, at=at, is_manual=False)
    return auto_sync.decide(app, comparison, installation.settings, may_sync=may_sync, at=at)


def _start(
    installation: Installation, app: Json, memory: Memory, operation: Json, comparison: Comparison
) -> None:
    """Put the operation in and the old state out in one write; after somebody else's, look again."""
    old = app.get("status") or {}
    kept = {key: value for key, value in old.items() if key != "operationState"}
    try:
        installation.api.replace(APPLICATIONS, {**app, "operation": operation, "status": kept})
    except ApiError as error:
        if error.code != 409:
            raise
        memory.pending_level = CACHED
        return
    target = ", ".join(comparison.revisions)
    installation.tell(app, "OperationStarted", f"Initiated automated sync to '{target}'")


def _store(
    installation: Installation, app: Json, comparison: Comparison, decision: Decision, level: int
) -> None:
    conditions = [("RepeatedResourceWarning", warning) for warning in comparison.warnings]
    if comparison.error:
        conditions.append(("ComparisonError", comparison.error))
    if decision.condition:
        conditions.append(("SyncError", decision.condition))
    observation = status_writing.observe(installation, app)
    style, now = status_writing.style(installation), installation.now()
    new = status.compared(app, comparison, observation, conditions, style, now=now)
    if level == KNOWN:
        new["reconciledAt"] = app["status"].get("reconciledAt", now)
    status_writing.write(installation, app, new, ends_refresh=level == FRESH)
