"""Holds as pages and API list them, and what a hold on a target stops."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from approvals.models import Hold, Promotion
from approvals.models.hold import HoldQuerySet
from approvals.models.promotion import PromotionStatus as Status
from approvals.queries import keyset
from approvals.queries.keyset import CursorError, Page
from approvals.queries.scopes import Scope
from updater.models import Application

PAGE_SIZE = 50
MAX_STANDING = 500  # shown at once; nobody works with more


@dataclass(frozen=True, slots=True)
class Stops:
    """What a hold on a target stops, and what it does not."""

    pending: int  # may still be decided, and waits then
    waiting: int  # approved, or to be tried again: does not start
    running: int  # finishes


def seen(scope: Scope) -> HoldQuerySet:
    """Return the holds that a person may see: on everything, and on Applications they may see."""
    rows = Hold.objects.with_target()
    if scope.is_everything:
        return rows
    applications = Application.objects.filter(scope.applications).values("pk")
    return rows.filter(
        Q(scope=Hold.Scope.EVERYTHING)
        | Q(application__in=applications)
        | Q(tracked_image__application__in=applications)
    )


def standing(scope: Scope, *, at: datetime) -> tuple[Hold, ...]:
    """Return the standing holds, the widest first, then the newest."""
    order = {Hold.Scope.EVERYTHING: 0, Hold.Scope.APPLICATION: 1, Hold.Scope.IMAGE: 2}
    rows = seen(scope).standing(at).order_by("-at", "-pk")[:MAX_STANDING]
    return tuple(sorted(rows, key=lambda row: order[Hold.Scope(row.scope)]))


def past(scope: Scope, cursor: str = "", *, at: datetime) -> Page[Hold]:
    """Return a page of the holds that do not stand any more, newest first.

    Raises:
        keyset.CursorError: the cursor is not one of this list.
    """
    rows = seen(scope).filter(Q(released_at__isnull=False) | Q(until__lte=at))
    if cursor:
        rows = rows.filter(pk__lt=_place(cursor))
    found = list(rows.order_by("-pk")[: PAGE_SIZE + 1])
    shown = tuple(found[:PAGE_SIZE])
    return Page(shown, keyset.encode([str(shown[-1].pk)]) if len(found) > PAGE_SIZE else "")


def within(rows: Iterable[Hold], scope: Scope, *, everything: bool) -> frozenset[int]:
    """Return which of these holds are on Applications of the scope, or on everything; at most one query."""
    about = {row.pk: row.held_application for row in rows}
    named = {held.pk for held in about.values() if held is not None}
    if not scope.is_everything and named:
        inside = Application.objects.filter(scope.applications, pk__in=named)
        named = set(inside.values_list("pk", flat=True))
    return frozenset(
        pk for pk, held in about.items() if (everything if held is None else held.pk in named)
    )


def find(hold_id: int, *, visible: Scope) -> Hold | None:
    """Return the hold, if there is one to be seen."""
    return seen(visible).filter(pk=hold_id).first()


def about(application: Application, *, at: datetime, alias: str = "") -> tuple[Hold, ...]:
    """Return what stands on the Application and its images, or on one of them; not what is on everything."""
    rows = Hold.objects.standing(at).about(application).with_target().order_by("at", "pk")
    return tuple(row for row in rows if not alias or row.covers(application, alias))


def stops(hold: Hold, *, visible: Scope) -> Stops:
    """Return what this hold, set or not yet, stops."""
    rows = visible.limit(Promotion.objects.filter(hold.covered()))
    retried = Q(status=Status.ERRORED, next_attempt_at__isnull=False)
    figures = rows.aggregate(
        pending=Count("pk", filter=Q(status=Status.PENDING)),
        waiting=Count("pk", filter=Q(status=Status.APPROVED) | retried),
        running=Count("pk", filter=Q(status__in=Status.in_flight())),
    )
    return Stops(**figures)


def _place(cursor: str) -> int:
    (text,) = keyset.decode(cursor, length=1)
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise CursorError(
            "The place in the list belongs to another list; start from the first page."
        )
    return int(text)
