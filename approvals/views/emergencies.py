"""Declaring an emergency: one page that says what it takes and what it costs, then one domain call."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from approvals import decisions
from approvals.decisions import ReasonMissingError, Situation
from approvals.forms import EmergencyForm
from approvals.models import Promotion
from approvals.permissions import Action, guarded
from approvals.policy.effective import WayOut
from approvals.presenters import times
from approvals.views import actions, sight
from approvals.views.decide import decided, unreadable
from approvals.views.promotions import found
from approvals.views.requests import PersonRequest
from updater import clock


@require_http_methods(["GET", "POST"])
@guarded(Action.DECLARE)
def declare(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Say what an emergency takes here, or declare it."""
    if request.method == "GET":
        return _form(request, promotion_id)
    form = EmergencyForm(request.POST)
    if not form.is_valid():
        return unreadable(request, promotion_id, form)

    def act() -> Promotion:
        return decisions.declare(
            promotion_id=promotion_id, **form.cleaned_data, person=request.user, by=request.actor
        )

    return decided(
        request,
        promotion_id,
        act,
        form_page=lambda error: _form(request, promotion_id, refusal=error),
    )


def _form(
    request: PersonRequest, promotion_id: UUID, *, refusal: ReasonMissingError | None = None
) -> HttpResponse:
    row = found(request, promotion_id)
    situation = Situation(row, request.user, clock.now(), sight.policy_of(request))
    context = {
        "section": "pending",
        "promotion": row,
        **actions.context(situation),
        **_rule(situation.effective.emergency),
        "reviewers": decisions.possible_reviewers(row, besides=request.user),
        "refusal": str(refusal or ""),
        "sent": {name: request.POST.get(name, "") for name in ("reason", "incident")},
    }
    return render(request, "promotions/emergency.html", context, status=409 if refusal else 200)


def _rule(way_out: WayOut | None) -> dict[str, Any]:
    if way_out is None:
        return {"way_out": None}
    return {
        "way_out": way_out,
        "passes": sorted(way_out.overrides),
        "review_within": times.long_span(timedelta(seconds=way_out.review_within_seconds)),
    }
