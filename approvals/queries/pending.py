"""The inbox: everything that waits for a person or for its turn, grouped by Application."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, TextField, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from approvals.models import Decision, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.queries import keyset, scopes
from approvals.queries.keyset import Page
from approvals.queries.scopes import Scope

PAGE_SIZE = 50
MAX_PROJECTS = 8
MAX_FAILURES = 200  # beyond that nobody needs to be told that something is wrong
RECENT_FAILURE = timedelta(days=1)
_OLDEST_START = timedelta(
    days=30
)  # no promotion stays open for longer: bounds the walk of the index
_KEY = ("application__name", "application__namespace", "tracked_image__alias", "pk_text")


class Show(StrEnum):
    """What part of the inbox is wanted; the first filter people reach for comes first."""

    DECIDE = "decide"
    OTHERS = "others"
    APPROVED = "approved"
    RUNNING = "running"
    ATTENTION = "attention"
    ALL = "all"


_STATUSES: dict[Show, tuple[Status, ...]] = {
    Show.APPROVED: (Status.APPROVED,),
    Show.RUNNING: (Status.EXECUTING, Status.VERIFYING),
    Show.ATTENTION: (Status.ERRORED, Status.UNKNOWN, Status.FAILED),
    Show.ALL: (*Status.alive(), Status.FAILED),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show of the inbox, to whom, at which time."""

    username: str
    user_id: int
    at: datetime
    visible: Scope = scopes.EVERYTHING
    decidable: Scope = scopes.NOTHING  # Applications whose promotions the person may decide
    counting: Q = field(default_factory=Q)  # promotions for which their approval would count
    show: Show = Show.ALL
    project: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """How many promotions each filter would show, whole and by project."""

    by_show: dict[Show, int]
    by_project: tuple[tuple[str, int], ...]


class Inbox:
    """The inbox as one person sees it now; the few ids that its conditions need are read once."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._failures = _recent_failures(wanted.at)
        self._own = _own_approvals(wanted.user_id)

    def page(self, cursor: str = "") -> Page[Promotion]:
        """Return a page, ordered by Application and image, decisions and names loaded.

        Raises:
            keyset.CursorError: the cursor is not one of this list.
        """
        rows = self._matching().annotate(pk_text=Cast("pk", TextField()))
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

    def figures(self) -> Figures:
        """Return the counts for the filters, whole and by project, in one query."""
        groups = list(
            self._everything()
            .order_by()
            .annotate(can_decide=Case(When(self._decidable(), then=True), default=False))
            .values_list("application__project", "status", "can_decide")
            .annotate(found=Count("pk"))
        )
        by_show = {
            show: sum(found for *_, status, mine, found in groups if _is_in(show, status, mine))
            for show in Show
        }
        by_project: Counter[str] = Counter()
        for project, status, mine, found in groups:
            if _is_in(self.wanted.show, status, mine):
                by_project[project] += found
        return Figures(by_show, tuple(by_project.most_common(MAX_PROJECTS)))

    def _everything(self) -> QuerySet[Promotion]:
        rows = Promotion.objects.filter(Q(status__in=Status.alive()) | Q(pk__in=self._failures))
        return self.wanted.visible.limit(rows)

    def _matching(self) -> QuerySet[Promotion]:
        rows = self._everything().filter(self._condition(self.wanted.show))
        if self.wanted.project:
            rows = rows.filter(application__project=self.wanted.project)
        return rows.filter(_text(self.wanted.text)) if self.wanted.text else rows

    def _condition(self, show: Show) -> Q:
        if show is Show.DECIDE:
            return self._decidable()
        if show is Show.OTHERS:
            return Q(status=Status.PENDING) & ~self._decidable()
        return Q(status__in=_STATUSES[show])

    def _decidable(self) -> Q:
        """Return what `policy.explain` says yes to, as a condition; a test holds the two together."""
        wanted = self.wanted
        return (
            Q(status=Status.PENDING, expires_at__gt=wanted.at)
            & wanted.decidable.condition()
            & wanted.counting
            & ~Q(requested_by=wanted.username)
            & ~Q(pk__in=self._own)
        )


def in_flight(promotions: Iterable[Promotion]) -> dict[int, Promotion]:
    """Return what is being written for the images of these promotions, by image, in one query."""
    rows = Promotion.objects.filter(
        tracked_image__in={row.tracked_image_id for row in promotions},
        status__in=Status.in_flight(),
    )
    shown = rows.only("tracked_image", "to_tag", "status", "status_at")
    return {row.tracked_image_id: row for row in shown}


def selected(ids: Iterable[UUID], *, visible: Scope) -> list[Promotion]:
    """Return the chosen promotions in the inbox's order, for the confirmation page."""
    rows = visible.limit(Promotion.objects.filter(pk__in=list(ids)))
    return list(_loaded(rows, with_plan=True).order_by(*_KEY[:3], "pk"))


def _is_in(show: Show, status: str, can_decide: bool) -> bool:  # noqa: FBT001  a row of a query
    if show in (Show.DECIDE, Show.OTHERS):
        return status == Status.PENDING and can_decide == (show is Show.DECIDE)
    return status in _STATUSES[show]


def _recent_failures(at: datetime) -> list[UUID]:
    """Return failures of the last day that no later promotion of the same image followed."""
    later = Promotion.objects.filter(
        tracked_image=OuterRef("tracked_image"), created_at__gt=OuterRef("created_at")
    )
    failed = Promotion.objects.filter(
        ~Exists(later),
        status=Status.FAILED,
        created_at__gt=at - _OLDEST_START,
        status_at__gt=at - RECENT_FAILURE,
    )
    return list(failed.order_by("-created_at").values_list("pk", flat=True)[:MAX_FAILURES])


def _own_approvals(user_id: int) -> list[UUID]:
    standing = Decision.objects.filter(
        by=user_id,
        verb=Decision.Verb.APPROVE,
        voided_at=None,
        promotion__status=Status.PENDING,
        revision=F("promotion__revision"),
    )
    return list(standing.values_list("promotion", flat=True))


def _text(text: str) -> Q:
    deciders = Decision.objects.filter(by__username__icontains=text).values("promotion")
    return (
        Q(application__name__icontains=text)
        | Q(application__namespace__icontains=text)
        | Q(tracked_image__alias__icontains=text)
        | Q(from_tag__icontains=text)
        | Q(to_tag__icontains=text)
        | Q(requested_by__icontains=text)
        | Q(pk__in=deciders)
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
            "review",
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
