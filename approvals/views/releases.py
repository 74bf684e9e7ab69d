"""What was decided and what came of it, and how one promotion was carried out, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from approvals import policy, waiting
from approvals.decisions import Situation
from approvals.forms import ReleaseFilterForm
from approvals.models import Execution, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action, guarded
from approvals.presenters import links, runbooks
from approvals.presenters.people import name_of
from approvals.queries import keyset, promotions, recovery, releases
from approvals.queries.releases import Show, Wanted
from approvals.views import actions, held, ledger, pages, sight, verdicts
from approvals.views.promotions import found
from approvals.views.requests import PersonRequest
from updater import clock

MAX_IN_LINE = 100
CHIPS = {
    Show.ALL: "All",
    Show.RUNNING: "Running",
    Show.SUCCEEDED: "Succeeded",
    Show.FAILED: "Failed",
    Show.STOPPED: "Errored or unknown",
    Show.REJECTED: "Rejected",
    Show.LAPSED: "Set aside",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One release of the list."""

    promotion: Promotion
    signers: str


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
    situation = Situation(row, request.user, clock.now(), sight.policy_of(request))
    holds = policy.standing_holds(situation.at)
    known = waiting.Known(situation.rules, policy.Read(holds, is_whole=True))
    attempts = promotions.attempts_of(row)
    chosen = _attempt(attempts, request.GET.get("attempt", ""))
    context = {
        "section": "releases",
        "promotion": row,
        "verdict": verdicts.of(
            row,
            situation.standing,
            now=situation.at,
            closed=waiting.closed_of(row, at=situation.at, known=known),
            replaced_by=promotions.replacement_of(row),
        ),
        "attempts": attempts,
        "attempt": chosen,
        "steps": ledger.steps_of(row, chosen),
        "lease": promotions.lease_of(chosen) if chosen else None,
        "line": _line(row),
        "runbook": _runbook(row),
        "pull_request_link": links.web(str(row.pull_request.get("url", ""))),
        "now": situation.at,
        **held.context(
            held.about(row.application, holds, alias=row.tracked_image.alias),
            row.application,
            may_hold=situation.may(Action.HOLD),
            min_reason=situation.effective.min_reason_reject,
        ),
        **actions.context(situation),
    }
    return pages.show(request, "releases/execution", context)


def _line(row: Promotion) -> str:
    """Return where an approved one stands among those that write to the same place."""
    if row.status != Status.APPROVED or row.approved_at is None:
        return ""
    ahead = list(recovery.ahead_of(row)[:MAX_IN_LINE])
    if not ahead:
        return "First in line for its target."
    last = ahead[-1]
    place = f"{len(ahead) + 1}." if len(ahead) < MAX_IN_LINE else f"Later than {MAX_IN_LINE}."
    return f"{place} in line, behind {last.application.name} / {last.tracked_image.alias} {last.to_tag}"


def _runbook(row: Promotion) -> str:
    if row.status not in (Status.ERRORED, Status.UNKNOWN) and not row.error_code:
        return ""
    if row.error_code == recovery.WAITS_BY_RULE or row.status in Status.over():
        return ""
    return runbooks.for_error(row.error_code, is_unknown=row.status == Status.UNKNOWN)


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
