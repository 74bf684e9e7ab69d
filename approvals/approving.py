"""The move to APPROVED: made by the last approval that the policy asks for, or by the policy alone.

What the policy approves alone is written down as a person's approval is: a decision, the seal, the rule, the trail.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from approvals import doorbell, lifecycle, policy, resealing
from approvals.lifecycle import Move, TransitionRefusedError
from approvals.models import Decision, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy import Automatic, Rules
from updater import clock
from updater.audit import Actor, AuditKind

POLICY = Actor(name="policy")
AT_ONCE = 200  # promotions that are judged together


def complete(
    promotion: Promotion,
    *,
    by: Actor,
    at: datetime,
    rules: Rules,
    reason: str = "",
    **details: object,
) -> None:
    """Move a promotion whose policy is satisfied, by the rules that were just read, to APPROVED; ring the workers."""
    _supersede_older_approval(promotion, by=by, at=at)
    move = Move(Status.PENDING, Status.APPROVED, AuditKind.PROMOTION_APPROVED, reason, details)
    lifecycle.advance(
        promotion,
        move,
        by=by,
        at=at,
        approved_at=at,
        next_attempt_at=at,
        expires_at=at
        + policy.approved_expiry(promotion.application, effective=rules.of(promotion)),
    )
    transaction.on_commit(doorbell.ring_execution)


def approve_alone(*, at: datetime) -> int:
    """Approve every pending promotion that the policy approves without a person; return how many."""
    waiting = policy.waiting(at)
    if waiting is None:
        return 0
    rows = Promotion.objects.pending().filter(waiting).order_by("created_at")
    ids = list(rows.values_list("pk", flat=True))
    starts = range(0, len(ids), AT_ONCE)
    return sum(_approve_some(ids[start : start + AT_ONCE], at=at) for start in starts)


def _approve_some(ids: list[UUID], *, at: datetime) -> int:
    rows = Promotion.objects.with_target().filter(pk__in=ids)
    heavy = "application__manifest", "candidate__manifest__platforms", "subject"
    judged = policy.judge_alone(list(rows.defer(*heavy)), at=at)
    return sum(_approve(pk) for pk, found in judged.items() if not found.objection)


def _approve(promotion_id: UUID) -> bool:
    """Judge the locked row once more, then approve exactly what its seal stands for."""
    try:
        with transaction.atomic():
            promotion = resealing.locked(promotion_id)
            if promotion is None:
                return False
            rules = policy.rules_as_read(promotion)
            if resealing.current_seal(promotion, rules=rules) != promotion.seal:
                return False  # it is sealed anew at the next look, and is for people then
            at = clock.now()
            found = policy.judge_alone([promotion], at=at, rules=rules).get(promotion.pk)
            if found is None or found.objection:
                return False
            _decide(promotion, found, at=at)
            reason = f"Approved by the policy: {found.rule}."
            told = {"rule": found.rule, "inputs": found.inputs}
            complete(promotion, by=POLICY, at=at, rules=rules, reason=reason, **told)
    except TransitionRefusedError:
        return False  # somebody was faster
    return True


def _decide(promotion: Promotion, found: Automatic, *, at: datetime) -> None:
    Decision.objects.create(
        promotion=promotion,
        revision=promotion.revision,
        seal=promotion.seal,
        verb=Decision.Verb.APPROVE,
        by=None,
        identity={"username": POLICY.name, "via": "policy", "inputs": dict(found.inputs)},
        rule=found.rule,
        at=at,
    )


def _supersede_older_approval(promotion: Promotion, *, by: Actor, at: datetime) -> None:
    # An approved one stays until a newer one is approved (design.md 8.4).
    older = Promotion.objects.select_for_update().filter(
        tracked_image=promotion.tracked_image, status=Status.APPROVED
    )
    for superseded in older:
        reason = f"{promotion.to_tag} was approved before this one was written."
        move = Move(Status.APPROVED, Status.SUPERSEDED, AuditKind.PROMOTION_SUPERSEDED, reason)
        lifecycle.advance(superseded, move, by=by, at=at, superseded_by=promotion)
