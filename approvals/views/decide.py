"""Decisions from a page: one domain call each, and its answer or refusal as a page."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from approvals import decisions, policy, resealing, sealing, waiting
from approvals.decisions import (
    OwnChangeError,
    PromotionNotFoundError,
    ReasonMissingError,
    SealChangedError,
)
from approvals.forms import DecisionForm, ReasonForm, RejectionForm
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action, NotAllowedError, guarded
from approvals.presenters import sentences
from approvals.presenters.texts import visible
from approvals.queries import promotions
from approvals.sealing import Difference
from approvals.views import sight
from approvals.views.promotions import found, page_context
from approvals.views.requests import PersonRequest
from updater import clock
from updater.errors import PermanentError

Verb = Callable[[], Promotion]
FormAgain = Callable[[ReasonMissingError], HttpResponse]
Outcome = Callable[[Promotion], tuple[str, str]]


@require_POST
@guarded(Action.DECIDE)
def approve(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Approve exactly what the page showed."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return unreadable(request, promotion_id, form)
    return decided(
        request,
        promotion_id,
        lambda: decisions.approve(
            promotion_id=promotion_id, **form.cleaned_data, person=request.user, by=request.actor
        ),
    )


@require_http_methods(["GET", "POST"])
@guarded(Action.DECIDE)
def reject(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Ask for the reason, or reject what the page showed."""
    if request.method == "GET":
        return render(
            request, "promotions/reject.html", page_context(request, found(request, promotion_id))
        )
    form = RejectionForm(request.POST)
    if not form.is_valid():
        return unreadable(request, promotion_id, form)
    return decided(
        request,
        promotion_id,
        lambda: decisions.reject(
            promotion_id=promotion_id, **form.cleaned_data, person=request.user, by=request.actor
        ),
        form_page="promotions/reject.html",
    )


@require_POST
@guarded(Action.EXECUTE)
def retry(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Try an errored promotion again at once."""
    return decided(
        request,
        promotion_id,
        lambda: decisions.retry(promotion_id=promotion_id, person=request.user, by=request.actor),
        then="approvals:execution",
    )


@require_http_methods(["GET", "POST"])
@guarded(Action.REQUEST)  # who asked for it may take it back; the verb looks who that was
def withdraw(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Ask for the reason, or take the promotion off the table."""
    return with_reason(request, promotion_id, decisions.withdraw, "promotions/withdraw.html")


def with_reason(
    request: PersonRequest,
    promotion_id: UUID,
    verb: Callable[..., Promotion],
    template: str,
    *,
    told: Outcome | None = None,
) -> HttpResponse:
    """Ask for the reason of a verb on its own page, or run the verb with the one that was sent."""
    if request.method == "GET":
        return render(request, template, page_context(request, found(request, promotion_id)))
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return unreadable(request, promotion_id, form)
    return decided(
        request,
        promotion_id,
        lambda: verb(
            promotion_id=promotion_id, **form.cleaned_data, person=request.user, by=request.actor
        ),
        form_page=template,
        told=told,
    )


def outcome_of(promotion: Promotion) -> tuple[str, str]:
    """Return the tone and the sentence for what a decision came to."""
    name = visible(f"{promotion.application.name} / {promotion.tracked_image.alias}")
    tag = visible(promotion.to_tag)
    if promotion.status == Status.PENDING:
        missing = policy.missing_approvals(promotion)
        return "sign", f"Your approval of {tag} for {name} counts; {missing} more needed."
    closed = waiting.closed_of(promotion, at=clock.now())
    waits = f"It waits: {visible(closed.text)}" if closed else ""
    again = f"Another attempt to write {tag} for {name}"
    return {
        Status.APPROVED: (
            "sign",
            f"Approved: {name} goes to {tag}. {waits or 'A worker writes it now.'}",
        ),
        Status.REJECTED: ("ok", f"Rejected: {tag} is not offered again for {name}."),
        Status.WITHDRAWN: ("ok", f"Withdrawn: {tag} for {name}. Nothing is written."),
        Status.ERRORED: ("sign", f"{again} is due. {waits}" if waits else f"{again} starts now."),
    }.get(Status(promotion.status), ("ok", f"{name}: {promotion.get_status_display().lower()}."))


def decided(
    request: PersonRequest,
    promotion_id: UUID,
    verb: Verb,
    *,
    then: str = "approvals:promotion",
    form_page: str | FormAgain = "promotions/promotion.html",
    told: Outcome | None = None,
) -> HttpResponse:
    """Run the verb and answer: its outcome on the promotion's page, or the refusal on the page it came from."""
    found(request, promotion_id)  # of another team's it is not even said that it exists
    try:
        promotion = verb()
    except PromotionNotFoundError as error:
        raise Http404(str(error)) from error
    except SealChangedError as error:
        return _conflict(request, error)
    except (NotAllowedError, OwnChangeError) as error:
        return render(request, "403.html", {"sentence": str(error)}, status=403)
    except ReasonMissingError as error:
        if callable(form_page):
            return form_page(error)
        return _again(request, promotion_id, form_page, error)
    except PermanentError as error:
        return _again(request, promotion_id, "promotions/promotion.html", error)
    tone, sentence = (told or outcome_of)(promotion)
    messages.success(request, sentence, extra_tags=tone)
    return HttpResponseRedirect(reverse(then, args=[promotion_id]))


def _again(
    request: PersonRequest, promotion_id: UUID, template: str, error: PermanentError
) -> HttpResponse:
    """Show the page as it stands now, with the refusal on top of it."""
    sight.look_anew(request)
    context = page_context(request, found(request, promotion_id))
    sent = {name: request.POST.get(name, "") for name in ("reason", "scope")}
    return render(request, template, {**context, "refusal": str(error), "sent": sent}, status=409)


def unreadable(request: PersonRequest, promotion_id: UUID, form: Form) -> HttpResponse:
    """Say which field cannot be read."""
    found(request, promotion_id)
    problems = [f"{name}: {error}" for name, errors in form.errors.items() for error in errors]
    context = {"promotion_id": promotion_id, "problems": problems}
    return render(request, "promotions/unreadable.html", context, status=400)


def _conflict(request: PersonRequest, error: SealChangedError) -> HttpResponse:
    """Show what the person saw beside what stands now."""
    sight.look_anew(request)
    row = found(request, error.promotion.pk)
    context = {
        **page_context(request, row),
        "sent_seal": error.sent_seal,
        "refusal": str(error),
        "differences": _differences(row, error.sent_seal),
    }
    return render(request, "promotions/conflict.html", context, status=409)


def _differences(row: Promotion, sent_seal: str) -> list[Difference]:
    if sent_seal == row.seal:
        # The rows moved and the sweep has not sealed anew yet: compare with what they say now.
        return sealing.differences(row.subject, resealing.current_subject(row))
    changed: dict[str, Difference] = {}
    for event in promotions.resealings_since(row, sent_seal):
        for field, sealed, current in sentences.details_of(event).get("differences", []):
            first = changed.get(field)
            changed[field] = Difference(field, first.sealed if first else sealed, current)
    return list(changed.values())
