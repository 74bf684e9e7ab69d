"""Taking back one's own approval, and stopping what is approved, from a page."""

from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from approvals import decisions
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action, guarded
from approvals.presenters.texts import visible
from approvals.views.decide import decided, with_reason
from approvals.views.requests import PersonRequest


@require_POST
@guarded(Action.DECIDE)
def withdraw_approval(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Take back the person's own approval."""
    return decided(
        request,
        promotion_id,
        lambda: decisions.withdraw_approval(
            promotion_id=promotion_id, person=request.user, by=request.actor
        ),
        told=_taken_back,
    )


@require_http_methods(["GET", "POST"])
@guarded(Action.EXECUTE)
def abort(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Ask for the reason, or stop what is approved."""
    return with_reason(
        request, promotion_id, decisions.abort, "promotions/abort.html", told=_stopped
    )


def _taken_back(promotion: Promotion) -> tuple[str, str]:
    then = {
        Status.APPROVED: "Enough others approved it, so it stays approved.",
        Status.SUPERSEDED: "A newer one takes its place.",
    }.get(Status(promotion.status), "It waits for approvals again.")
    return "ok", f"Your approval of {visible(promotion.to_tag)} is taken back. {then}"


def _stopped(promotion: Promotion) -> tuple[str, str]:
    tag = visible(promotion.to_tag)
    if promotion.status == Status.WITHDRAWN:
        return "ok", f"Stopped: {tag} is withdrawn. Nothing is written."
    return "wait", f"Asked to stop {tag}. Its worker looks before it writes; the timeline tells."
