"""What all verbs on a promotion share: the locked row, the right, the seal, the reason, the refusal in the trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from approvals import lifecycle, permissions, policy, resealing
from approvals.decisions.errors import (
    PromotionNotFoundError,
    ReasonMissingError,
    SealChangedError,
)
from approvals.decisions.verbs import Situation, Verb
from approvals.models import Decision, Promotion
from updater import audit, clock
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError


@contextmanager
def deciding(
    promotion_id: UUID, verb: Verb, person: User, by: Actor, *, seal: str | None = None
) -> Iterator[tuple[Promotion, datetime]]:
    """Lock the promotion over the block, if the verb is possible and what was seen is what stands.

    A refusal, of here or of the block, is recorded after the rollback, then raised.
    """
    try:
        with transaction.atomic():
            promotion = _locked(promotion_id)
            situation = Situation(promotion, person, clock.now())
            if seal is not None and situation.may(verb.action):
                require_seal(promotion, seal)
            verb.require(situation)
            yield promotion, situation.at
    except PermanentError as error:
        _record_refusal(promotion_id, verb.name, error, by=by)
        raise


def _locked(promotion_id: UUID) -> Promotion:
    rows = Promotion.objects.select_for_update(of=("self",)).with_target()
    promotion = rows.filter(pk=promotion_id).first()
    if promotion is None:
        raise PromotionNotFoundError("There is no such promotion.")
    return promotion


def require_seal(promotion: Promotion, seal: str) -> None:
    """Refuse a decision on anything but what stands now.

    Raises:
        SealChangedError: the promotion or its rows say something else than the seal that was sent.
    """
    # The rows may have moved since the sweep looked last: what is decided on must stand right now.
    if seal != promotion.seal or resealing.current_seal(promotion) != promotion.seal:
        raise SealChangedError(promotion, sent_seal=seal)


def require_reason(promotion: Promotion, reason: str, *, approving: bool = False) -> None:
    """Refuse a reason that is shorter than the policy asks for.

    Raises:
        ReasonMissingError: with how many characters are needed.
    """
    needed = policy.min_reason_length(promotion, approving=approving)
    if len(reason.strip()) < needed:
        raise ReasonMissingError(f"Give a reason of at least {needed} characters.")


def decide(
    promotion: Promotion, verb: str, reason: str, *, person: User, by: Actor, at: datetime
) -> None:
    """Write the person's decision on this revision, in place of an earlier one of theirs."""
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
