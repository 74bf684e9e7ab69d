"""Declare an emergency: fewer approvers and some gates passed, for words, an incident, and a review that is owed.

It is another promotion than the one people read before, so it is sealed anew under the emergency rule: earlier
decisions are void, and the declarer's approval is the first of the new revision.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User

from approvals import approving, lifecycle, resealing
from approvals.decisions import reviewing
from approvals.decisions.deciding import decide, deciding, require_reason
from approvals.decisions.errors import IncidentMissingError
from approvals.decisions.verbs import Situation, Verb
from approvals.decisions.voting import tell_approval
from approvals.models import Decision, Promotion, Review
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action
from approvals.policy import Reason
from updater import audit, transactions
from updater.audit import Actor, AuditKind

MAX_INCIDENT = 200  # characters


def _against_declaring(situation: Situation) -> Iterator[Reason]:
    promotion = situation.promotion
    if promotion.kind == Promotion.Kind.EMERGENCY:
        yield Reason("is_emergency", "It is an emergency already.")
    elif promotion.kind == Promotion.Kind.ROLLBACK:
        sentence = (
            "It is a rollback: the policy has a rule of its own for that, and it stands under it."
        )
        yield Reason("is_rollback", sentence, who="whoever changes the policy file")
    elif situation.status != Status.PENDING:
        sentence = f"It {promotion.is_what}; only a pending promotion can become an emergency."
        yield Reason("not_open", sentence, fact=promotion.status_reason)
    else:
        yield from _against_person(situation)


def _against_person(situation: Situation) -> Iterator[Reason]:
    person, standing = situation.person, situation.emergency
    if standing is None:
        sentence = f"The policy has no emergencies for {situation.promotion.application}."
        yield Reason("no_emergencies", sentence, who="whoever changes the policy file")
        return
    yield from standing.why
    if isinstance(person, User):
        yield from _debts(person, at=situation.at)


def _debts(person: User, *, at: datetime) -> Iterator[Reason]:
    overdue = Review.objects.overdue(at).filter(declared_by=person)
    for debt in overdue.select_related("promotion__application", "promotion__tracked_image")[:1]:
        about = f"{debt.promotion.tracked_image} to {debt.promotion.to_tag}"
        incident = f", incident {debt.incident}" if debt.incident else ""
        yield Reason(
            "review_overdue",
            f"The review of your emergency for {about}{incident} is overdue since "
            f"{debt.due_at:%Y-%m-%d %H:%M} UTC. Until somebody else gives it, you cannot declare another.",
            fact=debt.reason,
            fact_at=debt.declared_at,
            who=", ".join(reviewing.possible_reviewers(debt.promotion)) or "nobody yet",
        )


DECLARE = Verb("declare_emergency", Action.DECLARE, _against_declaring)


@transactions.repeated
def declare(
    *, promotion_id: UUID, seal: str, reason: str, incident: str, person: User, by: Actor
) -> Promotion:
    """Make a pending promotion an emergency, approved by who declares it as far as the emergency rule asks.

    Raises:
        NotAllowedError, SealChangedError, OwnChangeError, AlreadyDecidedError, ReasonMissingError,
        IncidentMissingError.
    """
    with deciding(promotion_id, DECLARE, person, by, seal=seal) as situation:
        promotion, at = situation.promotion, situation.at
        promotion.kind = Promotion.Kind.EMERGENCY
        require_reason(situation, reason, approving=True)
        owed = _owed(situation, reason.strip(), incident.strip())
        _seal_anew(situation, owed, by=by)
        owed.save(force_insert=True)
        _tell(promotion, owed, by=by)
        decide(situation, Decision.Verb.APPROVE, reason, by=by)
        if situation.is_satisfied_now:
            approving.complete(promotion, by=by, at=at, rules=situation.rules)
        else:
            tell_approval(promotion, reason, by=by)
    return promotion


def _owed(situation: Situation, reason: str, incident: str) -> Review:
    """Return the review that this emergency owes under the rule that stands, not yet stored."""
    way_out = situation.effective.emergency
    if way_out is None:
        raise RuntimeError("an emergency without a rule was let through")
    _require_incident(incident, is_asked=way_out.incident)
    return Review(
        promotion=situation.promotion,
        incident=incident,
        reason=reason,
        declared_by=situation.account,
        declared_at=situation.at,
        due_at=situation.at + timedelta(seconds=way_out.review_within_seconds),
    )


def _require_incident(incident: str, *, is_asked: bool) -> None:
    if is_asked and not incident:
        raise IncidentMissingError("Give the number of the incident; the policy asks for it.")
    # Printable is: one line, no control and no hidden characters.
    if len(incident) > MAX_INCIDENT or not incident.isprintable():
        raise IncidentMissingError(
            f"Write the incident on one line, in at most {MAX_INCIDENT} readable characters."
        )


def _seal_anew(situation: Situation, owed: Review, *, by: Actor) -> None:
    promotion, at, rules = situation.promotion, situation.at, situation.rules
    promotion.save(update_fields=["kind"])
    about = f", incident {owed.incident}" if owed.incident else ""
    why = f"{owed.declared_by.get_username()} declared an emergency{about}."
    resealing.reseal(promotion, plan=promotion.plan, by=by, at=at, why=why, rules=rules)


def _tell(promotion: Promotion, owed: Review, *, by: Actor) -> None:
    reviewers = reviewing.possible_reviewers(promotion)
    audit.record(
        kind=AuditKind.EMERGENCY_DECLARED,
        by=by,
        subject=lifecycle.subject_of(promotion),
        details={
            "tag": promotion.to_tag,
            "seal": promotion.seal,
            "revision": promotion.revision,
            "incident": owed.incident,
            "reason": owed.reason,
            "due": f"{owed.due_at:%Y-%m-%d %H:%M} UTC",
            "reviewers": ", ".join(reviewers) or "nobody yet",
        },
    )
