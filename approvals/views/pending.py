"""The inbox: what waits, for whom, and what happens next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from approvals import policy, waiting
from approvals.forms import PendingFilterForm
from approvals.models import Promotion, Request
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action, guarded
from approvals.policy import Gate, Standing
from approvals.presenters import diffs
from approvals.presenters.diffs import FileDiff
from approvals.presenters.people import name_of
from approvals.queries import asked, keyset
from approvals.queries.pending import Inbox, Show, Wanted
from approvals.views import pages, sight
from approvals.views.requests import PersonRequest
from updater import clock
from updater.models import Application

URGENT = timedelta(hours=1)
CHIPS = {
    Show.DECIDE: "I can decide",
    Show.OTHERS: "Waits for others",
    Show.APPROVED: "Approved, waits",
    Show.RUNNING: "Running",
    Show.ATTENTION: "Needs a person",
    Show.ALL: "All",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One promotion as the inbox shows it."""

    promotion: Promotion
    standing: Standing
    gates: tuple[Gate, ...]  # those that do not pass
    passing: int
    next_step: str
    why: str  # under the row: why it needs a person
    is_urgent: bool  # it expires within the hour

    @property
    def is_selectable(self) -> bool:
        """Whether the person can decide it now."""
        return self.standing.can_approve

    @property
    def reasons(self) -> str:
        """Why the person cannot approve it."""
        return " ".join(self.standing.reasons)

    @property
    def files(self) -> tuple[FileDiff, ...]:
        """What would be written, where the plan was read: the confirmation of several shows it."""
        return diffs.of_plan(self.promotion.plan)

    @property
    def signers(self) -> str:
        """Who approved so far."""
        return ", ".join(name_of(decision) for decision in self.standing.given)


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one Application."""

    application: Application
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter with its count."""

    value: str
    label: str
    count: int
    is_current: bool


@require_safe
@guarded(Action.VIEW)
def pending_list(request: PersonRequest) -> HttpResponse:
    """Show the inbox; a filter that cannot be read shows everything and says so."""
    form = PendingFilterForm(request.GET)
    wanted = wanted_from(request, form)
    inbox = Inbox(wanted)
    try:
        page = inbox.page(form.cleaned_data.get("after", ""))
        problem = "" if form.is_valid() else "This filter cannot be read, so everything is shown."
    except keyset.CursorError as error:
        page, problem = inbox.page(), str(error)
    figures = inbox.figures()
    rows = rows_of(page.rows, request, at=wanted.at)
    context = {
        "section": "pending",
        "wanted": wanted,
        "groups": grouped(rows),
        "chips": [
            Chip(show, label, figures.by_show[show], wanted.show is show)
            for show, label in CHIPS.items()
        ],
        "figures": figures,
        "asked": bool(request.GET),
        "waiting": figures.by_show[Show.ALL],
        "everything": f"Show all {figures.by_show[Show.ALL]}",
        "decidable": figures.by_show[Show.DECIDE],
        "shown": figures.by_show[wanted.show],
        "prepared": _prepared(wanted, is_first=not form.cleaned_data.get("after")),
        "now": wanted.at,
        "next_cursor": page.next_cursor,
        "is_first": not form.cleaned_data.get("after"),
        "problem": problem,
        "may_decide": sight.may(request, Action.DECIDE),
    }
    return pages.show(request, "pending/list", context, status=400 if problem else 200)


def _prepared(wanted: Wanted, *, is_first: bool) -> tuple[Request, ...] | None:
    """Return what people asked for and is no promotion yet; None where it is not shown."""
    if not is_first or wanted.text:
        return None
    return asked.being_prepared(wanted.visible, project=wanted.project, now=wanted.at)


def wanted_from(request: PersonRequest, form: PendingFilterForm) -> Wanted:
    """Return what the address asks for; what cannot be read falls back to everything."""
    is_readable, at = form.is_valid(), clock.now()
    return Wanted(
        username=request.user.get_username(),
        user_id=request.user.pk,
        at=at,
        visible=sight.visible_to(request),
        decidable=sight.scope_of(request, Action.DECIDE),
        counting=policy.wants(request.user, at=at, policy=sight.policy_of(request)),
        show=_show(request, form) if is_readable else Show.ALL,
        project=form.cleaned_data.get("project", ""),
        text=form.cleaned_data.get("q", ""),
    )


def _show(request: PersonRequest, form: PendingFilterForm) -> Show:
    """Return the wanted part; without a word of it, what the person can decide, if they may decide at all."""
    sent, text = form.cleaned_data["show"], form.cleaned_data["q"]
    if sent in set(Show):
        return Show(sent)
    if sent or text or not sight.may(request, Action.DECIDE):
        return Show.ALL
    return Show.DECIDE


def rows_of(promotions: Iterable[Promotion], request: PersonRequest, *, at: datetime) -> list[Row]:
    """Return the rows for these promotions as this person sees them."""
    shown = list(promotions)
    rules = policy.rules_for(shown, sight.policy_of(request))
    standings = policy.explain_all(shown, request.user, at=at, rules=rules, as_read=True)
    known = waiting.Known(rules)
    found = waiting.gates_of(shown, at=at, visible=sight.visible_to(request), known=known)
    return [
        _row(promotion, standings[promotion.pk], found[promotion.pk], at=at) for promotion in shown
    ]


def grouped(rows: Iterable[Row]) -> list[Group]:
    """Return the rows by Application, in their order."""
    groups = groupby(rows, key=lambda row: row.promotion.application)
    return [Group(application, tuple(members)) for application, members in groups]


def _row(promotion: Promotion, standing: Standing, gates: tuple[Gate, ...], *, at: datetime) -> Row:
    outstanding = waiting.standing_out(gates)
    return Row(
        promotion=promotion,
        standing=standing,
        gates=outstanding,
        passing=len(gates) - len(outstanding),
        next_step=_next_step(promotion, standing, waiting.first_closed(gates)),
        why=promotion.status_reason,
        is_urgent=promotion.expires_at - at < URGENT,
    )


def _next_step(promotion: Promotion, standing: Standing, closed: Gate | None) -> str:
    if promotion.is_pending and not standing.can_approve and standing.reasons:
        return standing.reasons[0]
    if closed is not None and promotion.status == Status.APPROVED:
        return f"Approved; waits for {waiting.awaited(closed)}."
    if closed is not None and standing.completes:
        return f"Your approval completes it; then it waits for {waiting.awaited(closed)}."
    return standing.next_step
