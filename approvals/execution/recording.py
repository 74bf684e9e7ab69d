"""Every fact of an execution as rows: claims with their intent, steps, results, delays, errors.

Each function is called inside a transaction that first checked the fence (`leases.require_current`).
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from approvals import holds, lifecycle, policy, refusals, resealing
from approvals.lifecycle import Move, TransitionRefusedError
from approvals.models import Decision, Execution, ExecutionStep, Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import audit
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError, TransientError, UpdaterError
from updater.leases import Grant

DELAY_SECONDS = 30  # between looks at an outside that is not ready
SOON = timedelta(minutes=15)  # within which everything approved is tried again (I3)
LONGEST_SECONDS = 840  # with jitter, within that
# Only a host may ask for a longer wait, as one does whose limit of requests is used up for this hour: who asks
# all the same is shut out in the end. People read until when it is.
LONGEST_ASKED_SECONDS = 3600
REFUSED_SHARE = 4  # who was refused waits a quarter of the time that has passed: 403 is not asked for every 30 s
JITTER = 0.07
MAX_ATTEMPTS = 8  # of a transient error, before a person must look
State = ExecutionStep.State


class ForgedTrailerError(PermanentError):
    """A commit names this promotion, and we did not write it."""

    code = "forged_trailer"


class UnforeseenError(TransientError):
    """Our own program failed on this promotion; the details are in the worker's log."""

    code = "unforeseen"


class ApprovalLapsedError(PermanentError):
    """Somebody whose approval was counted may not approve any more (design.md 8.3)."""

    code = "approval_lapsed"


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
        _require_standing(promotion, at=at)
        _require_not_held(promotion, at=at)
        move = Move(Status(promotion.status), Status.EXECUTING, AuditKind.EXECUTION_STARTED)
        lifecycle.advance(promotion, move, by=by, at=at, attempts=promotion.attempts + 1)
        refusals.leave_behind(promotion, by=by, at=at)
    else:
        Promotion.objects.filter(pk=promotion.pk).update(attempts=promotion.attempts + 1)
        promotion.refresh_from_db()
        _tell(promotion, AuditKind.EXECUTION_STARTED, by=by, details={"resumed": True})
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
    _tell(promotion, AuditKind.OVERRIDE_COMMITTED, by=by, details=details)
    _answer_abort(promotion, by=by)


def written(
    promotion: Promotion, execution: Execution, *, kind: AuditKind, by: Actor, at: datetime
) -> None:
    """End the attempt well: everything is written, the outcome is observed from here on."""
    _tell(promotion, kind, by=by, details={"commit": promotion.commit})
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


