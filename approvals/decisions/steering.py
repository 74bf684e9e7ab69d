"""Verbs on the way of a promotion: try again, take it off the table, stop it before it is written."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from approvals import doorbell, lifecycle
from approvals.decisions.deciding import deciding, require_reason
from approvals.decisions.verbs import Situation, Verb, unmovable
from approvals.lifecycle import Move
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action
from approvals.policy import Reason
from updater import audit, transactions
from updater.audit import Actor, AuditKind


def _against_retrying(situation: Situation) -> Iterator[Reason]:
    promotion = situation.promotion
    if promotion.status != Status.ERRORED:
        yield Reason(
            "not_errored",
            f"Only an errored promotion can be retried; this one {promotion.is_what}.",
            fact=promotion.status_reason,
            fact_at=promotion.status_at,
        )
    if promotion.is_stopping and promotion.status in Status.alive():
        yield _is_stopping(promotion, "it ends at the next look")


def _against_withdrawing(situation: Situation) -> tuple[Reason, ...]:
    return unmovable(situation, Status.WITHDRAWN, what="withdrawn")


def _against_aborting(situation: Situation) -> Iterator[Reason]:
    promotion = situation.promotion
    if found := _past_stopping(promotion) or _not_started(promotion):
        code, sentence = found
        yield Reason(code, sentence, fact=promotion.status_reason, fact_at=promotion.status_at)
    elif promotion.is_stopping:
        yield _is_stopping(promotion, "its worker looks before it writes")


def _past_stopping(promotion: Promotion) -> tuple[str, str] | None:
    status = Status(promotion.status)
    if status == Status.UNKNOWN:
        return "past_stopping", (
            "It is not certain what was written. The worker looks until it is; then it can be stopped or "
            "rolled back."
        )
    if status in Status.alive() and (promotion.pushed_at or status == Status.VERIFYING):
        return "past_stopping", "It is written already; only a rollback undoes it."
    return None


def _not_started(promotion: Promotion) -> tuple[str, str] | None:
    if promotion.status in (Status.PENDING, Status.ERRORED):
        return "not_started", "Nobody writes it now, so there is nothing to stop; withdraw it."
    if promotion.status not in (Status.APPROVED, Status.EXECUTING):
        return "over", f"It {promotion.is_what}, so there is nothing to stop."
    return None


def _is_stopping(promotion: Promotion, then: str) -> Reason:
    return Reason(
        "is_stopping",
        f"{promotion.abort_requested_by} asked to stop it already; {then}.",
        fact=promotion.abort_reason,
        fact_at=promotion.abort_requested_at,
    )


RETRY = Verb("retry", Action.EXECUTE, _against_retrying)
WITHDRAW = Verb("withdraw", Action.EXECUTE, _against_withdrawing, asker=Action.REQUEST)
ABORT = Verb("abort", Action.EXECUTE, _against_aborting)


@transactions.repeated
def retry(*, promotion_id: UUID, person: User, by: Actor) -> Promotion:
    """Make an errored promotion due again at once; the worker looks before it writes."""
    with deciding(promotion_id, RETRY, person, by) as situation:
        promotion, at = situation.promotion, situation.at
        Promotion.objects.filter(pk=promotion.pk).update(next_attempt_at=at)
        audit.record(
            kind=AuditKind.PROMOTION_RETRIED, by=by, subject=lifecycle.subject_of(promotion)
        )
        transaction.on_commit(doorbell.ring_execution)
    promotion.refresh_from_db()
    return promotion


@transactions.repeated
def withdraw(*, promotion_id: UUID, reason: str, person: User, by: Actor) -> Promotion:
    """Take an open or errored promotion off the table; who asked for it may, too. The digest may be offered again."""
    with deciding(promotion_id, WITHDRAW, person, by) as situation:
        promotion, at = situation.promotion, situation.at
        require_reason(situation, reason)
        move = Move(
            Status(promotion.status), Status.WITHDRAWN, AuditKind.PROMOTION_WITHDRAWN, reason
        )
        lifecycle.advance(promotion, move, by=by, at=at)
    return promotion


@transactions.repeated
def abort(*, promotion_id: UUID, reason: str, person: User, by: Actor) -> Promotion:
    """Stop what is approved: at once while it waits, else as soon as its worker can be sure that nothing is written.

    Raises:
        NotAllowedError, ReasonMissingError, AlreadyDecidedError, PastStoppingError.
    """
    with deciding(promotion_id, ABORT, person, by) as situation:
        promotion, at = situation.promotion, situation.at
        require_reason(situation, reason)
        if promotion.status == Status.APPROVED:
            move = Move(
                Status.APPROVED, Status.WITHDRAWN, AuditKind.PROMOTION_WITHDRAWN, reason.strip()
            )
            lifecycle.advance(promotion, move, by=by, at=at, next_attempt_at=None)
        else:
            _ask_to_stop(promotion, reason.strip(), by=by, at=at)
    return promotion


def _ask_to_stop(promotion: Promotion, reason: str, *, by: Actor, at: datetime) -> None:
    promotion.abort_requested_at, promotion.abort_requested_by = at, by.name
    promotion.abort_reason, promotion.next_attempt_at = reason, at
    promotion.save(
        update_fields=[
            "abort_requested_at",
            "abort_requested_by",
            "abort_reason",
            "next_attempt_at",
        ]
    )
    audit.record(
        kind=AuditKind.ABORT_REQUESTED,
        by=by,
        subject=lifecycle.subject_of(promotion),
        details={"tag": promotion.to_tag, "seal": promotion.seal, "reason": reason},
    )
    transaction.on_commit(doorbell.ring_execution)
