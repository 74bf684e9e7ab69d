"""The row of a new promotion is written, recorded, and set in the place of older ones for its image."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from approvals import lifecycle, policy
from approvals.lifecycle import Move
from approvals.models import Promotion, Request
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy import Rules
from approvals.promotions.drafting import unsaved
from updater import audit
from updater.audit import Actor, AuditKind
from updater.models import Candidate


def insert(
    candidate: Candidate,
    plan: dict[str, Any],
    *,
    by: Actor,
    at: datetime,
    asked: Request | None = None,
) -> Promotion:
    """Open the promotion, asked for by a person or offered, in place of older ones, in the caller's transaction."""
    try:
        with transaction.atomic():
            return _insert(candidate, plan, asked, by=by, at=at)
    except IntegrityError as error:
        if not lifecycle.is_second_pending(error):
            raise
    # An older one was put back before the people in the very moment: it is seen now, and set aside like the others.
    return _insert(candidate, plan, asked, by=by, at=at)


def _insert(
    candidate: Candidate,
    plan: dict[str, Any],
    asked: Request | None,
    *,
    by: Actor,
    at: datetime,
) -> Promotion:
    rules = policy.rules_of([candidate.tracked_image.application])
    promotion = unsaved(candidate, plan, asked, rules, at=at)
    older = Promotion.objects.with_target().filter(
        tracked_image=candidate.tracked_image, status__in=_superseded_by_newer(promotion, rules)
    )
    for superseded in older:
        reason = _why_superseded(promotion)
        move = Move(
            Status(superseded.status), Status.SUPERSEDED, AuditKind.PROMOTION_SUPERSEDED, reason
        )
        # The foreign key is checked at commit, when the new row stands.
        lifecycle.advance(superseded, move, by=by, at=at, superseded_by_id=promotion.pk)
    promotion.save(force_insert=True)
    # A rule that nobody can fulfil is named now, not after days of waiting.
    if problems := policy.unsatisfiable(promotion, rules=rules):
        promotion.status_reason = " ".join(problems)
        promotion.save(update_fields=["status_reason"])
    audit.record(
        kind=AuditKind.PROMOTION_OPENED,
        by=by,
        subject=lifecycle.subject_of(promotion),
        details={
            "from": promotion.from_tag,
            "tag": promotion.to_tag,
            "digest": promotion.to_digest,
            "seal": promotion.seal,
            "reason": promotion.request_reason or candidate.reason,
            "unsatisfiable": promotion.status_reason,
            **({"kind": promotion.kind, "who": promotion.requested_by} if asked else {}),
        },
    )
    return promotion


def _superseded_by_newer(promotion: Promotion, rules: Rules) -> list[Status]:
    statuses = [Status.PENDING, Status.ERRORED]
    is_way_back = promotion.kind == Promotion.Kind.ROLLBACK  # nothing may go forward meanwhile
    if is_way_back or rules.of(promotion).supersede == "newest":
        statuses.append(Status.APPROVED)
    return statuses


def _why_superseded(promotion: Promotion) -> str:
    if promotion.kind == Promotion.Kind.FORWARD:
        return f"{promotion.to_tag} is newer."
    what = "to go back to" if promotion.kind == Promotion.Kind.ROLLBACK else "for"
    return f"{promotion.requested_by} asked {what} {promotion.to_tag}."
