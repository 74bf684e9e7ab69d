"""Who may write to a target: an advisory lock while the worker lives, a lease with a fence for when it does not.

The lock is freed at once when the worker dies; a paused worker keeps it, so after the lease's end another may
take over with a higher fence, and everything the paused one then tries to record fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from approvals.models import Lease
from updater import locks
from updater.crashpoints import crashpoint
from updater.errors import TransientError


class LeaseLostError(TransientError):
    """Another worker took over; nothing that this one still does counts."""

    code = "lease_lost"


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to write to a target while the fence is current."""

    target: str
    holder: str
    fence: int


@contextmanager
def hold(target: str, *, holder: str) -> Iterator[Grant]:
    """Hold the lease of a target over the block.

    Raises:
        locks.LockTakenError: another worker holds it.
    """
    name = f"target:{target}"
    has_lock = locks.try_acquire(name)
    try:
        grant = _claim(target, holder=holder, holder_is_dead=has_lock)
        try:
            crashpoint("lease.claimed")
            yield grant
        finally:
            Lease.objects.filter(target=target, fence=grant.fence).update(expires_at=None)
    finally:
        if has_lock:
            locks.release(name)


def require_current(grant: Grant) -> None:
    """Lock the lease row, check the fence and beat the heart, inside the transaction that records something.

    Raises:
        LeaseLostError: the fence has moved on.
    """
    held = Lease.objects.filter(target=grant.target, fence=grant.fence)
    if not held.update(expires_at=Now() + timedelta(seconds=settings.LEASE_SECONDS)):
        raise LeaseLostError(f"Another worker took over {grant.target}.")


def _claim(target: str, *, holder: str, holder_is_dead: bool) -> Grant:
    Lease.objects.get_or_create(target=target)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [holder, settings.LEASE_SECONDS, target, holder_is_dead])
        row = cursor.fetchone()
    if row is None:
        raise locks.LockTakenError(f"Another worker writes to {target}.")
    return Grant(target, holder, int(row[0]))


_CLAIM = """
    UPDATE approvals_lease
    SET holder = %s, fence = fence + 1, expires_at = now() + make_interval(secs => %s)
    WHERE target = %s AND (%s OR expires_at IS NULL OR expires_at < now())
    RETURNING fence
"""
