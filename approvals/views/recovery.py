"""The page for when something is stuck: every such promotion with its steps, and only actions that look first."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals import decisions, policy
from approvals.forms import FindingForm
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action, NotAllowedError, guarded
from approvals.presenters import runbooks, sentences
from approvals.presenters.sentences import Told
from approvals.presenters.texts import visible
from approvals.queries import recovery as stuck
from approvals.queries.recovery import Case
from approvals.views import ledger, pages, sight
from approvals.views.ledger import Step
from approvals.views.promotions import found
from approvals.views.requests import PersonRequest
from updater import clock
from updater.errors import PermanentError
from updater.models import AuditEvent, Breaker


@dataclass(frozen=True, slots=True)
class Shown:
    """One case as the page shows it."""

    case: Case
    steps: list[Step]
    runbook: str
    can_retry: bool
    can_look: bool
    can_find: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm of the trail as a sentence."""

    event: AuditEvent
    told: Told
    runbook: str


@dataclass(frozen=True, slots=True)
class Silent:
    """One host that does not answer."""

    breaker: Breaker
    runbook: str


@require_safe
@guarded(Action.VIEW)
def recovery(request: PersonRequest) -> HttpResponse:
    """Show everything that does not move on."""
    at = clock.now()
    may_act = sight.may(request, Action.EXECUTE)
    visible_here = sight.visible_to(request)
    cases = stuck.cases(visible_here, at=at)
    context = {
        "section": "recovery",
        "cases": [_shown(case, may_act=may_act) for case in cases],
        "breakers": [Silent(row, runbooks.for_breaker(row.kind)) for row in stuck.breakers()],
        "alarms": [
            Alarm(event, sentences.tell(event), runbooks.for_alarm(event.kind))
            for event in stuck.alarms(visible_here, at=at)
        ],
        "may_act": may_act,
        "now": at,
    }
    return pages.show(request, "recovery/recovery", context)


@require_safe
@guarded(Action.VIEW)
def runbook_list(request: PersonRequest) -> HttpResponse:
    """List the runbooks."""
    titles = [(name, (runbooks.read(name) or ())[0].text) for name in runbooks.names()]
    context = {"section": "recovery", "runbooks": titles}
    return render(request, "recovery/runbooks.html", context)


@require_safe
@guarded(Action.VIEW)
def runbook(request: PersonRequest, name: str) -> HttpResponse:
    """Show one runbook."""
    blocks = runbooks.read(name)
    if blocks is None:
        raise Http404("There is no such runbook.")
    return render(request, "recovery/runbook.html", {"section": "recovery", "blocks": blocks})


@require_POST
@guarded(Action.EXECUTE)
def look(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Let a worker look now."""
    row = found(request, promotion_id)
    try:
        decisions.look(promotion_id=promotion_id, person=request.user, by=request.actor)
    except NotAllowedError as error:
        return render(request, "403.html", {"sentence": str(error)}, status=403)
    except PermanentError as error:
        messages.error(request, visible(str(error)), extra_tags="wait")
    else:
        messages.success(request, f"A worker looks at {_name(row)} now.", extra_tags="sign")
    return HttpResponseRedirect(reverse("approvals:recovery"))


@require_http_methods(["GET", "POST"])
@guarded(Action.EXECUTE)
def finding(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Ask what was found out, or take a person's finding."""
    row = found(request, promotion_id)
    if request.method == "GET":
        return _finding_page(request, row)
    form = FindingForm(request.POST)
    if not form.is_valid():
        return _finding_page(request, row, "Choose what you found, and say how.", status=400)
    try:
        after = decisions.finding(
            promotion_id=promotion_id, **form.cleaned_data, person=request.user, by=request.actor
        )
    except NotAllowedError as error:
        return render(request, "403.html", {"sentence": str(error)}, status=403)
    except PermanentError as error:
        return _finding_page(request, found(request, promotion_id), str(error), status=409)
    messages.success(request, _after_finding(after), extra_tags="sign")
    return HttpResponseRedirect(reverse("approvals:recovery"))


def _shown(case: Case, *, may_act: bool) -> Shown:
    row = case.promotion
    return Shown(
        case=case,
        steps=ledger.steps_of(row, case.attempt),
        runbook=runbooks.for_error(
            row.error_code,
            is_unknown=row.status == Status.UNKNOWN,
            is_slow=row.status == Status.EXECUTING,
        ),
        can_retry=may_act and row.status == Status.ERRORED,
        can_look=may_act and row.status != Status.ERRORED and row.pushed_at is None,
        can_find=may_act and row.status == Status.UNKNOWN,
    )


def _finding_page(
    request: PersonRequest, row: Promotion, refusal: str = "", *, status: int = 200
) -> HttpResponse:
    context = {
        "section": "recovery",
        "promotion": row,
        "verdicts": [(each.value, each.label) for each in decisions.verdicts_for(row)],
        "findings": decisions.findings_of(row),
        "refusal": refusal,
        "sent": request.POST,
        "min_reason": policy.min_reason_length(row, approving=False),
    }
    return render(request, "recovery/finding.html", context, status=status)


def _after_finding(row: Promotion) -> str:
    if row.status == Status.UNKNOWN:
        return f"Recorded. {_name(row)} is settled when a second person finds the same."
    return f"Settled: {_name(row)} is {row.get_status_display().lower()} now."


def _name(row: Promotion) -> str:
    return visible(f"{row.application.name} / {row.tracked_image.alias}")
