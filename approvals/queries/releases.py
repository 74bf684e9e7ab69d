"""Everything that was decided and what came of it, newest first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import Q, QuerySet

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.queries import keyset, scopes
from approvals.queries.keyset import CursorError, Page
from approvals.queries.scopes import Scope
from updater.models import Application, Candidate, TrackedImage

PAGE_SIZE = 50
MAX_NAMED = 500  # Applications that one text may name
MAX_COUNTED = 1000  # of one status


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
    visible: Scope = scopes.EVERYTHING


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
    """Return how many releases each filter would show, each status counted up to a limit."""
    scope = _scope(wanted)
    parts = [
        Promotion.objects.filter(scope, status=status)
        .order_by()
        .values_list("status")[:MAX_COUNTED]
        for status in STATUSES[Show.ALL]
    ]
    found = Counter(status for (status,) in parts[0].union(*parts[1:], all=True))
    return {show: _sum(found, statuses) for show, statuses in STATUSES.items()}


def _sum(found: Counter[str], statuses: Iterable[Status]) -> keyset.Count:
    numbers = [found[status] for status in statuses]
    return keyset.Count(sum(numbers), is_exact=max(numbers) < MAX_COUNTED)


def _scope(wanted: Wanted) -> Q:
    """Return the condition, by keys that have an index: a text filter must not read every promotion."""
    condition = wanted.visible.condition()
    if wanted.application:
        condition &= Q(application__in=_applications(wanted.application))
    if wanted.image:
        images = TrackedImage.objects.filter(alias=wanted.image)
        condition &= Q(tracked_image__in=images.values("pk"))
    if wanted.tag:
        candidates = Candidate.objects.filter(tag=wanted.tag)
        condition &= Q(candidate__in=list(candidates.values_list("pk", flat=True)))
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
        .select_related("application", "tracked_image", "review")
        .prefetch_related("decisions")
        .defer("plan", "subject", "application__manifest", "tracked_image__configuration")
    )
    return tuple(sorted(rows, key=lambda row: (row.created_at, row.pk), reverse=True))
