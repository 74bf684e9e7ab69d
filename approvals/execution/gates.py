"""What an approved promotion waits for before a worker may start: facts with a sentence, never a status."""

from datetime import datetime

from approvals import policy
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import sync_windows
from updater.errors import TransientError


class GateClosedError(TransientError):
    """Approved, and not yet: the sentence says what it waits for."""

    code = "gate_closed"


def require_open(promotion: Promotion, *, at: datetime) -> None:
    """Check everything that may hold back a promotion that has not started.

    Raises:
        GateClosedError: with the first closed gate in words.
    """
    if promotion.status not in (Status.APPROVED, Status.ERRORED):
        return  # it has started: what is begun is finished
    require_open_now(promotion, at=at)


def require_open_now(promotion: Promotion, *, at: datetime) -> None:
    """Check the same for one that has started and waits to be merged by us: that is what Argo CD will see.

    Raises:
        GateClosedError: with the first closed gate in words.
    """
    for gate in policy.gates(promotion, at=at):
        # The registry is asked for the digest itself right before the push.
        if not gate.is_open and gate.key != "digest":
            raise GateClosedError(f"Waits: {gate.text}")
    _require_sync_window(promotion, at=at)


def _require_sync_window(promotion: Promotion, *, at: datetime) -> None:
    answer = sync_windows.judge(promotion.application.sync_windows, at=at)
    is_open = answer.automatic if promotion.application.is_automated else answer.manual
    if not is_open:
        # A commit now would be judged late: Argo CD would not roll it out before the window opens.
        raise GateClosedError(f"Waits: {answer.reason}")
