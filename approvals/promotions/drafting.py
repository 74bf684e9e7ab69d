"""A new promotion, not saved yet: where it leads from and to, what people sign, and until when they can."""

from datetime import datetime
from typing import Any

from approvals import policy, sealing
from approvals.models import Promotion, Request
from approvals.policy import Rules
from updater.models import Candidate, ImageTag, TrackedImage


def unsaved(
    candidate: Candidate, plan: dict[str, Any], asked: Request | None, rules: Rules, *, at: datetime
) -> Promotion:
    """Return the promotion of moving to this candidate, sealed under these rules."""
    tracked_image, application = candidate.tracked_image, candidate.tracked_image.application
    effective = rules.effective[application.pk]
    promotion = Promotion(
        application=application,
        tracked_image=tracked_image,
        candidate=candidate,
        status_at=at,
        created_at=at,
        expires_at=at + policy.pending_expiry(application, effective=effective),
        from_tag=tracked_image.live_tag,
        from_digest=tracked_image.live_digest or _known_digest(tracked_image),
        to_tag=candidate.tag,
        to_digest=candidate.digest,
        plan=plan,
        **_as_asked(asked),
    )
    promotion.subject = sealing.subject(
        application=application,
        tracked_image=tracked_image,
        candidate=candidate,
        plan=plan,
        kind=promotion.kind,
        policy_version=effective.version(policy.mode_of(promotion)),
    )
    promotion.seal = sealing.seal(promotion.subject)
    return promotion


def _as_asked(asked: Request | None) -> dict[str, Any]:
    if asked is None:
        return {}
    return {
        "id": asked.pk,
        "kind": Promotion.Kind(asked.kind),
        "requested_by": asked.by.get_username(),
        "request_reason": asked.reason,
        "returns_to_id": asked.returns_to_id,
    }


def _known_digest(tracked_image: TrackedImage) -> str:
    """Return the digest behind the running tag as the registry last said, for people to compare."""
    tags = ImageTag.objects.filter(
        image_repository=tracked_image.image_repository_id, name=tracked_image.live_tag
    )
    return tags.values_list("digest", flat=True).first() or ""
