"""The inbox: everything that waits for a person or for its turn, grouped by Application."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from approvals.models import Decision, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.queries import keyset
from approvals.queries.keyset import Page
from updater.models import ImageTag

PAGE_SIZE = 100
MAX_PROJECTS = 8
RECENT_FAILURE = timedelta(days=1)
_KEY = ("application__name", "application__namespace", "tracked_image__alias", "pk_text")


class Show(StrEnum):
    """What part of the inbox is wanted; the first filter people reach for comes first."""

    DECIDE = "decide"
    OTHERS = "others"
    APPROVED = "approved"
    RUNNING = "running"
    ATTENTION = "attention"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show of the inbox, to whom, at which time."""

    username: str
    user_id: int
    may_decide: bool
    at: datetime
    show: Show = Show.ALL
    project: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """How many promotions each filter would show, whole and by project."""

    by_show: dict[Show, int]
    by_project: tuple[tuple[str, int], ...]
    applications: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the gates of some promotions need to know: their tags, and what is in flight for their images."""

    tags: dict[tuple[int | None, str], ImageTag] = field(default_factory=dict)
    in_flight: dict[int, Promotion] = field(default_factory=dict)

    def tag_of(self, promotion: Promotion) -> ImageTag | None:
        """Return the promotion's tag as the registry showed it last."""
        return self.tags.get((promotion.tracked_image.image_repository_id, promotion.to_tag))

    def in_flight_for(self, promotion: Promotion) -> Promotion | None:
        """Return what is being written for the promotion's image."""
        return self.in_flight.get(promotion.tracked_image_id)


def page(wanted: Wanted, cursor: str = "") -> Page[Promotion]:
    """Return a page of the inbox, ordered by Application and image, decisions and names loaded.

    Raises:
        keyset.CursorError: the cursor is not one of this list.
    """
    rows = _matching(wanted).annotate(pk_text=Cast("pk", TextField()))
    if cursor:
        rows = rows.filter(keyset.after(_KEY, keyset.decode(cursor, length=len(_KEY))))
    # Keys first: sorting ten thousand rows must not carry their plans along.
    keys = list(rows.order_by(*_KEY).values_list(*_KEY)[: PAGE_SIZE + 1])
    shown = keys[:PAGE_SIZE]
    promotions = Promotion.objects.filter(pk__in=[key[-1] for key in shown])
    return Page(
        _in_order(_loaded(promotions).annotate(plan_error=KT("plan__error")), shown),
        keyset.encode(shown[-1]) if len(keys) > PAGE_SIZE else "",
    )


def figures(wanted: Wanted) -> Figures:
    """Return the counts for the filters, in two queries."""
    everything = _inbox(wanted.at)
    conditions = {show.value: Count("pk", filter=_condition(show, wanted)) for show in Show}
    totals = everything.aggregate(
        applications=Count("application", distinct=True, filter=_condition(wanted.show, wanted)),
        **conditions,
    )
    projects = (
        everything.filter(_condition(wanted.show, wanted))
        .values_list("application__project")
        .annotate(found=Count("pk"))
        .order_by("-found", "application__project")[:MAX_PROJECTS]
    )
    return Figures(
        by_show={show: totals[show.value] for show in Show},
        by_project=tuple(projects),
        applications=totals["applications"],
    )


def surroundings(promotions: Iterable[Promotion]) -> Surroundings:
    """Return what the gates of these promotions need, in two queries however many they are."""
    shown = list(promotions)
    tags = ImageTag.objects.filter(
        image_repository__in={row.tracked_image.image_repository_id for row in shown},
        name__in={row.to_tag for row in shown},
    )
    in_flight = Promotion.objects.filter(
        tracked_image__in={row.tracked_image_id for row in shown}, status__in=Status.in_flight()
    ).only("tracked_image", "to_tag", "status", "status_at")
    return Surroundings(
        tags={(tag.image_repository_id, tag.name): tag for tag in tags},
        in_flight={row.tracked_image_id: row for row in in_flight},
    )


def selected(ids: Iterable[str]) -> list[Promotion]:
    """Return the chosen promotions in the inbox's order, for the confirmation page."""
    rows = Promotion.objects.filter(pk__in=list(ids)[:PAGE_SIZE])
    return list(_loaded(rows, with_plan=True).order_by(*_KEY[:3], "pk"))


def _inbox(at: datetime) -> QuerySet[Promotion]:
    newer = Promotion.objects.filter(
        tracked_image=OuterRef("tracked_image"), created_at__gt=OuterRef("created_at")
    )
    recently_failed = Q(status=Status.FAILED, status_at__gt=at - RECENT_FAILURE) & ~Exists(newer)
    return Promotion.objects.filter(Q(status__in=Status.alive()) | recently_failed)


def _matching(wanted: Wanted) -> QuerySet[Promotion]:
    rows = _inbox(wanted.at).filter(_condition(wanted.show, wanted))
    if wanted.project:
        rows = rows.filter(application__project=wanted.project)
    return rows.filter(_text(wanted.text)) if wanted.text else rows


def _condition(show: Show, wanted: Wanted) -> Q:
    decidable = _decidable(wanted)
    return {
        Show.DECIDE: decidable,
        Show.OTHERS: Q(status=Status.PENDING) & ~decidable,
        Show.APPROVED: Q(status=Status.APPROVED),
        Show.RUNNING: Q(status__in=[Status.EXECUTING, Status.VERIFYING]),
        Show.ATTENTION: Q(status__in=[Status.ERRORED, Status.UNKNOWN, Status.FAILED]),
        Show.ALL: Q(),
    }[show]


def _decidable(wanted: Wanted) -> Q:
    """Return what `policy.explain` says yes to, as a condition; a guard test holds the two together."""
    if not wanted.may_decide:
        return Q(pk=None)
    own_approvals = Decision.objects.filter(
        promotion=OuterRef("pk"),
        revision=OuterRef("revision"),
        by=wanted.user_id,
        verb=Decision.Verb.APPROVE,
        voided_at=None,
    )
    return (
        Q(status=Status.PENDING, expires_at__gt=wanted.at)
        & ~Q(requested_by=wanted.username)
        & Q(~Exists(own_approvals))
    )


def _text(text: str) -> Q:
    deciders = Decision.objects.filter(promotion=OuterRef("pk"), by__username__icontains=text)
    return (
        Q(application__name__icontains=text)
        | Q(application__namespace__icontains=text)
        | Q(tracked_image__alias__icontains=text)
        | Q(from_tag__icontains=text)
        | Q(to_tag__icontains=text)
        | Q(requested_by__icontains=text)
        | Q(Exists(deciders))
    )


def _loaded(rows: QuerySet[Promotion], *, with_plan: bool = False) -> QuerySet[Promotion]:
    heavy = [
        "application__manifest",
        "application__write_back",
        "tracked_image__configuration",
        "tracked_image__choice",
        "candidate__manifest__platforms",
        "candidate__manifest__labels",
    ]
    return (
        rows.select_related(
            "application",
            "tracked_image__image_repository",
            "candidate__manifest",
        )
        .prefetch_related("decisions__by")
        .defer(*heavy, *([] if with_plan else ["subject", "plan"]))
    )


def _in_order(rows: Iterable[Promotion], keys: Sequence[tuple[str, ...]]) -> tuple[Promotion, ...]:
    by_id = {str(row.pk): row for row in rows}
    for row in by_id.values():
        # A page of plans is megabytes; rules and gates ask a row only whether it has one.
        error = getattr(row, "plan_error", None)
        row.plan = {"error": error} if error else {}
    return tuple(by_id[key[-1]] for key in keys if key[-1] in by_id)
