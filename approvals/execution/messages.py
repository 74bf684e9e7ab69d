"""The commit message of approved promotions: the compatible message first, our trailers last.

Everything in it is fixed by the approval, so any worker builds the same commit.
"""

from collections.abc import Sequence

from approvals import policy, sealing
from approvals.models import Decision, Promotion
from updater import writeback
from updater.audit import AuditKind
from updater.models import AuditEvent

PROMOTION_ID, PROMOTION_MAC = sealing.PROMOTION_ID, sealing.PROMOTION_MAC


def with_trailers(message: str, promotions: Sequence[Promotion]) -> str:
    """Append the trailers of these promotions, which go out in one commit."""
    pairs = [pair for promotion in promotions for pair in _trailers(promotion)]
    return writeback.trailers(message, pairs)


def _trailers(promotion: Promotion) -> list[tuple[str, str]]:
    approvers = [_approver(decision) for decision in policy.standing_approvals(promotion)]
    head = (
        AuditEvent.objects.filter(promotion=str(promotion.pk), kind=AuditKind.PROMOTION_APPROVED)
        .order_by("-sequence")
        .first()
    )
    return [
        (PROMOTION_ID, str(promotion.pk)),
        *(("Approved-by", approver) for approver in approvers),
        (sealing.IMAGE_DIGEST, f"{promotion.subject['image_repository']}@{promotion.to_digest}"),
        ("Seal", promotion.seal),
        *([(sealing.AUDIT_HEAD, f"{head.sequence}:{head.hash}")] if head else []),
        (PROMOTION_MAC, authentication(promotion)),
    ]


def _approver(decision: Decision) -> str:
    if decision.is_automatic:
        return f"the policy alone: {decision.rule}"
    full, name = decision.identity.get("full_name") or "", decision.identity.get("username") or ""
    return f"{full} ({name})" if full else name


def authentication(promotion: Promotion) -> str:
    """Return what only we can write into a commit for this promotion as it is sealed."""
    return sealing.authentication_of(str(promotion.pk), promotion.subject, promotion.seal)
