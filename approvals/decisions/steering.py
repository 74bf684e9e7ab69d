"""Verbs on the way of a promotion: try again, take it off the table."""

from collections.abc import Iterator
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
from updater import audit
from updater.audit import Actor, AuditKind


def _against_retrying(situation: Situation) -> Iterator[Reason]:
    promotion = situation.promotion
    if promotion.status != Status.ERRORED:
        word = promotion.get_status_display().lower()
        yield Reason(
            "not_errored",
            f"Only an errored promotion can be retried; this one is {word}.",
            fact=promotion.status_reason,
            fact_at=promotion.status_at,
        )


def _against_withdrawing(situation: Situation) -> tuple[Reason, ...]:
    return unmovable(situation, Status.WITHDRAWN, what="withdrawn")


RETRY = Verb("retry", Action.EXECUTE, _against_retrying)
WITHDRAW = Verb("withdraw", Action.EXECUTE, _against_withdrawing)


def retry(*, promotion_id: UUID, person: User, by: Actor) -> Promotion:
    """Make an errored promotion due again at once; the worker looks before it writes."""
    with deciding(promotion_id, RETRY, person, by) as (promotion, at):
        Promotion.objects.filter(pk=promotion.pk).update(next_attempt_at=at)
        audit.record(
            kind=AuditKind.PROMOTION_RETRIED, by=by, subject=lifecycle.subject_of(promotion)
        )
        transaction.on_commit(doorbell.ring_execution)
    promotion.refresh_from_db()
    return promotion


def withdraw(*, promotion_id: UUID, reason: str, person: User, by: Actor) -> Promotion:
    """Take an open or errored promotion off the table; the digest may be offered again."""
    with deciding(promotion_id, WITHDRAW, person, by) as (promotion, at):
        require_reason(promotion, reason)
        move = Move(
            Status(promotion.status), Status.WITHDRAWN, AuditKind.PROMOTION_WITHDRAWN, reason
        )
        lifecycle.advance(promotion, move, by=by, at=at)
    return promotion
