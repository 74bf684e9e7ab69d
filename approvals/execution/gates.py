"""What an approved promotion waits for before a worker may start: facts with a sentence, never a status."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from approvals import policy, waiting
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy import Gate
from updater.errors import TransientError


class GateClosedError(TransientError):
    """Approved, and not yet: the sentence says what it waits for."""

    code = policy.GATE_CLOSED


def closed(promotions: Sequence[Promotion], *, at: datetime) -> dict[UUID, GateClosedError]:
    """Return, for each that has not started and must wait, the first closed gate in words."""
    # What has started is finished, whatever closes meanwhile.
    # What is to be stopped needs no open gate: it is only looked at.
    before = (Status.APPROVED, Status.ERRORED)
    waits = [row for row in promotions if row.status in before and not row.is_stopping]
    found = waiting.starting_gates_of(waits, at=at)
    firsts = {pk: waiting.first_closed(gates) for pk, gates in found.items()}
    return {pk: _error(gate) for pk, gate in firsts.items() if gate is not None}


def require_open_now(promotion: Promotion, *, at: datetime) -> None:
    """Check the same for one that has started and waits to be merged by us: that is what Argo CD will see.

    Raises:
        GateClosedError: with the first closed gate in words.
    """
    if gate := waiting.first_closed(waiting.starting_gates(promotion, at=at)):
        raise _error(gate)


def _error(gate: Gate) -> GateClosedError:
    return GateClosedError(f"Waits: {gate.text}")
