"""What an approved promotion waits for before a worker may start: facts with a sentence, never a status."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from approvals import policy
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy import Gate
from updater import sync_windows
from updater.errors import TransientError


class GateClosedError(TransientError):
    """Approved, and not yet: the sentence says what it waits for."""

    code = "gate_closed"


def closed(promotions: Sequence[Promotion], *, at: datetime) -> dict[UUID, GateClosedError]:
    """Return, for each that has not started and must wait, the first closed gate in words."""
    # What has started is finished, whatever closes meanwhile.
    # What is to be stopped needs no open gate: it is only looked at.
    before = (Status.APPROVED, Status.ERRORED)
    waiting = [row for row in promotions if row.status in before and not row.is_stopping]
    found = policy.gates_of(waiting, at=at) if waiting else {}
    errors = {row.pk: _first_closed(row, found[row.pk], at=at) for row in waiting}
    return {pk: error for pk, error in errors.items() if error is not None}


def require_open_now(promotion: Promotion, *, at: datetime) -> None:
    """Check the same for one that has started and waits to be merged by us: that is what Argo CD will see.

    Raises:
        GateClosedError: with the first closed gate in words.
    """
    if error := _first_closed(promotion, policy.gates(promotion, at=at), at=at):
        raise error


def _first_closed(
    promotion: Promotion, found: Sequence[Gate], *, at: datetime
) -> GateClosedError | None:
    for gate in found:
        # The registry is asked for the digest itself right before the push.
        if not gate.is_open and gate.key != "digest":
            return GateClosedError(f"Waits: {gate.text}")
    return _closed_by_sync_window(promotion, at=at)


def _closed_by_sync_window(promotion: Promotion, *, at: datetime) -> GateClosedError | None:
    answer = sync_windows.judge(promotion.application.sync_windows, at=at)
    is_open = answer.automatic if promotion.application.is_automated else answer.manual
    # A commit now would be judged late: Argo CD would not roll it out before the window opens.
    return None if is_open else GateClosedError(f"Waits: {answer.reason}")
