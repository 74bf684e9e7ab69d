"""Approve, reject, take back: a person's word on exactly what a seal stands for."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User

from approvals import approving, lifecycle, policy, refusals, resealing
from approvals.decisions.deciding import decide, deciding, require_reason
from approvals.decisions.verbs import Situation, Verb
from approvals.lifecycle import Move
from approvals.models import Decision, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action
from approvals.policy import Reason
from approvals.refusals import Build
from updater import audit, transactions
from updater.audit import Actor, AuditKind
from updater.crashpoints import crashpoint
from updater.models import Refusal


def _against_approving(situation: Situation) -> tuple[Reason, ...]:
    return situation.standing.why


def _against_rejecting(situation: Situation) -> tuple[Reason, ...]:
    return situation.standing.why_not_reject


def _against_taking_back(situation: Situation) -> Iterator[Reason]:
    promotion = situation.promotion
    if situation.status not in Status.undecided_or_waiting():
        sentence = (
            f"It {promotion.is_what}: an approval can be taken back only until a worker starts."
        )
        yield Reason("started", sentence, fact=promotion.status_reason, fact_at=promotion.status_at)
    elif not any(
        decision.by_id == situation.person.pk for decision in policy.standing_approvals(promotion)
    ):
        yield Reason("nothing_to_take_back", "No approval of yours stands on this promotion.")


APPROVE = Verb("approve", Action.DECIDE, _against_approving)
REJECT = Verb("reject", Action.DECIDE, _against_rejecting)
TAKE_BACK = Verb("withdraw_approval", Action.DECIDE, _against_taking_back)


@transactions.repeated
def approve(*, promotion_id: UUID, seal: str, reason: str, person: User, by: Actor) -> Promotion:
    """Approve exactly what the seal stands for; complete the promotion if the policy is satisfied.

    Raises:
        NotAllowedError, SealChangedError, OwnChangeError, AlreadyDecidedError, TransitionRefusedError.
    """
    with deciding(promotion_id, APPROVE, person, by, seal=seal) as situation:
        promotion, at = situation.promotion, situation.at
        require_reason(situation, reason, approving=True)
        decide(situation, Decision.Verb.APPROVE, reason, by=by)
        if situation.is_satisfied_now:
            approving.complete(promotion, by=by, at=at, rules=situation.rules)
        else:
            tell_approval(promotion, reason, by=by)
        crashpoint("approve.in_transaction")
    crashpoint("approve.committed")
    return promotion


@transactions.repeated
def reject(
    *,
    promotion_id: UUID,
    seal: str,
    reason: str,
    person: User,
    by: Actor,
    scope: str = Refusal.Scope.DIGEST,
) -> Promotion:
    """Reject what the seal stands for; its digest is not offered again for this image (design.md 8.8).

    Raises:
        NotAllowedError, SealChangedError, ReasonMissingError, AlreadyDecidedError, TransitionRefusedError.
    """
    with deciding(promotion_id, REJECT, person, by, seal=seal) as situation:
        promotion, at = situation.promotion, situation.at
        require_reason(situation, reason)
        decide(situation, Decision.Verb.REJECT, reason, by=by)
        refuse_digest(promotion, reason, scope=scope, by=by, at=at)
        move = Move(
            Status(promotion.status),
            Status.REJECTED,
            AuditKind.PROMOTION_REJECTED,
            reason,
            {"scope": scope},
        )
        lifecycle.advance(promotion, move, by=by, at=at)
    return promotion


@transactions.repeated
def withdraw_approval(*, promotion_id: UUID, person: User, by: Actor) -> Promotion:
    """Take back the person's own approval while nothing has started; without enough others it is decided again.

    Raises:
        NotAllowedError, NothingToTakeBackError, AlreadyDecidedError.
    """
    with deciding(promotion_id, TAKE_BACK, person, by) as situation:
        promotion, at = situation.promotion, situation.at
        own = promotion.decisions.filter(by=person, revision=promotion.revision, voided_at=None)
        name = person.get_username()
        own.update(voided_at=at, void_reason=f"taken back by {name}")
        _tell(AuditKind.APPROVAL_WITHDRAWN, promotion, by=by)
        if promotion.status == Status.APPROVED and not policy.is_satisfied(
            promotion, rules=situation.rules
        ):
            reason = f"{name} took the approval back."
            resealing.put_back(promotion, AuditKind.APPROVAL_LAPSED, reason, by=by, at=at)
    return promotion


def tell_approval(promotion: Promotion, reason: str, *, by: Actor) -> None:
    """Record one signature of several; the last one is told by the move it makes."""
    _tell(AuditKind.APPROVAL_GIVEN, promotion, by=by, reason=reason.strip())


def _tell(kind: AuditKind, promotion: Promotion, *, by: Actor, **details: str) -> None:
    audit.record(
        kind=kind,
        by=by,
        subject=lifecycle.subject_of(promotion),
        details={"tag": promotion.to_tag, "seal": promotion.seal, **details},
    )


def refuse_digest(
    promotion: Promotion, reason: str, *, scope: str, by: Actor, at: datetime
) -> None:
    """Keep the digest from being offered again for this image until somebody lifts that."""
    build = Build(promotion.to_tag, promotion.to_digest)
    refusals.refuse(promotion.tracked_image, build, reason, scope=scope, by=by, at=at)
