"""What the person of a request can do to a promotion, for its pages: flags for controls, and why the rest is off."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from approvals import decisions, policy
from approvals.decisions import Offer, Situation
from approvals.policy import Reason


@dataclass(frozen=True, slots=True)
class Off:
    """Verbs that are off for the same first reason, and what else stands against some of them."""

    reason: Reason
    offers: tuple[Offer, ...]

    @property
    def further(self) -> list[tuple[Offer, tuple[Reason, ...]]]:
        """The reasons beside the shared one, by verb."""
        return [(offer, offer.reasons[1:]) for offer in self.offers if offer.reasons[1:]]


def context(situation: Situation) -> dict[str, Any]:
    """Return every action with why it is off, and `can_<verb>` for each that has a control of its own."""
    offers = decisions.by_verb(situation)
    min_note, min_reason = policy.min_reason_lengths(
        situation.promotion, effective=situation.effective
    )
    return {
        "offers": offers,
        "possible": [offer for offer in offers.values() if offer.is_possible],
        "off": _off(offers.values()),
        **{f"can_{verb}": offer.is_possible for verb, offer in offers.items()},
        "min_note": min_note,
        "min_reason": min_reason,
    }


def _off(offers: Iterable[Offer]) -> list[Off]:
    groups: dict[Reason, list[Offer]] = {}
    for offer in offers:
        if offer.reasons:
            groups.setdefault(offer.reasons[0], []).append(offer)
    return [Off(reason, tuple(members)) for reason, members in groups.items()]
