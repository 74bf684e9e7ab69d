"""The few figures that stand around every page."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from approvals.models import Promotion
from approvals.queries import recovery, reviews
from approvals.queries.scopes import Scope
from updater.models import Application


@dataclass(frozen=True, slots=True)
class Around:
    """How much is pending, how much needs a person, and when the cluster was last read."""

    pending: int
    needs_person: int
    cluster_seen_at: datetime | None
    reviews: int  # that the person could give


def around(visible: Scope, *, reviewable: Scope | None, person_id: int) -> Around:
    """Return the figures of the frame, for the Applications that the person may see."""
    seen = Application.objects.present().aggregate(seen=Max("seen_at"))["seen"]
    pending = visible.limit(Promotion.objects.pending())
    return Around(
        pending=pending.count(),
        needs_person=recovery.needs_person(visible),
        cluster_seen_at=seen,
        reviews=reviews.givable(reviewable, person_id).count() if reviewable else 0,
    )
