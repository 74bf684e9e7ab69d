"""What all verbs on a promotion share: the locked row, the right, the seal, the reason, the refusal in the trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
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
) -> Iterator[Situation]:
    """Lock the promotion over the block, if the verb is possible and what was seen is what stands.

    All that it depends on is read after the lock: rows, policy, the person's account. A refusal, of here or of the
    block, is recorded after the rollback, then raised; rows that say something else than the seal are sealed anew.
    """
    try:
        with transaction.atomic():
            situation = _situation(promotion_id, person)
            if seal is not None and situation.may(verb.action):
                require_seal(situation, seal)
            verb.require(situation)
            yield situation
    except SealChangedError as error:
        resealing.refresh(promotion_id, by=by)
        error = _as_it_stands(error)
        _record_refusal(promotion_id, verb.name, error, by=by)
        raise error from None
    except PermanentError as error:
        _record_refusal(promotion_id, verb.name, error, by=by)
        raise


def _situation(promotion_id: UUID, person: User) -> Situation:
    promotion = resealing.locked(promotion_id)
    if promotion is None:
        raise PromotionNotFoundError("There is no such promotion.")
    account = User.objects.prefetch_related("groups").filter(pk=person.pk).first()
    return Situation(promotion, account or AnonymousUser(), clock.now())


def _as_it_stands(error: SealChangedError) -> SealChangedError:
    promotion = Promotion.objects.with_target().get(pk=error.promotion.pk)
    return SealChangedError(promotion, sent_seal=error.sent_seal)


def require_seal(situation: Situation, seal: str) -> None:
    """Refuse a decision on anything but what stands now.

    Raises:
        SealChangedError: the promotion or its rows say something else than the seal that was sent.
    """
    promotion = situation.promotion
    # The rows may have moved since the sweep looked last: what is decided on must stand right now.
    if (
        seal != promotion.seal
        or resealing.current_seal(promotion, rules=situation.rules) != promotion.seal
    ):
        raise SealChangedError(promotion, sent_seal=seal)


def require_reason(situation: Situation, reason: str, *, approving: bool = False) -> None:
    """Refuse a reason that is shorter than the policy asks for.

    Raises:
        ReasonMissingError: with how many characters are needed.
    """
    needed = policy.min_reason_length(
        situation.promotion, approving=approving, effective=situation.effective
    )
    if len(reason.strip()) < needed:
        raise ReasonMissingError(f"Give a reason of at least {needed} characters.")


def decide(situation: Situation, verb: str, reason: str, *, by: Actor) -> None:
    """Write the person's decision on this revision, in place of an earlier one of theirs."""
    promotion, person, at = situation.promotion, situation.account, situation.at
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
        identity=_identity(situation, by),
        rule=policy.rule_in_words(promotion, effective=situation.effective),
        at=at,
    )


def _identity(situation: Situation, by: Actor) -> dict[str, object]:
    person, bound = situation.account, situation.rules.policy.bindings
    return {
        "username": person.get_username(),
        "full_name": person.get_full_name(),
        "roles": sorted(permissions.roles_of(person, bound=bound)),
        "groups": sorted(group.name for group in person.groups.all()),
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
