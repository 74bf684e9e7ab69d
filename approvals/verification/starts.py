"""I7: what was started was allowed to start then, and with what was sealed. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.policy import openings
from approvals.policy.effective import WindowRule
from approvals.verification.facts import BranchFacts, EventFacts, PromotionFacts
from approvals.verification.findings import Finding

# A stop that is set while a start is being written may be recorded just before it.
SAME_MOMENT = timedelta(seconds=2)
STARTED, REJECTED = "execution.started", "promotion.rejected"


@dataclass(frozen=True, slots=True)
class Stop:
    """A hold that covered a promotion, from when until when."""

    words: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What stood between a promotion and its start."""

    allow: tuple[WindowRule, ...] = ()
    deny: tuple[WindowRule, ...] = ()
    stops: tuple[Stop, ...] = ()
    overrides: frozenset[str] = frozenset()  # gates that its kind passes


def check(
    promotions: Mapping[str, PromotionFacts],
    events: Iterable[EventFacts],
    limits: Mapping[str, Limits],
) -> Iterator[Finding]:
    """Look at every start that the trail tells."""
    rejected: dict[str, int] = {}
    for event in events:
        promotion = promotions.get(event.promotion)
        if promotion is None:
            continue
        if event.kind == REJECTED:
            rejected[event.promotion] = event.sequence
        elif event.kind == STARTED and not event.details.get("resumed"):
            if event.promotion in rejected:
                yield Finding("I7", promotion.name, "It was started after it was rejected.")
            yield from _check_start(promotion, event, limits.get(promotion.id, Limits()))


def _check_start(promotion: PromotionFacts, event: EventFacts, limits: Limits) -> Iterator[Finding]:
    if event.details.get("from") == "UNKNOWN":
        return  # it had begun before: this is the look at what it came to
    is_last = promotion.approved_at is not None and event.at >= promotion.approved_at
    expired = promotion.expires_at is not None and event.at >= promotion.expires_at
    if event.details.get("from") == "APPROVED" and is_last and expired:
        yield Finding(
            "I7", promotion.name, f"It was started {_at(event)}, after its approval expired."
        )
    opening = openings.look(limits.allow, limits.deny, at=event.at)
    if not opening.is_open and "window" not in limits.overrides:
        names = ", ".join(rule.name for rule in opening.because)
        yield Finding("I7", promotion.name, f"It was started {_at(event)}, closed by {names}.")
    for stop in limits.stops if "hold" not in limits.overrides else ():
        if stop.since + SAME_MOMENT < event.at and (stop.until is None or event.at < stop.until):
            yield Finding("I7", promotion.name, f"It was started {_at(event)}, held: {stop.words}.")


def check_digests(
    promotions: Mapping[str, PromotionFacts], branches: Iterable[BranchFacts]
) -> Iterator[Finding]:
    """Look at the digest that each seal and each commit names."""
    for promotion in promotions.values():
        if promotion.sealed_digest and promotion.sealed_digest != promotion.digest:
            sentence = f"{promotion.digest} is not the sealed {promotion.sealed_digest}."
            yield Finding("I7", promotion.name, sentence)
    for branch in branches:
        for commit in branch.commits:
            named = [promotions[name] for name in commit.promotions if name in promotions]
            for promotion in named:
                if not any(text.endswith("@" + promotion.digest) for text in commit.digests):
                    sentence = f"{commit.name} names another digest than the approved one."
                    yield Finding("I7", promotion.name, sentence)


def _at(event: EventFacts) -> str:
    return f"at {event.at:%Y-%m-%d %H:%M:%S} UTC"
