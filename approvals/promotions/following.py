"""Open promotions follow what they are about: the policy, the tag, and what would be written.

Whose subject changed is sealed anew, and people decide on that.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from approvals import planning, policy, resealing, sealing
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.planning import Change
from updater import leases
from updater.audit import Actor
from updater.connections import Connections
from updater.errors import UpdaterError

LOOK_AGAIN_SECONDS = 60  # how old a plan of an open promotion may grow
MAX_LOOKED_AT_PER_SWEEP = 200


def follow_policy(*, by: Actor, at: datetime) -> None:
    """Load the policy file; seal anew what stands under other requirements now, at once and not when plans age."""
    loaded = policy.load(by=by, at=at)
    if loaded is None or not loaded.is_current:
        return
    rows = Promotion.objects.filter(status__in=Status.undecided_or_waiting())
    for promotion_id in rows.values_list("pk", flat=True):
        resealing.refresh(promotion_id, by=by)


def look_again(*, world: Connections, by: Actor, at: datetime) -> int:
    """Plan open promotions anew when their plan has aged; re-seal those whose subject changed."""
    stale = (at - timedelta(seconds=LOOK_AGAIN_SECONDS)).isoformat()
    rows = Promotion.objects.with_target().filter(
        status__in=Status.undecided_or_waiting(), plan__at__lt=stale
    )
    due = list(rows.order_by("plan__at")[:MAX_LOOKED_AT_PER_SWEEP])
    for promotion in due:
        _look_again_at(promotion, world=world, by=by, at=at)
    return len(due)


def _look_again_at(promotion: Promotion, *, world: Connections, by: Actor, at: datetime) -> None:
    candidate = resealing.current_candidate(promotion)
    if not candidate.is_current and resealing.follow_tag(promotion.pk, by=by, at=at):
        return
    try:
        change = Change(promotion.tracked_image, candidate)
        plan = planning.document(
            planning.prepare(promotion.application, [change], world=world), at=at
        )
    except UpdaterError as error:
        # The seal stays; whoever looks at the page sees how old the plan is and why it cannot be renewed.
        plan = {**promotion.plan, "at": at.isoformat(), "stale": str(error)}
    with transaction.atomic():
        leases.require_held()
        store_plan(promotion.pk, plan, by=by, at=at)


def store_plan(promotion_id: UUID, plan: dict[str, Any], *, by: Actor, at: datetime) -> None:
    """Store the new plan; a new revision only where the subject is another one."""
    promotion = resealing.locked(promotion_id)
    if promotion is None or promotion.status not in Status.undecided_or_waiting():
        return  # decided or started while we looked: the worker looks for itself
    rules = policy.rules_as_read(promotion)
    if sealing.seal(resealing.current_subject(promotion, plan, rules=rules)) != promotion.seal:
        resealing.reseal(promotion, plan=plan, by=by, at=at, rules=rules)
    else:
        Promotion.objects.filter(pk=promotion_id).update(plan=plan)
