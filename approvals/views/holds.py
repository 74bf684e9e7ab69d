"""Holds: the list with the stop switch, the page on which one is set, the page on which it is released."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from approvals import decisions, permissions, policy
from approvals.decisions import HoldNotFoundError, Target
from approvals.forms import HoldForm, HoldListForm, ReasonForm
from approvals.models import Hold
from approvals.permissions import Action, NotAllowedError, guarded
from approvals.presenters.texts import visible
from approvals.queries import applications, holds, keyset
from approvals.views import held, pages, sight
from approvals.views.accounts import local
from approvals.views.requests import PersonRequest
from updater import clock
from updater.errors import PermanentError


@require_safe
@guarded(Action.VIEW)
def hold_list(request: PersonRequest) -> HttpResponse:
    """Show the standing holds, the past ones, and to who may use it the stop switch."""
    form, at, seen = HoldListForm(request.GET), clock.now(), sight.visible_to(request)
    form.is_valid()
    after = form.cleaned_data.get("after", "")
    try:
        past, problem = holds.past(seen, after, at=at), ""
    except keyset.CursorError as error:
        past, problem = holds.past(seen, at=at), str(error)
    standing = holds.standing(seen, at=at)
    may_stop = sight.may_everywhere(request, Action.HOLD)
    holdable = sight.scope_of(request, Action.HOLD)
    releasable = holds.within(standing, holdable, everything=may_stop)
    context = {
        "section": "holds",
        "standing": [(row, row.pk in releasable) for row in standing],
        "past": past.rows,
        "next_cursor": past.next_cursor,
        "is_first": not after,
        "problem": problem,
        "may_stop": may_stop,
        "now": at,
        **held.form_context(policy.min_reason_to_hold(None)),
    }
    return pages.show(request, "holds/list", context, status=400 if problem else 200)


@require_http_methods(["GET", "POST"])
@guarded(Action.HOLD)
def hold(request: PersonRequest) -> HttpResponse:
    """Say what a hold would stop and ask for the reason, or set it."""
    form = HoldForm(request.GET if request.method == "GET" else request.POST)
    form.is_valid()
    sent = form.cleaned_data
    wanted = _wanted(request, sent)
    if request.method == "GET":
        return _confirmation(request, wanted, sent)
    if form.errors:
        problem = "; ".join(
            f"{name}: {text}" for name, texts in form.errors.items() for text in texts
        )
        return _confirmation(request, wanted, sent, refusal=problem, status=400)
    target = Target(sent["scope"], sent["application"], sent["image"])
    values = {"reason": sent["reason"], "until": _until(sent)}
    try:
        made = decisions.hold(target=target, **values, person=request.user, by=request.actor)
    except HoldNotFoundError as error:
        raise Http404(str(error)) from error
    except NotAllowedError as error:
        return render(request, "403.html", {"sentence": str(error)}, status=403)
    except PermanentError as error:
        return _confirmation(request, wanted, sent, refusal=str(error), status=409)
    sentence = f"Held: {visible(made.target)}. What is approved waits; what runs finishes."
    messages.success(request, sentence, extra_tags="wait")
    return HttpResponseRedirect(local(request, sent["next"] or reverse("approvals:hold-list")))


@require_http_methods(["GET", "POST"])
@guarded(Action.HOLD)
def release(request: PersonRequest, hold_id: int) -> HttpResponse:
    """Ask why it may go on, or release it."""
    row = holds.find(hold_id, visible=sight.visible_to(request))
    if row is None:
        raise Http404("There is no such hold.")
    if request.method == "GET":
        return _release_page(request, row)
    form = ReasonForm(request.POST)
    form.is_valid()
    reason = form.cleaned_data.get("reason", "")
    try:
        decisions.release(hold_id=hold_id, reason=reason, person=request.user, by=request.actor)
    except NotAllowedError as error:
        return render(request, "403.html", {"sentence": str(error)}, status=403)
    except PermanentError as error:
        return _release_page(request, row, refusal=str(error), reason=reason, status=409)
    sentence = f"Released: {visible(row.target)}. What waited for it starts by itself."
    messages.success(request, sentence, extra_tags="ok")
    return HttpResponseRedirect(
        local(request, request.POST.get("next") or reverse("approvals:hold-list"))
    )


def _wanted(request: PersonRequest, sent: dict[str, Any]) -> Hold:
    """Return the hold that is asked for, not stored, to say what it would stop."""
    scope = sent.get("scope") or Hold.Scope.EVERYTHING
    if scope == Hold.Scope.EVERYTHING:
        return Hold(scope=scope)
    namespace, _, name = sent.get("application", "").partition("/")
    application = applications.find(namespace, name, visible=sight.visible_to(request))
    if application is None:
        raise Http404("There is no such Application.")
    if scope == Hold.Scope.APPLICATION:
        return Hold(scope=scope, application=application)
    image = application.tracked_images.filter(alias=sent.get("image", ""), removed_at=None).first()
    if image is None:
        raise Http404("The Application has no such image.")
    return Hold(scope=scope, tracked_image=image)


def _until(sent: dict[str, Any]) -> datetime | None:
    until: datetime | None = sent["until"]
    if until is None and sent["lasts"]:
        return clock.now() + timedelta(minutes=int(sent["lasts"]))
    return until


def _confirmation(
    request: PersonRequest,
    wanted: Hold,
    sent: dict[str, Any],
    *,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    application = wanted.held_application
    if application is None:
        may = sight.may_everywhere(request, Action.HOLD)
    else:
        may = sight.may(request, Action.HOLD, application)
    if not may:
        sentence = permissions.refusal(request.user, Action.HOLD, application)
        return render(request, "403.html", {"sentence": sentence}, status=403)
    context = {
        "section": "holds",
        "hold": wanted,
        "stops": holds.stops(wanted, visible=sight.visible_to(request)),
        "sent": {key: sent.get(key, "") for key in ("reason", "lasts", "next")},
        "sent_until": sent.get("until"),
        "refusal": refusal,
        **held.form_context(policy.min_reason_to_hold(application)),
    }
    return render(request, "holds/hold.html", context, status=status)


def _release_page(
    request: PersonRequest, row: Hold, *, refusal: str = "", reason: str = "", status: int = 200
) -> HttpResponse:
    at = clock.now()
    context = {
        "section": "holds",
        "hold": row,
        "is_standing": row.released_at is None and (row.until is None or row.until > at),
        "stops": holds.stops(row, visible=sight.visible_to(request)),
        "refusal": refusal,
        "sent": {"reason": reason, "next": request.GET.get("next", request.POST.get("next", ""))},
        "now": at,
        **held.form_context(policy.min_reason_to_hold(row.held_application)),
    }
    return render(request, "holds/release.html", context, status=status)
