"""The one list of gates, in the order in which people ask for them; a fixed number of queries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from approvals import policy
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy import NOTHING_READ, Gate, Read, Rules
from approvals.policy.gating import PASS, UNKNOWN
from approvals.queries import pending
from approvals.queries.scopes import EVERYTHING, Scope
from approvals.waiting import machine, reading, sync_window

OLD_AFTER = timedelta(minutes=10)  # a digest seen longer ago proves nothing to who decides
_ORDER = (
    "digest", "registry", "write_back", "settings", "target",
    "window", "hold", "soak", "upstream", "two_writers", "policy", "sync_window", "application",
)  # fmt: skip
# The registry is asked for the digest itself right before the push.
_STARTING = {
    "window": "its window",
    "hold": "the end of the hold",
    "soak": "the soak time",
    "upstream": "another Application",
    "two_writers": "the other writer to stop",
    "policy": "the policy",
    "sync_window": "Argo CD's sync window",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a page has read already of what gates look at; None: it is read."""

    rules: Rules | None = None
    read: Read = NOTHING_READ
    in_flight: Mapping[int, Promotion] | None = None  # for the images of these promotions


UNKNOWN_YET = Known()


def is_waiting(promotion: Promotion) -> bool:
    """Whether gates are asked at all: what has started is finished, what is over waits for nothing."""
    return promotion.status in (Status.PENDING, Status.APPROVED, Status.ERRORED)


def gates(
    promotion: Promotion, *, at: datetime, visible: Scope = EVERYTHING, known: Known = UNKNOWN_YET
) -> tuple[Gate, ...]:
    """Return everything that this promotion waits for, or that lets it pass."""
    return gates_of([promotion], at=at, visible=visible, known=known)[promotion.pk]


def gates_of(
    promotions: Sequence[Promotion],
    *,
    at: datetime,
    visible: Scope = EVERYTHING,
    known: Known = UNKNOWN_YET,
) -> dict[UUID, tuple[Gate, ...]]:
    """Return all gates of each promotion, as whoever sees these Applications may read them; none once it started."""
    waiting = [row for row in promotions if is_waiting(row)]
    starting = starting_gates_of(waiting, at=at, known=known)
    in_flight = pending.in_flight(waiting) if known.in_flight is None else known.in_flight
    found: dict[UUID, tuple[Gate, ...]] = {row.pk: () for row in promotions}
    for row in waiting:
        rest = machine.gates(row, in_flight=in_flight.get(row.tracked_image_id), now=at)
        seen = (_aged(gate, at=at) for gate in starting[row.pk])
        found[row.pk] = tuple(sorted((*seen, *rest), key=_place))
    return reading.for_reader(found, visible)


def starting_gates(promotion: Promotion, *, at: datetime) -> tuple[Gate, ...]:
    """Return the gates that a worker looks at before it starts, or goes on with a pull request."""
    return starting_gates_of([promotion], at=at)[promotion.pk]


def starting_gates_of(
    promotions: Sequence[Promotion], *, at: datetime, known: Known = UNKNOWN_YET
) -> dict[UUID, tuple[Gate, ...]]:
    """Return the same for many."""
    if not promotions:
        return {}
    found = policy.gates_of(promotions, at=at, rules=known.rules, read=known.read)
    windows = sync_window.gates_of(promotions, at=at)
    return {row.pk: (*found[row.pk], windows[row.application_id]) for row in promotions}


def first_closed(found: Iterable[Gate]) -> Gate | None:
    """Return the first gate that keeps a worker from starting."""
    closed = (gate for gate in found if gate.key in _STARTING and not gate.is_open)
    return next(closed, None)


def awaited(gate: Gate) -> str:
    """Return what one waits for at a closed gate, to go on after "waits for"."""
    return _STARTING.get(gate.key, gate.name)


def closed_of(promotion: Promotion, *, at: datetime, known: Known = UNKNOWN_YET) -> Gate | None:
    """Return the first gate that keeps a worker from starting this promotion."""
    if not is_waiting(promotion):
        return None
    return first_closed(starting_gates_of([promotion], at=at, known=known)[promotion.pk])


def standing_out(found: Iterable[Gate]) -> tuple[Gate, ...]:
    """Return the gates that do not simply pass; the others are only counted."""
    return tuple(gate for gate in found if gate.verdict != PASS or gate.is_warning)


def _place(gate: Gate) -> int:
    return _ORDER.index(gate.key)


def _aged(gate: Gate, *, at: datetime) -> Gate:
    """Return the digest's gate as a person should read it: an old look is no proof."""
    if gate.key != "digest":
        return gate
    if gate.verdict == PASS and (gate.at is None or at - gate.at > OLD_AFTER):
        text = "Same as sealed when last seen; asked again before anything is written."
        return replace(gate, verdict=UNKNOWN, text=text, brief="Digest seen long ago")
    briefs = {"gone": "Tag gone", "pushed again": "Tag moved", "not asked": "Digest not seen"}
    brief = next((short for words, short in briefs.items() if words in gate.text), "")
    return replace(gate, brief=brief)
