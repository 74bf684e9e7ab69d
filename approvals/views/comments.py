"""Comments from the promotion's page."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from approvals import decisions
from approvals.forms import CommentForm
from approvals.permissions import Action, NotAllowedError, guarded
from approvals.views.promotions import found, page_context
from approvals.views.requests import PersonRequest
from updater.errors import PermanentError


@require_POST
@guarded(Action.COMMENT)
def comment(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Write a comment and show it in the timeline; what cannot be kept is shown again with the reason."""
    found(request, promotion_id)  # of another team's it is not even said that it exists
    form = CommentForm(request.POST)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    try:
        decisions.comment(
            promotion_id=promotion_id, text=text, person=request.user, by=request.actor
        )
    except NotAllowedError as error:
        return render(request, "403.html", {"sentence": str(error)}, status=403)
    except PermanentError as error:
        context = page_context(request, found(request, promotion_id))
        told = "; ".join(str(text) for texts in form.errors.values() for text in texts) or str(
            error
        )
        refused = {"refusal": told, "sent_comment": request.POST.get("text", "")}
        return render(request, "promotions/promotion.html", {**context, **refused}, status=409)
    messages.success(request, "Your comment stands in the timeline.", extra_tags="ok")
    return HttpResponseRedirect(reverse("approvals:promotion", args=[promotion_id]))
