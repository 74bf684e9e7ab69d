"""How long a promotion waits before it is looked at or tried again, and how that is told.

Each function that writes is called inside a transaction that first checked the fence (`leases.require_current`).
"""

import random
from datetime import datetime, timedelta
from uuid import UUID

from approvals.execution import recording
from approvals.execution.traces import ForgedTrailerError
from approvals.models import Promotion
from updater.audit import Actor, AuditKind
from updater.errors import TransientError, UpdaterError

DELAY_SECONDS = 30  # between looks at an outside that is not ready
SOON = timedelta(minutes=15)  # within which everything approved is tried again (I3)
LONGEST_SECONDS = 840  # with jitter, within that
# Only a host may ask for a longer wait, as one does whose limit of requests is used up for this hour: who asks
# all the same is shut out in the end. People read until when it is.
LONGEST_ASKED_SECONDS = 3600
REFUSED_SHARE = 4  # who was refused waits a quarter of the time that has passed: 403 is not asked for every 30 s
JITTER = 0.07
MAX_ATTEMPTS = 8  # of a transient error, before a person must look


def delay(promotion: Promotion, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Leave the promotion as it is and look again later; the reason is told once."""
    later = at + _wait(_delay_seconds(promotion, error, at=at))
    if promotion.error_code != error.code:  # its words may hold milliseconds
        is_forged = isinstance(error, ForgedTrailerError)
        kind = AuditKind.TRAILER_FORGED if is_forged else AuditKind.EXECUTION_DELAYED
        recording.tell(promotion, kind, by=by, details=recording.details_of(error))
    Promotion.objects.filter(pk=promotion.pk).update(
        status_reason=in_words(error, later, at=at), error_code=error.code, next_attempt_at=later
    )


def postpone(pk: UUID, *, at: datetime) -> None:
    """Look again at a promotion as late as may be, without a word."""
    later = at + _wait(LONGEST_SECONDS)
    Promotion.objects.filter(pk=pk).update(next_attempt_at=later)


def next_look(*, at: datetime) -> datetime:
    """Return when to look again at what nobody can be certain of."""
    return at + _wait(DELAY_SECONDS)


def next_attempt(promotion: Promotion, error: UpdaterError, *, at: datetime) -> datetime | None:
    """Return when an attempt that this error ended is made again; None: a person must look."""
    if promotion.is_stopping:
        return at  # the next look tells for certain that nothing is written, and ends it
    if not isinstance(error, TransientError) or promotion.attempts >= MAX_ATTEMPTS:
        return None
    seconds = DELAY_SECONDS * 2 ** min(promotion.attempts, 4)
    return at + _wait(max(seconds, _asked_for(error)))


def in_words(error: UpdaterError, later: datetime | None, *, at: datetime) -> str:
    """Return the error's sentence, and the next attempt where it is later than anybody expects."""
    if later is None or later - at <= SOON:
        return str(error)
    return f"{error} A longer wait was asked for: the next attempt is at {later:%H:%M} UTC."


def _delay_seconds(promotion: Promotion, error: UpdaterError, *, at: datetime) -> float:
    if isinstance(error, TransientError):
        return max(DELAY_SECONDS, _asked_for(error))
    since = promotion.approved_at or promotion.status_at
    passed = (at - since).total_seconds()
    return min(max(DELAY_SECONDS, passed / REFUSED_SHARE), LONGEST_SECONDS)


def _asked_for(error: UpdaterError) -> float:
    asked = error.retry_after_seconds if isinstance(error, TransientError) else None
    return min(asked or 0, LONGEST_ASKED_SECONDS)


def _wait(seconds: float) -> timedelta:
    spread = 1 + random.uniform(0, JITTER)  # noqa: S311  spreads load, guards nothing
    return timedelta(seconds=seconds * spread)
