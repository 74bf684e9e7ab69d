"""Reviews of emergencies: those that are owed, the most urgent first, and those that were given, newest first."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from approvals.models import Decision, Review
from approvals.models.review import ReviewQuerySet
from approvals.queries.scopes import Scope

MAX_OWED = 200
MAX_GIVEN = 50


@dataclass(frozen=True, slots=True)
class Reviews:
    """What the page shows."""

    owed: tuple[Review, ...]
    given: tuple[Review, ...]


def shown(visible: Scope) -> Reviews:
    """Return owed and given reviews in two queries."""
    rows = within(visible)
    return Reviews(
        owed=tuple(rows.owed()[:MAX_OWED]),
        given=tuple(rows.exclude(given_at=None).order_by("-given_at")[:MAX_GIVEN]),
    )


def within(visible: Scope) -> ReviewQuerySet:
    """Return the reviews of these Applications, with what names them."""
    condition = visible.condition("promotion__application")
    return (
        Review.objects.filter(condition)
        .select_related(
            "promotion__application", "promotion__tracked_image", "declared_by", "given_by"
        )
        .defer("promotion__plan", "promotion__subject", "promotion__application__manifest")
    )


def givable(reviewable: Scope, person_id: int) -> "QuerySet[Review]":
    """Return the owed reviews that the person could give: no emergency of theirs, none they approved."""
    counted = Decision.objects.filter(
        promotion=OuterRef("promotion"),
        revision=OuterRef("promotion__revision"),
        by=person_id,
        verb=Decision.Verb.APPROVE,
        voided_at=None,
    )
    owed = Review.objects.owed().filter(reviewable.condition("promotion__application"))
    return owed.exclude(declared_by=person_id).exclude(Exists(counted))
