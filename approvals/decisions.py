"""Stage 5: people decide. One function a verb; pages, API and commands call these and nothing else.

Each verb, in one transaction: lock the row, check right, expiry, seal and policy by the database's time,
write the decision, move the promotion, record it. Redis is rung after the commit and may be down.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from approvals import doorbell, lifecycle, permissions, policy, resealing
from approvals.lifecycle import Move
from approvals.models import Decision, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action
from updater import audit, clock
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError
from updater.models import Refusal


class PromotionNotFoundError(PermanentError):
    """There is no such promotion."""

    code = "not_found"


class SealChangedError(PermanentError):
    """The decision was for another subject than the one that stands now."""

    code = "seal_changed"

    def __init__(self, promotion: Promotion, *, sent_seal: str) -> None:
        super().__init__(
            f"What you saw (seal {sent_seal[:10]}) is not what stands now (seal {promotion.short_seal}). "
            "Nothing was decided; compare both and decide again."
        )
        self.promotion = promotion
        self.sent_seal = sent_seal


class ReasonMissingError(PermanentError):
    """A rejection needs a reason that helps the next reader."""

    code = "reason_missing"


class AlreadyDecidedError(PermanentError):
    """Nothing is left to decide, or this person has decided."""

    code = "already_decided"


class OwnChangeError(PermanentError):
    """Nobody approves what they asked for themselves."""

    code = "own_change"


def approve(*, promotion_id: UUID, seal: str, reason: str, person: User, by: Actor) -> Promotion:
    """Approve exactly what the seal stands for; complete the promotion if the policy is satisfied.

    Raises:
        NotAllowedError, SealChangedError, OwnChangeError, AlreadyDecidedError, TransitionRefusedError.
    """
    resealing.refresh(promotion_id, by=by)
    with _deciding(promotion_id, "approve", person, by) as (promotion, at):
        _require_seal(promotion, seal)
        _require_open(promotion, person, at=at)
        _require_reason(promotion, reason, approving=True)
        _decide(promotion, Decision.Verb.APPROVE, reason, person=person, by=by, at=at)
        if policy.is_satisfied(promotion):
            _complete(promotion, by=by, at=at)
    return promotion


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
    resealing.refresh(promotion_id, by=by)
    with _deciding(promotion_id, "reject", person, by) as (promotion, at):
        _require_seal(promotion, seal)
        _require_reason(promotion, reason)
        expected = _undecided(promotion, at=at)
        _decide(promotion, Decision.Verb.REJECT, reason, person=person, by=by, at=at)
        _refuse_digest(promotion, reason, scope=scope, by=by, at=at)
        move = Move(
            expected, Status.REJECTED, AuditKind.PROMOTION_REJECTED, reason, {"scope": scope}
        )
        lifecycle.advance(promotion, move, by=by, at=at)
    return promotion


def retry(*, promotion_id: UUID, person: User, by: Actor) -> Promotion:
    """Make an errored promotion due again at once; the worker looks before it writes."""
    with _deciding(promotion_id, "retry", person, by, action=Action.EXECUTE) as (promotion, at):
        if promotion.status != Status.ERRORED:
            raise AlreadyDecidedError(
                f"Only an errored promotion can be retried; this one is "
                f"{promotion.get_status_display().lower()}."
            )
        Promotion.objects.filter(pk=promotion.pk).update(next_attempt_at=at)
        audit.record(
            kind=AuditKind.PROMOTION_RETRIED, by=by, subject=lifecycle.subject_of(promotion)
        )
        transaction.on_commit(doorbell.ring_execution)
    promotion.refresh_from_db()
    return promotion


def withdraw(*, promotion_id: UUID, reason: str, person: User, by: Actor) -> Promotion:
    """Take an open or errored promotion off the table; the digest may be offered again."""
    with _deciding(promotion_id, "withdraw", person, by, action=Action.EXECUTE) as (promotion, at):
        _require_reason(promotion, reason)
        move = Move(
            Status(promotion.status), Status.WITHDRAWN, AuditKind.PROMOTION_WITHDRAWN, reason
        )
        lifecycle.advance(promotion, move, by=by, at=at)
    return promotion


@contextmanager
def _deciding(
    promotion_id: UUID, verb: str, person: User, by: Actor, *, action: Action = Action.DECIDE
) -> Iterator[tuple[Promotion, datetime]]:
    """Lock the promotion over the block; a refusal is recorded after the rollback, then raised."""
    try:
        with transaction.atomic():
            promotion = _locked(promotion_id)
            permissions.require(person, action, promotion.application)
            yield promotion, clock.now()
    except PermanentError as error:
        _record_refusal(promotion_id, verb, error, by=by)
        raise


def _locked(promotion_id: UUID) -> Promotion:
    rows = Promotion.objects.select_for_update(of=("self",)).with_target()
    promotion = rows.filter(pk=promotion_id).first()
    if promotion is None:
        raise PromotionNotFoundError("There is no such promotion.")
    return promotion


def _require_seal(promotion: Promotion, seal: str) -> None:
    # The rows may have moved since the sweep looked last: what is decided on must stand right now.
    if seal != promotion.seal or resealing.current_seal(promotion) != promotion.seal:
        raise SealChangedError(promotion, sent_seal=seal)


def _require_open(promotion: Promotion, person: User, *, at: datetime) -> None:
    if promotion.requested_by == person.get_username():
        raise OwnChangeError("You asked for this promotion; somebody else must approve it.")
    if any(decision.by_id == person.pk for decision in policy.standing_approvals(promotion)):
        raise AlreadyDecidedError("You approved this promotion already.")
    if _undecided(promotion, at=at) != Status.PENDING:
        raise AlreadyDecidedError("It is approved already.")
    standing = policy.explain(promotion, person, at=at)
    if not standing.can_approve:
        raise AlreadyDecidedError(" ".join(standing.reasons))


def _undecided(promotion: Promotion, *, at: datetime) -> Status:
    """Return the status a decision starts from; expiry counts by database time, swept or not."""
    status = Status(promotion.status)
    if status not in Status.undecided_or_waiting():
        raise AlreadyDecidedError(
            f"This promotion is {promotion.get_status_display().lower()}: "
            f"{promotion.status_reason or 'nothing is left to decide'}."
        )
    if at >= promotion.expires_at:
        raise AlreadyDecidedError(
            f"This promotion expired at {promotion.expires_at:%Y-%m-%d %H:%M} UTC."
        )
    return status


def _require_reason(promotion: Promotion, reason: str, *, approving: bool = False) -> None:
    needed = policy.min_reason_length(promotion, approving=approving)
    if len(reason.strip()) < needed:
        raise ReasonMissingError(f"Give a reason of at least {needed} characters.")


def _decide(
    promotion: Promotion, verb: str, reason: str, *, person: User, by: Actor, at: datetime
) -> None:
    Decision.objects.filter(
        promotion=promotion, revision=promotion.revision, by=person, voided_at=None
    ).update(voided_at=at, void_reason="replaced by a later decision")
    Decision.objects.create(
        promotion=promotion,
        revision=promotion.revision,
        seal=promotion.seal,
        verb=verb,
        reason=reason.strip(),
        by=person,
        identity=_identity(person, by),
        rule=policy.rule_in_words(promotion),
        at=at,
    )


def _identity(person: User, by: Actor) -> dict[str, object]:
    return {
        "username": person.get_username(),
        "full_name": person.get_full_name(),
        "roles": sorted(permissions.roles_of(person)),
        "groups": sorted(person.groups.values_list("name", flat=True)),
        "via": by.via,
        "address": by.address,
        "request_id": by.request_id,
    }


def _complete(promotion: Promotion, *, by: Actor, at: datetime) -> None:
    _supersede_older_approval(promotion, by=by, at=at)
    move = Move(Status.PENDING, Status.APPROVED, AuditKind.PROMOTION_APPROVED)
    lifecycle.advance(
        promotion,
        move,
        by=by,
        at=at,
        approved_at=at,
        next_attempt_at=at,
        expires_at=at + policy.approved_expiry(promotion.application),
    )
    transaction.on_commit(doorbell.ring_execution)


def _supersede_older_approval(promotion: Promotion, *, by: Actor, at: datetime) -> None:
    # An approved one stays until a newer one is approved (design.md 8.4).
    older = Promotion.objects.select_for_update().filter(
        tracked_image=promotion.tracked_image, status=Status.APPROVED
    )
    for superseded in older:
        reason = f"{promotion.to_tag} was approved before this one was written."
        move = Move(Status.APPROVED, Status.SUPERSEDED, AuditKind.PROMOTION_SUPERSEDED, reason)
        lifecycle.advance(superseded, move, by=by, at=at, superseded_by=promotion)


def _refuse_digest(
    promotion: Promotion, reason: str, *, scope: str, by: Actor, at: datetime
) -> None:
    Refusal.objects.get_or_create(
        tracked_image=promotion.tracked_image,
        digest=promotion.to_digest,
        lifted_at=None,
        defaults={
            "tag": promotion.to_tag,
            "scope": Refusal.Scope(scope),
            "reason": reason.strip(),
            "by": by.name,
            "at": at,
        },
    )


def _record_refusal(promotion_id: UUID, verb: str, error: PermanentError, *, by: Actor) -> None:
    promotion = Promotion.objects.with_target().filter(pk=promotion_id).first()
    subject = lifecycle.subject_of(promotion) if promotion else audit.Subject()
    with transaction.atomic():
        audit.record(
            kind=AuditKind.DECISION_REFUSED,
            by=by,
            subject=subject,
            details={"verb": verb, "code": error.code, "reason": str(error)},
        )
