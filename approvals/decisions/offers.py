"""What a person can do to a promotion, and for each verb that is off, why: the same truth that the verbs enforce.

A verb joins by a line in VERBS. Reasons are for the eyes of this person: whoever may not see the Application
is told nothing about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from approvals import permissions
from approvals.decisions import (
    commenting,
    emergencies,
    going_back,
    recovering,
    reviewing,
    steering,
    voting,
)
from approvals.decisions.verbs import NOT_ALLOWED, Situation, Verb
from approvals.permissions import Action
from approvals.policy import Reason

VERBS: tuple[Verb, ...] = (
    voting.APPROVE,
    voting.REJECT,
    voting.TAKE_BACK,
    emergencies.DECLARE,
    steering.RETRY,
    steering.ABORT,
    steering.WITHDRAW,
    recovering.LOOK,
    recovering.FINDING,
    commenting.COMMENT,
    going_back.ROLL_BACK,
    reviewing.REVIEW,
)


# As the buttons say, where the verb's name does not.
_LABELS = {
    "abort": "Stop",
    "finding": "Say what became of it",
    "look": "Look again now",
    "withdraw_approval": "Take my approval back",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One verb, and everything that stands against it."""

    verb: str
    reasons: tuple[Reason, ...]

    @property
    def is_possible(self) -> bool:
        """Whether the domain would accept it from this person now."""
        return not self.reasons

    @property
    def label(self) -> str:
        """The verb as people read it."""
        return _LABELS.get(self.verb) or self.verb.replace("_", " ").capitalize()

    def as_dict(self) -> dict[str, Any]:
        """Return the offer as JSON values."""
        return {
            "verb": self.verb,
            "possible": self.is_possible,
            "reasons": [reason.as_dict() for reason in self.reasons],
        }


def offers(situation: Situation) -> tuple[Offer, ...]:
    """Return every verb, in the order in which people look for them."""
    if not situation.may(Action.VIEW):
        hidden = Reason(NOT_ALLOWED, permissions.refusal(situation.person, Action.VIEW))
        return tuple(Offer(verb.name, (hidden,)) for verb in VERBS)
    return tuple(Offer(verb.name, verb.reasons(situation)) for verb in VERBS)


def by_verb(situation: Situation) -> Mapping[str, Offer]:
    """Return the offers by the name of their verb."""
    return {offer.verb: offer for offer in offers(situation)}
