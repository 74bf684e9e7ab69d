"""Why a pull request that waits is not wanted any more, from our own rows alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from approvals import resealing
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status

WAITING = (Status.EXECUTING, Status.ERRORED)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a sentence, and what takes its place."""

    text: str
    superseded_by: Promotion | None = None


def unwanted(promotions: Sequence[Promotion]) -> dict[UUID, Reason]:
    """Return the promotions that are not to be merged, each with its reason."""
    reasons = ((promotion.pk, _reason(promotion)) for promotion in promotions)
    return {key: reason for key, reason in reasons if reason is not None}


def _reason(promotion: Promotion) -> Reason | None:
    if promotion.status in Status.undecided_or_waiting():
        return Reason("It is decided anew.")
    if promotion.status not in WAITING:
        why = promotion.status_reason or "no reason was given"
        return Reason(f"It {promotion.is_what}: {why}")
    newer = Promotion.objects.filter(
        tracked_image=promotion.tracked_image, status=Status.APPROVED
    ).first()
    if newer is not None:
        return Reason(f"{newer.to_tag} was approved after it.", newer)
    if resealing.current_candidate(promotion).digest != promotion.to_digest:
        return Reason(f"{promotion.to_tag} was pushed again after it was approved.")
    if text := _stopped_or_gone(promotion):
        return Reason(text)
    return None


def _stopped_or_gone(promotion: Promotion) -> str:
    if promotion.is_stopping:
        return f"{promotion.abort_requested_by} stopped it: {promotion.abort_reason}"
    return promotion.why_gone