def delay(promotion: Promotion, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Leave the promotion as it is and look again later; the reason is told once."""
    later = at + _wait(_delay_seconds(promotion, error, at=at))
    if promotion.error_code != error.code:  # its words may hold milliseconds
        is_forged = isinstance(error, ForgedTrailerError)
        kind = AuditKind.TRAILER_FORGED if is_forged else AuditKind.EXECUTION_DELAYED
        _tell(promotion, kind, by=by, details=_error(error))
    Promotion.objects.filter(pk=promotion.pk).update(
        status_reason=_in_words(error, later, at=at), error_code=error.code, next_attempt_at=later
    )


def errored(promotion: Promotion, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Stop the attempt; a transient error is tried again by itself, a permanent one waits for a person."""
    later = _next_attempt(promotion, error, at=at)
    reason = _in_words(error, later, at=at)
    move = Move(
        Status.EXECUTING, Status.ERRORED, AuditKind.EXECUTION_ERRORED, reason, _error(error)
    )
    lifecycle.advance(promotion, move, by=by, at=at, error_code=error.code, next_attempt_at=later)
    for execution in promotion.executions.filter(ended_at=None):
        _end(execution, "ERRORED", str(error), at=at, code=error.code)


def _next_attempt(promotion: Promotion, error: UpdaterError, *, at: datetime) -> datetime | None:
    if promotion.is_stopping:
        return at  # the next look tells for certain that nothing is written, and ends it
    if not isinstance(error, TransientError) or promotion.attempts >= MAX_ATTEMPTS:
        return None
    seconds = DELAY_SECONDS * 2 ** min(promotion.attempts, 4)
    return at + _wait(max(seconds, _asked_for(error)))


def stopped(promotion: Promotion, *, by: Actor, at: datetime) -> None:
    """End what a person asked to stop; the caller has seen that nothing of it is written."""
    reason = f"{promotion.abort_requested_by} stopped it: {promotion.abort_reason}"
    end_attempt(promotion, reason, at=at)
    status = Status(promotion.status)
    move = Move(status, Status.ABORTED, AuditKind.PROMOTION_ABORTED, reason)
    if status == Status.ERRORED:
        move = Move(status, Status.WITHDRAWN, AuditKind.PROMOTION_WITHDRAWN, reason)
    lifecycle.advance(promotion, move, by=by, at=at, next_attempt_at=None)


def _answer_abort(promotion: Promotion, *, by: Actor) -> None:
    """Say that a wish to stop came too late: what was asked is answered, either way."""
    if promotion.abort_requested_at is not None:
        details: dict[str, object] = {
            "tag": promotion.to_tag,
            "reason": f"{promotion.abort_requested_by} asked to stop it when it was on its way already; "
            "only a rollback undoes it.",
        }
        _tell(promotion, AuditKind.ABORT_MISSED, by=by, details=details)


def lost_sight(promotion: Promotion, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Nobody can say now whether the effect happened: block the target and look again."""
    move = Move(
        Status.EXECUTING, Status.UNKNOWN, AuditKind.EXECUTION_LOST_SIGHT, str(error), _error(error)
    )
    soon = at + _wait(DELAY_SECONDS)
    lifecycle.advance(promotion, move, by=by, at=at, error_code=error.code, next_attempt_at=soon)
    for execution in promotion.executions.filter(ended_at=None):
        _end(execution, "UNKNOWN", str(error), at=at, code=error.code)


def withdraw(promotion: Promotion, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Take a promotion that became pointless off the table, nothing written."""
    if promotion.status == Status.EXECUTING:
        errored(promotion, error, by=by, at=at)
    move = Move(
        Status(promotion.status),
        Status.WITHDRAWN,
        AuditKind.PROMOTION_WITHDRAWN,
        str(error),
        _error(error),
    )
    lifecycle.advance(promotion, move, by=by, at=at, error_code=error.code, next_attempt_at=None)


def lapse(promotion: Promotion, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Put a promotion back before the people: its approvals do not hold any more."""
    standing = promotion.decisions.filter(revision=promotion.revision, voided_at=None)
    # Approved, and nobody stands behind it: a changed row, never an ordinary lapse.
    is_approved = standing.filter(verb=Decision.Verb.APPROVE).exists()
    kind = AuditKind.APPROVAL_LAPSED if is_approved else AuditKind.EXECUTION_UNAUTHORISED
    standing.update(voided_at=at, void_reason=str(error))
    resealing.put_back(promotion, kind, str(error), by=by, at=at)


def end_attempt(promotion: Promotion, message: str, *, at: datetime) -> None:
    """End a running attempt that wrote nothing, because the promotion goes another way."""
    for execution in promotion.executions.filter(ended_at=None):
        _end(execution, "ABORTED", message, at=at)


def crashed(
    grant: Grant, promotion: Promotion, error: UnforeseenError, *, by: Actor, at: datetime
) -> None:
    """Set back a promotion on which our own program failed: counted, later each time, in the end for a person."""
    if promotion.status not in Status.alive():
        postpone(promotion.pk, at=at)
    elif promotion.status == Status.UNKNOWN:
        delay(promotion, error, by=by, at=at)
    else:
        if promotion.status != Status.EXECUTING:
            claim(grant, promotion, base="", commit="", by=by, at=at)
        errored(promotion, error, by=by, at=at)


def postpone(pk: UUID, *, at: datetime) -> None:
    """Look again at a promotion as late as may be, without a word."""
    later = at + _wait(LONGEST_SECONDS)
    Promotion.objects.filter(pk=pk).update(next_attempt_at=later)


def _delay_seconds(promotion: Promotion, error: UpdaterError, *, at: datetime) -> float:
    if isinstance(error, TransientError):
        return max(DELAY_SECONDS, _asked_for(error))
    since = promotion.approved_at or promotion.status_at
    passed = (at - since).total_seconds()
    return min(max(DELAY_SECONDS, passed / REFUSED_SHARE), LONGEST_SECONDS)


def _asked_for(error: UpdaterError) -> float:
    asked = error.retry_after_seconds if isinstance(error, TransientError) else None
    return min(asked or 0, LONGEST_ASKED_SECONDS)


def _in_words(error: UpdaterError, later: datetime | None, *, at: datetime) -> str:
    """Return the error's sentence, and the next attempt where it is later than anybody expects."""
    if later is None or later - at <= SOON:
        return str(error)
    return f"{error} A longer wait was asked for: the next attempt is at {later:%H:%M} UTC."


def _wait(seconds: float) -> timedelta:
    spread = 1 + random.uniform(0, JITTER)  # noqa: S311  spreads load, guards nothing
    return timedelta(seconds=seconds * spread)


def _require_standing(promotion: Promotion, *, at: datetime) -> None:
    if promotion.status != Status.APPROVED:
        return
    if any(decision.is_automatic for decision in policy.standing_approvals(promotion)):
        if why := policy.lapse_alone(promotion, at=at):
            message = f"The policy approved this, and its conditions do not hold any more: {why}"
            raise ApprovalLapsedError(f"{message} People decide.")
        return
    lapsed = policy.lapsed_approvers(promotion)
    if lapsed or not policy.is_satisfied(promotion):
        names = ", ".join(lapsed) or "somebody"
        raise ApprovalLapsedError(
            f"{names} approved this and may not approve any more; decide again."
        )


def _require_not_held(promotion: Promotion, *, at: datetime) -> None:
    # The gates were judged a moment ago: after somebody was told that it is held, nothing new starts.
    holds.take_turn(setting=False)
    starts = promotion.status in (Status.APPROVED, Status.ERRORED) and not promotion.is_stopping
    if starts and holds.is_held(promotion, at=at):
        raise TransitionRefusedError("Somebody holds it since its gates were looked at.")


def _end(execution: Execution, status: str, message: str, *, at: datetime, code: str = "") -> None:
    execution.status, execution.message, execution.error_code = status, message, code
    execution.ended_at = at
    execution.save(update_fields=["status", "message", "error_code", "ended_at"])
    execution.steps.filter(state=State.INTENDED).update(
        state=State.STOPPED if status != "SUCCEEDED" else State.DONE, ended_at=at, probed=message
    )


def _tell(
    promotion: Promotion, kind: AuditKind, *, by: Actor, details: dict[str, object] | None = None
) -> None:
    audit.record(kind=kind, by=by, subject=lifecycle.subject_of(promotion), details=details)


def _error(error: UpdaterError) -> dict[str, object]:
    return {"code": error.code, "reason": str(error)}
