"""Open reviews: what is owed for emergencies, by when, and what was found of those before."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from approvals import decisions
from approvals.decisions import ReviewNotFoundError
from approvals.forms import ReviewForm
from approvals.models import Review
from approvals.permissions import Action, guarded
from approvals.queries import reviews
from approvals.views import pages, sight
from approvals.views.requests import PersonRequest
from updater import clock
from updater.errors import PermanentError

_UNREADABLE = "Choose a verdict, and write notes of at most 2000 characters."


@dataclass(frozen=True, slots=True)
class Row:
    """One review that is owed, as the page shows it to this person."""

    review: Review
    is_overdue: bool
    can_give: bool
    min_notes: int
    is_sent: bool  # whether what was just refused was about this one


@require_safe
@guarded(Action.VIEW)
def review_list(request: PersonRequest) -> HttpResponse:
    """Show owed reviews, overdue ones first, and those that were given."""
    return _page(request)


@require_POST
@guarded(Action.REVIEW)
def review(request: PersonRequest, review_id: int) -> HttpResponse:
    """Give one review."""
    if not reviews.within(sight.visible_to(request)).filter(pk=review_id).exists():
        raise Http404("There is no such review.")
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _page(request, refusal=_UNREADABLE, sent_for=review_id, status=400)
    try:
        given = decisions.review(
            review_id=review_id,
            verdict=Review.Verdict(form.cleaned_data["verdict"]),
            notes=form.cleaned_data["notes"],
            person=request.user,
            by=request.actor,
        )
    except ReviewNotFoundError as error:
        raise Http404(str(error)) from error
    except PermanentError as error:
        return _page(request, refusal=str(error), sent_for=review_id, status=409)
    messages.success(request, f"Your review is kept: {given.verdict}.", extra_tags="ok")
    return HttpResponseRedirect(reverse("approvals:review-list"))


def _page(
    request: PersonRequest,
    *,
    refusal: str = "",
    sent_for: int = 0,
    status: int = 200,
) -> HttpResponse:
    shown, at = reviews.shown(sight.visible_to(request)), clock.now()
    givable = reviews.givable(sight.scope_of(request, Action.REVIEW), request.user.pk)
    mine = set(givable.values_list("pk", flat=True)[: reviews.MAX_OWED])
    needed = decisions.min_notes(review.promotion.application for review in shown.owed)
    rows = [
        Row(
            review=review,
            is_overdue=review.due_at <= at,
            can_give=review.pk in mine,
            min_notes=needed[review.promotion.application_id],
            is_sent=review.pk == sent_for,
        )
        for review in shown.owed
    ]
    context = {
        "section": "reviews",
        "owed": rows,
        "given": shown.given,
        "refusal": refusal,
        "sent": {name: request.POST.get(name, "") for name in ("verdict", "notes")},
        "now": at,
    }
    return pages.show(request, "reviews/list", context, status=status)
