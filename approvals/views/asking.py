"""What people ask for from a page: the way back, a tag of their choice, a refusal lifted, a request taken back."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from approvals import decisions, policy
from approvals.decisions import Situation
from approvals.forms import ReasonForm, TagRequestForm
from approvals.models import Request
from approvals.permissions import Action, NotAllowedError, guarded
from approvals.presenters.texts import visible
from approvals.queries import applications, asked
from approvals.views import sight
from approvals.views.promotions import found as found_promotion
from approvals.views.requests import PersonRequest
from updater import clock
from updater.errors import PermanentError
from updater.models import Application, TrackedImage


@require_http_methods(["GET", "POST"])
@guarded(Action.EXECUTE)
def roll_back(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Ask for the reason, or ask for the way back to this release."""
    row = found_promotion(request, promotion_id)
    situation = Situation(row, request.user, clock.now(), sight.policy_of(request))
    context = {"promotion": row, "offer": decisions.by_verb(situation)["roll_back"]}

    def act(reason: str) -> HttpResponse:
        wish = decisions.roll_back(
            promotion_id=promotion_id, reason=reason, person=request.user, by=request.actor
        )
        return _asked(request, wish, row.application)

    return _page(request, "promotions/roll_back.html", row.application, context, act)


@require_http_methods(["GET", "POST"])
@guarded(Action.DECIDE)
def lift(request: PersonRequest, refusal_id: int) -> HttpResponse:
    """Ask for the reason, or let a refused digest be offered again."""
    refusal = applications.find_refusal(refusal_id, visible=sight.visible_to(request))
    if refusal is None:
        raise Http404("There is no such refusal.")
    application = refusal.tracked_image.application

    def act(reason: str) -> HttpResponse:
        decisions.lift_refusal(
            refusal_id=refusal_id, reason=reason, person=request.user, by=request.actor
        )
        tag = visible(refusal.tag)
        return _done(request, f"Lifted: the next scan may offer {tag} again.", application)

    return _page(request, "applications/lift.html", application, {"lifting": refusal}, act)


@require_http_methods(["GET", "POST"])
@guarded(Action.REQUEST)
def ask(request: PersonRequest, namespace: str, name: str) -> HttpResponse:
    """Show the form for a tag of one's own choice, or ask for it."""
    application = applications.find(namespace, name, visible=sight.visible_to(request))
    if application is None:
        raise Http404("There is no such Application.")
    images = [row.image for row in applications.images_of(application)]
    context: dict[str, Any] = {"images": images}
    if request.method == "GET":
        context |= {"wanted_image": request.GET.get("image"), "wanted_tag": request.GET.get("tag")}
        return _form(request, "applications/ask.html", application, context)
    form = TagRequestForm(request.POST)
    context |= {"wanted_image": request.POST.get("image"), "wanted_tag": request.POST.get("tag")}
    image = _image(images, form.cleaned_data.get("image", "")) if form.is_valid() else None
    if image is None:
        refusal = "Name an image of this Application and a tag of at most 128 characters."
        return _form(request, "applications/ask.html", application, context, refusal, status=400)
    tag, chosen = form.cleaned_data["tag"], image

    def act(reason: str) -> HttpResponse:
        wish = decisions.request(
            tracked_image=chosen, tag=tag, reason=reason, person=request.user, by=request.actor
        )
        return _asked(request, wish, application)

    return _page(request, "applications/ask.html", application, context, act)


@require_POST
@guarded(Action.REQUEST)
def withdraw(request: PersonRequest, request_id: UUID) -> HttpResponse:
    """Take back what was asked for; only who did not ask for it owes a reason."""
    wish = asked.find(request_id, visible=sight.visible_to(request))
    if wish is None:
        raise Http404("There is no such request.")
    application = wish.tracked_image.application

    def act(reason: str) -> HttpResponse:
        decisions.withdraw_request(
            request_id=request_id, reason=reason, person=request.user, by=request.actor
        )
        tag = visible(wish.tag)
        return _done(request, f"Withdrawn: {tag} is not asked for any more.", application)

    return _page(request, "applications/withdraw_request.html", application, {"wish": wish}, act)


def _image(images: list[TrackedImage], alias: str) -> TrackedImage | None:
    return next((image for image in images if image.alias == alias), None)


def _page(
    request: PersonRequest,
    template: str,
    application: Application,
    context: Mapping[str, Any],
    act: Callable[[str], HttpResponse],
) -> HttpResponse:
    """Show the form of a verb, or call it; a refusal is shown on the form with what was sent."""
    if request.method == "GET":
        return _form(request, template, application, context)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        refusal = "The reason cannot be read, or is longer than 2,000 characters."
        return _form(request, template, application, context, refusal, status=400)
    try:
        return act(form.cleaned_data["reason"])
    except NotAllowedError as error:
        return render(request, "403.html", {"sentence": str(error)}, status=403)
    except PermanentError as error:
        return _form(request, template, application, context, str(error), status=409)


def _form(
    request: PersonRequest,
    template: str,
    application: Application,
    context: Mapping[str, Any],
    refusal: str = "",
    *,
    status: int = 200,
) -> HttpResponse:
    shown = {
        "section": "applications",
        "application": application,
        "min_reason": policy.effective_of(application).min_reason_reject,
        "sent": {"reason": request.POST.get("reason", "")},
        "refusal": refusal,
        "now": clock.now(),
    }
    return render(request, template, {**shown, **context}, status=status)


def _asked(request: PersonRequest, wish: Request, application: Application) -> HttpResponse:
    what = "to go back to" if wish.is_rollback else "for"
    tag = visible(wish.tag)
    sentence = f"Asked {what} {tag}. A worker prepares it; then somebody else decides."
    return _done(request, sentence, application)


def _done(request: PersonRequest, sentence: str, application: Application) -> HttpResponse:
    messages.success(request, sentence, extra_tags="sign")
    names = [application.namespace, application.name]
    return HttpResponseRedirect(reverse("approvals:application", args=names))
