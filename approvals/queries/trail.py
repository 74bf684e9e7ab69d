"""The audit trail by page: by sequence number, which is gapless, so a page is an index walk in a million rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import QuerySet

from approvals.queries import keyset
from approvals.queries.keyset import COUNT_LIMIT, Count
from updater.audit import AuditKind
from updater.models import Application, AuditEvent

PAGE_SIZE = 50
EXPORT_CHUNK = 1000
MAX_SUGGESTIONS = 200
_BEYOND = 2**62  # no event has this number


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are wanted."""

    since: datetime | None = None
    until: datetime | None = None
    kind: str = ""
    actor: str = ""
    application: str = ""
    promotion: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of events, newest first, and whether there are newer and older ones."""

    events: tuple[AuditEvent, ...]
    has_newer: bool
    has_older: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """What the chain's end says of itself."""

    head: AuditEvent | None
    checkpoint: AuditEvent | None  # the last commit that carries the head out of the database


@dataclass(frozen=True, slots=True)
class Extent:
    """What an export takes out: every matching event up to this number."""

    last: int
    rows: int


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Names for the filter fields."""

    actors: tuple[str, ...]
    applications: tuple[str, ...]


def page(wanted: Wanted, *, before: int | None = None, after: int | None = None) -> Shown:
    """Return the newest events, or those before or after a sequence number."""
    events = _matching(wanted)
    if after is not None:
        found = list(events.filter(sequence__gt=after).order_by("sequence")[: PAGE_SIZE + 1])
        shown = tuple(reversed(found[:PAGE_SIZE]))
        return Shown(shown, has_newer=len(found) > PAGE_SIZE, has_older=True)
    if before is not None:
        events = events.filter(sequence__lt=before)
    found = list(events.order_by("-sequence")[: PAGE_SIZE + 1])
    return Shown(
        tuple(found[:PAGE_SIZE]), has_newer=before is not None, has_older=len(found) > PAGE_SIZE
    )


def count(wanted: Wanted) -> Count:
    """Return how many events match, counted up to the limit."""
    found = _matching(wanted).order_by("-sequence").values("sequence")[: COUNT_LIMIT + 1].count()
    return keyset.capped(found)


def chain() -> Chain:
    """Return the head of the chain and the last checkpoint outside the database."""
    newest = AuditEvent.objects.order_by("-sequence")
    commits = newest.filter(kind=AuditKind.OVERRIDE_COMMITTED)
    return Chain(head=newest.first(), checkpoint=commits.first())


def suggestions() -> Suggestions:
    """Return people and Applications that a filter can name."""
    people = User.objects.filter(is_active=True).order_by("username")
    applications = Application.objects.present().filter(is_managed=True).order_by("name")
    names = applications.values_list("namespace", "name")[:MAX_SUGGESTIONS]
    return Suggestions(
        actors=tuple(people.values_list("username", flat=True)[:MAX_SUGGESTIONS]),
        applications=tuple(f"{namespace}/{name}" for namespace, name in names),
    )


def extent(wanted: Wanted) -> Extent:
    """Return up to which event an export that starts now goes, and how many events that are."""
    last = AuditEvent.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    return Extent(last=last, rows=_matching(wanted).filter(sequence__lte=last).count())


def export(wanted: Wanted, extent: Extent) -> Iterator[list[AuditEvent]]:
    """Yield all matching events of the extent, oldest first, in chunks that fit in memory."""
    last = 0
    while True:
        events = _matching(wanted).filter(sequence__gt=last, sequence__lte=extent.last)
        events = events.order_by("sequence")
        chunk = list(events[:EXPORT_CHUNK])
        if not chunk:
            return
        yield chunk
        last = chunk[-1].sequence


def _matching(wanted: Wanted) -> QuerySet[AuditEvent]:
    events = AuditEvent.objects.all()
    for field in ("kind", "actor", "application", "promotion"):
        if value := getattr(wanted, field):
            events = events.filter(**{field: value})
    # Times are turned into sequence numbers first: one index then answers filter and order together.
    if wanted.since is not None:
        events = events.filter(sequence__gte=_first_since(wanted.since))
    if wanted.until is not None:
        events = events.filter(sequence__lt=_first_since(wanted.until))
    return events


def _first_since(moment: datetime) -> int:
    events = AuditEvent.objects.filter(at__gte=moment).order_by("at", "sequence")
    first = events.values_list("sequence", flat=True).first()
    return _BEYOND if first is None else first
