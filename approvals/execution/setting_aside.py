"""What follows when a promotion cannot go on: tried later, sealed anew, put back before the people, or withdrawn.

Each function is called inside a transaction that first checked the fence (`leases.require_current`).
"""

from datetime import datetime

from approvals import resealing
from approvals.execution import endings, recording, retrying
from approvals.execution.batches import (
    DigestMovedError,
    HistoryRewrittenError,
    SubjectChangedError,
)
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.planning import ApplicationChangedError, ImageNotUsableError, NothingToWriteError
from updater.audit import Actor
from updater.errors import UpdaterError
from updater.leases import Grant

# What was approved is not what would be written: the people decide again.
_CHANGED = (SubjectChangedError, DigestMovedError, HistoryRewrittenError)
# Errors after which the promotion is pointless, not the machinery broken.
_POINTLESS = (ApplicationChangedError, ImageNotUsableError, NothingToWriteError)


def set_aside(
    grant: Grant, row: Promotion, error: UpdaterError, *, by: Actor, at: datetime
) -> None:
    """Record why a promotion cannot go on as approved, and send it where it belongs."""
    if not isinstance(error, (*_CHANGED, *_POINTLESS)):
        delay_or_stop(row, error, by=by, at=at)
        return
    if row.is_stopping and row.status in (Status.EXECUTING, Status.ERRORED):
        endings.stopped(row, by=by, at=at)
        return
    if row.status in (Status.ERRORED, Status.UNKNOWN):
        recording.claim(grant, row, base="", commit="", by=by, at=at)
    recording.end_attempt(row, str(error), at=at)
    if _is_pointless(row, error):
        endings.withdraw(row, error, by=by, at=at)
    elif isinstance(error, SubjectChangedError):
        resealing.reseal(row, plan=error.plan, by=by, at=at)
    else:
        resealing.look_soon(row)
        endings.lapse(row, error, by=by, at=at)


def delay_or_stop(row: Promotion, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Look again later; an attempt that began ends, and is made again."""
    if row.status == Status.EXECUTING:
        endings.errored(row, error, by=by, at=at)
    else:
        retrying.delay(row, error, by=by, at=at)


def _is_pointless(row: Promotion, error: UpdaterError) -> bool:
    # A person asked for this very build: another one behind the same tag is not what they meant.
    is_asked_for = row.kind != Promotion.Kind.FORWARD and bool(row.requested_by)
    return isinstance(error, _POINTLESS) or (is_asked_for and isinstance(error, DigestMovedError))
