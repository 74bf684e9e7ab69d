"""Everything that was decided and what came of it, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.queries import keyset
from approvals.queries.keyset import CursorError, Page
from updater.models import Application

PAGE_SIZE = 50
MAX_NAMED = 500  # Applications that one text may name


class Show(StrEnum):
    """What part of the releases is wanted."""

    ALL = "all"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    REJECTED = "rejected"
    LAPSED = "lapsed"


STATUSES: dict[Show, tuple[Status, ...]] = {
    Show.ALL: tuple(status for status in Status if status is not Status.PENDING),
    Show.RUNNING: (Status.APPROVED, Status.EXECUTING, Status.VERIFYING),
    Show.SUCCEEDED: (Status.SUCCEEDED,),
    Show.FAILED: (Status.FAILED,),
    Show.STOPPED: (Status.ERRORED, Status.UNKNOWN, Status.ABORTED),
    Show.REJECTED: (Status.REJECTED,),
    Show.LAPSED: (Status.EXPIRED, Status.SUPERSEDED, Status.WITHDRAWN),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which releases are wanted; `application` is `namespace/name` or a part of a name."""

    show: Show = Show.ALL
    application: str = ""
    image: str = ""
    tag: str = ""


def page(wanted: Wanted, cursor: str = "") -> Page[Promotion]:
    """Return a page of releases, newest first, with targets and decisions.

    Raises:
        keyset.CursorError: the cursor is not one of this list.
    """
    scope = _scope(wanted)
    if cursor:
        scope &= _older_than(*keyset.decode(cursor, length=2))
    keys = list(_newest(scope, STATUSES[wanted.show]))
    shown = keys[:PAGE_SIZE]
    if len(keys) <= PAGE_SIZE:
        return Page(_loaded(shown))
    created_at, promotion_id = shown[-1]
    return Page(_loaded(shown), keyset.encode((created_at.isoformat(), str(promotion_id))))


def counts(wanted: Wanted) -> dict[Show, keyset.Count]:
    """Return how many releases each filter would show."""
    found = dict(
        Promotion.objects.filter(_scope(wanted)).values_list("status").annotate(found=Count("pk"))
    )
    return {
        show: keyset.Count(sum(found.get(status, 0) for status in statuses))
        for show, statuses in STATUSES.items()
    }


def _scope(wanted: Wanted) -> Q:
    condition = Q()
    if wanted.application:
        condition &= Q(application__in=_applications(wanted.application))
    if wanted.image:
        condition &= Q(tracked_image__alias=wanted.image)
    if wanted.tag:
        condition &= Q(to_tag=wanted.tag)
    return condition


def _applications(text: str) -> list[int]:
    namespace, slash, name = text.partition("/")
    named = Q(namespace=namespace, name=name) if slash else Q(name__icontains=text)
    return list(Application.objects.filter(named).values_list("pk", flat=True)[:MAX_NAMED])


def _older_than(created_at: str, promotion_id: str) -> Q:
    try:
        moment, last = datetime.fromisoformat(created_at), UUID(promotion_id)
    except ValueError as error:
        raise CursorError(
            "The place in the list cannot be read; start from the first page."
        ) from error
    if moment.tzinfo is None:
        raise CursorError("The place in the list has no time zone; start from the first page.")
    return Q(created_at__lt=moment) | Q(created_at=moment, pk__lt=last)


def _newest(scope: Q, statuses: Sequence[Status]) -> QuerySet[Promotion, tuple[datetime, UUID]]:
    """Return the keys of the newest: each status walks its own index, then they are merged."""
    parts = [
        Promotion.objects.filter(scope, status=status)
        .order_by("-created_at", "-pk")
        .values_list("created_at", "pk")[: PAGE_SIZE + 1]
        for status in statuses
    ]
    merged = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return merged.order_by("-created_at", "-pk")[: PAGE_SIZE + 1] if len(parts) > 1 else merged


def _loaded(keys: Sequence[tuple[datetime, UUID]]) -> tuple[Promotion, ...]:
    rows = (
        Promotion.objects.filter(pk__in=[key[1] for key in keys])
        .select_related("application", "tracked_image")
        .prefetch_related("decisions")
        .defer("plan", "subject", "application__manifest", "tracked_image__configuration")
    )
    return tuple(sorted(rows, key=lambda row: (row.created_at, row.pk), reverse=True))
