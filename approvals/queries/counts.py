"""The few figures that stand around every page, in one query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Func, IntegerField, QuerySet, Subquery, Value

from approvals.models import Hold, Promotion
from approvals.queries import holds, recovery, reviews
from approvals.queries.scopes import Scope
from updater.models import Application


@dataclass(frozen=True, slots=True)
class Around:
    """How much is pending, how much needs a person, and when the cluster was last read."""

    pending: int
    needs_person: int
    reviews: int  # that the person could give
    holds: int  # that stand
    stop: int | None  # the hold on everything
    cluster_seen_at: datetime | None


def around(visible: Scope, *, reviewable: Scope | None, person_id: int, at: datetime) -> Around:
    """Return the figures of the frame, for the Applications that the person may see."""
    standing = holds.seen(visible).standing(at)
    everything = standing.filter(scope=Hold.Scope.EVERYTHING)
    givable = reviews.givable(reviewable, person_id) if reviewable else None
    seen = Application.objects.present().order_by("-seen_at").values("seen_at")
    # One row to hang the figures on: the person's own.
    row = User.objects.filter(pk=person_id).values_list(
        _count(visible.limit(Promotion.objects.pending())),
        _count(recovery.waiting_for_person(visible)),
        Value(0) if givable is None else _count(givable),
        _count(standing),
        Subquery(everything.order_by().values("pk")[:1]),
        Subquery(seen[:1]),
    )
    return Around(*row.get())


def _count(rows: QuerySet[Any]) -> Subquery:
    number = Func("pk", function="COUNT", output_field=IntegerField())
    return Subquery(rows.order_by().annotate(number=number).values("number"))
