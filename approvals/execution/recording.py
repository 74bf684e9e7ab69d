"""Attempts as rows: claimed with their intent, their steps, what was written.

Each function is called inside a transaction that first checked the fence (`leases.require_current`).
"""

from collections.abc import Sequence
from datetime import datetime

from approvals import lifecycle, refusals
from approvals.execution import start_checks
from approvals.lifecycle import Move
from approvals.models import Execution, ExecutionStep, Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import audit
from updater.audit import Actor, AuditKind
from updater.errors import UpdaterError
from updater.leases import Grant

State = ExecutionStep.State


def claim(
    grant: Grant, promotion: Promotion, *, base: str, commit: str, by: Actor, at: datetime
) -> Execution:
    """Start an attempt, or go on with the one this worker holds; the intended commit is recorded first."""
    running = promotion.executions.filter(ended_at=None).first()
    if running is not None and running.fence == grant.fence:
        running.base_commit, running.intended_commit = base, commit
        running.save(update_fields=["base_commit", "intended_commit"])
        return running
    if running is not None:
        _end(
            running,
            "LOST",
            "The worker that started this attempt is gone, or had no time left.",
            at=at,
        )
    if promotion.status != Status.EXECUTING:
        start_checks.require_standing(promotion, at=at)
        start_checks.require_not_held(promotion, at=at)
        move = Move(Status(promotion.status), Status.EXECUTING, AuditKind.EXECUTION_STARTED)
        lifecycle.advance(promotion, move, by=by, at=at, attempts=promotion.attempts + 1)
        refusals.leave_behind(promotion, by=by, at=at)
    else:
        Promotion.objects.filter(pk=promotion.pk).update(attempts=promotion.attempts + 1)
        promotion.refresh_from_db()
        tell(promotion, AuditKind.EXECUTION_STARTED, by=by, details={"resumed": True})
    return Execution.objects.create(
        promotion=promotion,
        attempt=promotion.attempts,
        target=grant.target,
        holder=grant.holder,
        fence=grant.fence,
        started_at=at,
        base_commit=base,
        intended_commit=commit,
    )


def step(
    execution: Execution, name: str, *, intended: str, probed: str, state: State, at: datetime
) -> None:
    """Write what was intended, found and concluded of one step; again for the same step replaces it."""
    told = {
        "intended": intended,
        "probed": probed,
        "state": state,
        "ended_at": None if state == State.INTENDED else at,
    }
    if not execution.steps.filter(name=name).update(**told):
        position = execution.steps.count() + 1
        execution.steps.create(name=name, position=position, started_at=at, **told)


def begin_steps(
    execution: Execution, told: Sequence[tuple[str, str, str, State]], *, at: datetime
) -> None:
    """Write the first steps of an attempt (name, intended, probed, state) at once; begun anew, they are replaced."""
    rows = [
        ExecutionStep(
            execution=execution,
            position=position,
            name=name,
            intended=intended,
            probed=probed,
            state=state,
            started_at=at,
            ended_at=None if state == State.INTENDED else at,
        )
        for position, (name, intended, probed, state) in enumerate(told, 1)
    ]
    ExecutionStep.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["execution", "name"],
        update_fields=["intended", "probed", "state", "ended_at"],
    )


def committed(promotion: Promotion, *, commit: str, by: Actor, at: datetime) -> None:
    """Record that the commit stands on the branch."""
    promotion.commit, promotion.pushed_at = commit, at
    promotion.save(update_fields=["commit", "pushed_at"])
    details = {
        "commit": commit,
        "repository": promotion.plan.get("repository"),
        "branch": promotion.plan.get("branch"),
        "seal": promotion.seal,
    }
    tell(promotion, AuditKind.OVERRIDE_COMMITTED, by=by, details=details)
    _answer_abort(promotion, by=by)


def written(
    promotion: Promotion, execution: Execution, *, kind: AuditKind, by: Actor, at: datetime
) -> None:
    """End the attempt well: everything is written, the outcome is observed from here on."""
    tell(promotion, kind, by=by, details={"commit": promotion.commit})
    if promotion.pushed_at is None:
        _answer_abort(promotion, by=by)
    move = Move(
        Status.EXECUTING,
        Status.VERIFYING,
        AuditKind.EXECUTION_FINISHED,
        "Written; waits for Argo CD.",
    )
    lifecycle.advance(
        promotion,
        move,
        by=by,
        at=at,
        next_attempt_at=None,
        error_code="",
        pushed_at=promotion.pushed_at or at,
    )
    _end(execution, "SUCCEEDED", "", at=at)


def end_attempt(
    promotion: Promotion, message: str, *, at: datetime, status: str = "ABORTED", code: str = ""
) -> None:
    """End a running attempt that did not write, or of which nobody knows; without a status, for another way."""
    for execution in promotion.executions.filter(ended_at=None):
        _end(execution, status, message, at=at, code=code)


def tell(
    promotion: Promotion, kind: AuditKind, *, by: Actor, details: dict[str, object] | None = None
) -> None:
    """Record an event of the promotion."""
    audit.record(kind=kind, by=by, subject=lifecycle.subject_of(promotion), details=details)


def details_of(error: UpdaterError) -> dict[str, object]:
    """Return what the trail says of an error."""
    return {"code": error.code, "reason": str(error)}


def _end(execution: Execution, status: str, message: str, *, at: datetime, code: str = "") -> None:
    execution.status, execution.message, execution.error_code = status, message, code
    execution.ended_at = at
    execution.save(update_fields=["status", "message", "error_code", "ended_at"])
    execution.steps.filter(state=State.INTENDED).update(
        state=State.STOPPED if status != "SUCCEEDED" else State.DONE, ended_at=at, probed=message
    )


def _answer_abort(promotion: Promotion, *, by: Actor) -> None:
    """Say that a wish to stop came too late: what was asked is answered, either way."""
    if promotion.abort_requested_at is not None:
        details: dict[str, object] = {
            "tag": promotion.to_tag,
            "reason": f"{promotion.abort_requested_by} asked to stop it when it was on its way already; "
            "only a rollback undoes it.",
        }
        tell(promotion, AuditKind.ABORT_MISSED, by=by, details=details)
