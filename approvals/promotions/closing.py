"""Open promotions end without a person: what they are about is gone, or nobody came in time."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from approvals import lifecycle
from approvals.lifecycle import Move, TransitionRefusedError
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import leases
from updater.audit import Actor, AuditKind
from updater.models import Candidate


def withdraw_orphans(*, by: Actor, at: datetime) -> int:
    """Withdraw open promotions whose Application, image or candidate is gone."""
    rows = Promotion.objects.with_target().filter(
        status__in=[*Status.undecided_or_waiting(), Status.ERRORED]
    )
    gone = Q(application__vanished_at__isnull=False) | Q(tracked_image__removed_at__isnull=False)
    unusable = Q(tracked_image__is_usable=False)
    return sum(
        _advance(
            row, Status.WITHDRAWN, AuditKind.PROMOTION_WITHDRAWN, _orphan_reason(row), by=by, at=at
        )
        for row in rows.filter(gone | unusable | _not_offered_any_more())
    )


def _not_offered_any_more() -> Q:
    current = Candidate.objects.filter(tracked_image=OuterRef("tracked_image"), is_current=True)
    return Q(~Exists(current), status=Status.PENDING, kind=Promotion.Kind.FORWARD)


def _orphan_reason(promotion: Promotion) -> str:
    not_offered = "It runs already, or the configuration no longer allows it."
    return promotion.why_gone or not_offered


def expire(*, by: Actor, at: datetime) -> int:
    """Expire what was not decided, or not started, in time."""
    due = Promotion.objects.with_target().filter(
        status__in=Status.undecided_or_waiting(), expires_at__lte=at
    )
    reasons = {
        Status.PENDING: "Nobody decided in time.",
        Status.APPROVED: "It was approved, but could not start in time.",
    }
    return sum(
        _advance(
            row,
            Status.EXPIRED,
            AuditKind.PROMOTION_EXPIRED,
            reasons[Status(row.status)],
            by=by,
            at=at,
        )
        for row in due
    )


def _advance(
    promotion: Promotion, to: Status, kind: AuditKind, reason: str, *, by: Actor, at: datetime
) -> bool:
    """Make one swept move; somebody who was faster is no error."""
    try:
        with transaction.atomic():
            leases.require_held()
            move = Move(Status(promotion.status), to, kind, reason)
            lifecycle.advance(promotion, move, by=by, at=at)
    except TransitionRefusedError:
        return False
    return True
