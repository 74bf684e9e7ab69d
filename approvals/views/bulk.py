"""Several decisions at once: one page that names each, then one domain call and one result for each."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from approvals import decisions, policy
from approvals.forms import BulkDecisionForm, Chosen, SelectionForm
from approvals.models import Promotion
from approvals.permissions import Action, guarded
from approvals.queries import pending
from approvals.views import sight
from approvals.views.decide import outcome_of
from approvals.views.pending import Row, grouped, rows_of
from approvals.views.requests import PersonRequest
from updater import clock
from updater.errors import PermanentError
from updater.models import Refusal


@dataclass(frozen=True, slots=True)
class Result:
    """What one decision of several came to."""

    promotion: Promotion | None
    tone: str
    sentence: str


@require_POST
@guarded(Action.DECIDE)
def review(request: PersonRequest) -> HttpResponse:
    """Name every selected promotion before anything is decided."""
    form = SelectionForm(request.POST)
    if not form.is_valid():
        return _unreadable(request, form)
    verb = form.cleaned_data["verb"]
    chosen = pending.selected(form.cleaned_data["promotion"], visible=sight.visible_to(request))
    rows = rows_of(chosen, request, at=clock.now())
    possible = [row for row in rows if _is_possible(row, verb)]
    context = {
        "section": "pending",
        "verb": verb,
        "groups": grouped(possible),
        "count": len(possible),
        "left_out": [row for row in rows if not _is_possible(row, verb)],
        "min_reason": policy.MIN_REASON_LENGTH,
    }
    return render(request, "pending/review.html", context)


@require_POST
@guarded(Action.DECIDE)
def decide(request: PersonRequest) -> HttpResponse:
    """Decide each, one after the other; a refused one stops no other."""
    form = BulkDecisionForm(request.POST)
    if not form.is_valid():
        return _unreadable(request, form)
    results = [_decide(request, chosen, form) for chosen in form.cleaned_data["chosen"]]
    refused = sum(result.tone == "bad" for result in results)
    context = {
        "section": "pending",
        "verb": form.cleaned_data["verb"],
        "results": results,
        "refused": refused,
        "done": len(results) - refused,
    }
    return render(request, "pending/results.html", context, status=409 if refused else 200)


def _decide(request: PersonRequest, chosen: Chosen, form: BulkDecisionForm) -> Result:
    rows = sight.visible_to(request).limit(Promotion.objects.with_target())
    shown = rows.filter(pk=chosen.promotion_id).first()
    if shown is None:
        return Result(None, "bad", "There is no such promotion.")
    try:
        promotion = _verb(request, chosen, form)
    except PermanentError as error:
        return Result(shown, "bad", str(error))
    return Result(promotion, *outcome_of(promotion))


def _verb(request: PersonRequest, chosen: Chosen, form: BulkDecisionForm) -> Promotion:
    reason = form.cleaned_data["reason"]
    if form.cleaned_data["verb"] == "approve":
        return decisions.approve(
            promotion_id=chosen.promotion_id,
            seal=chosen.seal,
            reason=reason,
            person=request.user,
            by=request.actor,
        )
    return decisions.reject(
        promotion_id=chosen.promotion_id,
        seal=chosen.seal,
        reason=reason,
        scope=form.cleaned_data["scope"] or Refusal.Scope.DIGEST,
        person=request.user,
        by=request.actor,
    )


def _is_possible(row: Row, verb: str) -> bool:
    return row.standing.can_approve if verb == "approve" else row.standing.can_reject


def _unreadable(request: PersonRequest, form: SelectionForm | BulkDecisionForm) -> HttpResponse:
    problems = [error for errors in form.errors.values() for error in errors]
    context = {"section": "pending", "problems": problems}
    return render(request, "pending/unreadable.html", context, status=400)
