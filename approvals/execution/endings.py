"""How an attempt ends that did not write, or of which nobody knows: stopped, lost from sight, withdrawn, put back.

Each function is called inside a transaction that first checked the fence (`leases.require_current`).
"""

from datetime import datetime

from approvals import lifecycle, resealing
from approvals.execution import recording, retrying
from approvals.lifecycle import Move
from approvals.models import Decision, Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater.audit import Actor, AuditKind
from updater.errors import TransientError, UpdaterError
from updater.leases import Grant


class UnforeseenError(TransientError):
    """Our own program failed on this promotion; the details are in the worker's log."""

    code = "unforeseen"


def errored(promotion: Promotion, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Stop the attempt; a transient error is tried again by itself, a permanent one waits for a person."""
    later = retrying.next_attempt(promotion, error, at=at)
    reason = retrying.in_words(error, later, at=at)
    move = Move(
        Status.EXECUTING,
        Status.ERRORED,
        AuditKind.EXECUTION_ERRORED,
        reason,
        recording.details_of(error),
    )
    lifecycle.advance(promotion, move, by=by, at=at, error_code=error.code, next_attempt_at=later)
    recording.end_attempt(promotion, str(error), at=at, status="ERRORED", code=error.code)


def stopped(promotion: Promotion, *, by: Actor, at: datetime) -> None:
    """End what a person asked to stop; the caller has seen that nothing of it is written."""
    reason = f"{promotion.abort_requested_by} stopped it: {promotion.abort_reason}"
    recording.end_attempt(promotion, reason, at=at)
    status = Status(promotion.status)
    move = Move(status, Status.ABORTED, AuditKind.PROMOTION_ABORTED, reason)
    if status == Status.ERRORED:
        move = Move(status, Status.WITHDRAWN, AuditKind.PROMOTION_WITHDRAWN, reason)
    lifecycle.advance(promotion, move, by=by, at=at, next_attempt_at=None)


def lost_sight(promotion: Promotion, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Nobody can say now whether the effect happened: block the target and look again."""
    move = Move(
        Status.EXECUTING,
        Status.UNKNOWN,
        AuditKind.EXECUTION_LOST_SIGHT,
        str(error),
        recording.details_of(error),
    )
    soon = retrying.next_look(at=at)
    lifecycle.advance(promotion, move, by=by, at=at, error_code=error.code, next_attempt_at=soon)
    recording.end_attempt(promotion, str(error), at=at, status="UNKNOWN", code=error.code)


def withdraw(promotion: Promotion, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Take a promotion that became pointless off the table, nothing written."""
    if promotion.status == Status.EXECUTING:
        errored(promotion, error, by=by, at=at)
    move = Move(
        Status(promotion.status),
        Status.WITHDRAWN,
        AuditKind.PROMOTION_WITHDRAWN,
        str(error),
        recording.details_of(error),
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


def crashed(
    grant: Grant, promotion: Promotion, error: UnforeseenError, *, by: Actor, at: datetime
) -> None:
    """Set back a promotion on which our own program failed: counted, later each time, in the end for a person."""
    if promotion.status not in Status.alive():
        retrying.postpone(promotion.pk, at=at)
    elif promotion.status == Status.UNKNOWN:
        retrying.delay(promotion, error, by=by, at=at)
    else:
        if promotion.status != Status.EXECUTING:
            recording.claim(grant, promotion, base="", commit="", by=by, at=at)
        errored(promotion, error, by=by, at=at)
