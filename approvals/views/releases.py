"""What was decided and what came of it, and how one promotion was carried out, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from approvals.decisions import Situation
from approvals.forms import ReleaseFilterForm
from approvals.models import Execution, ExecutionStep, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action, guarded
from approvals.presenters import links, times
from approvals.presenters.people import name_of
from approvals.queries import keyset, promotions, releases
from approvals.queries.releases import Show, Wanted
from approvals.views import actions, pages, sight, verdicts
from approvals.views.promotions import found
from approvals.views.requests import PersonRequest
from updater import clock

CHIPS = {
    Show.ALL: "All",
    Show.RUNNING: "Running",
    Show.SUCCEEDED: "Succeeded",
    Show.FAILED: "Failed",
    Show.STOPPED: "Errored or unknown",
    Show.REJECTED: "Rejected",
    Show.LAPSED: "Set aside",
}
# What a worker does, in order; a test holds this together with the ledger it writes.
GIT_STEPS = ("Revalidate", "Build commit", "Push", "Refresh Application")
PULL_REQUEST_STEPS = (
    "Revalidate",
    "Build commit",
    "Push branch",
    "Open pull request",
    "Wait for merge",
    "Refresh Application",
)
PATCH_STEPS = ("Revalidate", "Patch Application")
NO_RETURN = {"Push", "Wait for merge", "Patch Application"}


@dataclass(frozen=True, slots=True)
class Row:
    """One release of the list."""

    promotion: Promotion
    signers: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the ledger: recorded, or still to come."""

    position: int
    name: str
    record: ExecutionStep | None
    took: str
    is_no_return: bool  # once it is done there is no way back but a new promotion


@require_safe
@guarded(Action.VIEW)
def release_list(request: PersonRequest) -> HttpResponse:
    """Show what was decided, newest first."""
    form = ReleaseFilterForm(request.GET)
    problem = "" if form.is_valid() else "This filter cannot be read, so everything is shown."
    wanted = _wanted(request, form)
    try:
        page = releases.page(wanted, form.cleaned_data.get("after", ""))
    except keyset.CursorError as error:
        page, problem = releases.page(wanted), str(error)
    counts = releases.counts(wanted)
    context = {
        "section": "releases",
        "wanted": wanted,
        "rows": [Row(row, _signers(row)) for row in page.rows],
        "chips": [
            {
                "value": show,
                "label": label,
                "count": counts[show],
                "is_current": wanted.show is show,
            }
            for show, label in CHIPS.items()
        ],
        "next_cursor": page.next_cursor,
        "is_first": not form.cleaned_data.get("after"),
        "problem": problem,
    }
    return pages.show(request, "releases/list", context, status=400 if problem else 200)


@require_safe
@guarded(Action.VIEW)
def execution(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Show how a promotion was, or is being, carried out."""
    row = found(request, promotion_id)
    situation = Situation(row, request.user, clock.now())
    attempts = promotions.attempts_of(row)
    chosen = _attempt(attempts, request.GET.get("attempt", ""))
    context = {
        "section": "releases",
        "promotion": row,
        "verdict": verdicts.of(row, situation.standing, now=situation.at),
        "attempts": attempts,
        "attempt": chosen,
        "steps": _steps(row, chosen),
        "lease": promotions.lease_of(chosen) if chosen else None,
        "pull_request_link": links.web(str(row.pull_request.get("url", ""))),
        "now": situation.at,
        **actions.context(situation),
    }
    return pages.show(request, "releases/execution", context)


def _wanted(request: PersonRequest, form: ReleaseFilterForm) -> Wanted:
    sent = form.cleaned_data.get("status", "")
    return Wanted(
        show=Show(sent) if sent in set(Show) else Show.ALL,
        application=form.cleaned_data.get("application", ""),
        image=form.cleaned_data.get("image", ""),
        tag=form.cleaned_data.get("tag", ""),
        visible=sight.visible_to(request),
    )


def _signers(row: Promotion) -> str:
    standing = [decision for decision in row.decisions.all() if decision.voided_at is None]
    return ", ".join(name_of(decision) for decision in standing)


def _attempt(attempts: Sequence[Execution], wanted: str) -> Execution | None:
    for attempt in attempts:
        if str(attempt.attempt) == wanted:
            return attempt
    return attempts[0] if attempts else None


def _steps(row: Promotion, attempt: Execution | None) -> list[Step]:
    records = list(attempt.steps.all()) if attempt else []
    known = {record.name for record in records}
    expected = _expected(row)
    is_going = attempt is None or attempt.ended_at is None or row.status in Status.alive()
    to_come = [name for name in expected if name not in known] if is_going else []
    lines = [(record.name, record) for record in records] + [(name, None) for name in to_come]
    return [
        Step(position, name, record, _took(record), name in NO_RETURN)
        for position, (name, record) in enumerate(lines, start=1)
    ]


def _expected(row: Promotion) -> tuple[str, ...]:
    if row.plan.get("pull_request"):
        return PULL_REQUEST_STEPS
    return GIT_STEPS if row.plan.get("method") == "git" else PATCH_STEPS


def _took(record: ExecutionStep | None) -> str:
    if record is None or record.ended_at is None:
        return ""
    return times.took(record.ended_at - record.started_at)
