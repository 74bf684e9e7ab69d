"""Who may work on something: an advisory lock while the worker lives, a lease with a fence for when it does not.

The lock is freed at once when the worker dies; a stopped one keeps it, so after the lease's end another may take
over with a higher fence, and everything the stopped one then tries to record fails. Time is the database's.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import wraps

from django.conf import settings
from django.db import connection

from updater import locks
from updater.crashpoints import crashpoint
from updater.errors import TransientError
from updater.models import Lease

logger = logging.getLogger(__name__)


class LeaseLostError(TransientError):
    """Another worker took over; nothing that this one still does counts."""

    code = "lease_lost"


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to work on a target, or to do a kind of regular work, while the fence is current."""

    target: str
    holder: str
    fence: int
    seconds: float  # without a sign of life, until another may take over


_under: ContextVar[Grant | None] = ContextVar("lease", default=None)


def this_process() -> str:
    """Return the name under which this process holds leases."""
    return f"{socket.gethostname()}:{os.getpid()}"


@contextmanager
def hold(target: str, *, holder: str, seconds: float | None = None) -> Iterator[Grant]:
    """Hold the lease of a target, or of a kind of work, over the block; by default LEASE_SECONDS from each beat.

    Raises:
        locks.LockTakenError: another worker holds it.
    """
    name = f"target:{target}"
    has_lock = locks.try_acquire(name)
    try:
        length = float(settings.LEASE_SECONDS) if seconds is None else seconds
        grant = _claim(target, holder=holder, seconds=length, holder_is_dead=has_lock)
        try:
            crashpoint("lease.claimed")
            with under(grant):
                yield grant
        finally:
            Lease.objects.filter(target=target, fence=grant.fence).update(expires_at=None)
    finally:
        if has_lock:
            locks.release(name)


def alone(
    work: str, *, seconds: float | None = None
) -> Callable[[Callable[[Grant], None]], Callable[[], None]]:
    """Let a function do a kind of regular work under its lease; nothing when another worker does it, or took over."""

    def held(do: Callable[[Grant], None]) -> Callable[[], None]:
        @wraps(do)
        def run() -> None:
            with (
                suppress(locks.LockTakenError, LeaseLostError),
                hold(work, holder=this_process(), seconds=seconds) as grant,
            ):
                do(grant)

        del run.__wrapped__  # a task must not seem to take what it does not
        return run

    return held


@contextmanager
def under(grant: Grant) -> Iterator[None]:
    """Let the block run under a lease that is held: for the other threads of its holder."""
    token = _under.set(grant)
    try:
        yield
    finally:
        _under.reset(token)


def require_current(grant: Grant) -> datetime:
    """Lock the lease row, check the fence and beat the heart, inside the transaction that records something.

    Returns when that transaction began, by the database's clock.

    Raises:
        LeaseLostError: the fence has moved on.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, [grant.seconds, grant.target, grant.fence])
        row = cursor.fetchone()
    if row is None:
        logger.warning("lease lost", extra={"target": grant.target, "fence": grant.fence})
        raise LeaseLostError(f"Another worker took over {grant.target}.")
    return row[0]  # type: ignore[no-any-return]  # a timestamptz


def require_held() -> None:
    """Do the same for the lease that the caller runs under; nothing where it runs under none, as a page does.

    First in each transaction that writes what was read outside before: a worker that stood still in between must
    not write its old news over what another has read since.

    Raises:
        LeaseLostError: the fence has moved on.
    """
    grant = _under.get()
    if grant is not None:
        require_current(grant)


def _claim(target: str, *, holder: str, seconds: float, holder_is_dead: bool) -> Grant:
    fence = _raised(target, holder, seconds, holder_is_dead)
    if fence is None and Lease.objects.get_or_create(target=target)[1]:
        fence = _raised(target, holder, seconds, holder_is_dead)
    if fence is None:
        raise locks.LockTakenError(f"Another worker holds {target}.")
    return Grant(target, holder, fence, seconds)


def _raised(target: str, holder: str, seconds: float, holder_is_dead: bool) -> int | None:  # noqa: FBT001
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [holder, seconds, target, holder_is_dead])
        row = cursor.fetchone()
    return int(row[0]) if row else None


_BEAT = """
    UPDATE approvals_lease
    SET expires_at = statement_timestamp() + make_interval(secs => %s)
    WHERE target = %s AND fence = %s
    RETURNING now()
"""
_CLAIM = """
    UPDATE approvals_lease
    SET holder = %s, fence = fence + 1, expires_at = now() + make_interval(secs => %s)
    WHERE target = %s AND (%s OR expires_at IS NULL OR expires_at < now())
    RETURNING fence
"""
