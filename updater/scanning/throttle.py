"""How fast one registry host is asked: a token bucket shared by all workers, and the registry's own budgets."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from updater.errors import UpdaterError
from updater.integrations import registry

logger = logging.getLogger(__name__)

BURST = 10.0


class BudgetUsedUpError(registry.RateLimitedError):
    """The registry said that requests of one kind are used up; other kinds may go on."""

    code = "registry_budget_used_up"


class Bucket(Protocol):
    """A token bucket somewhere: here or shared."""

    async def reserve(self) -> float:
        """Take the next free moment and return the seconds until then."""


@dataclass(slots=True)
class LocalBucket:
    """A token bucket of this process: `rate` requests a second on average, `burst` at once."""

    rate: float
    burst: float
    clock: Callable[[], float]
    # The moment at which everything granted so far is paid off (generic cell rate algorithm)
    paid_until: float = 0.0

    async def reserve(self) -> float:
        """Take the next free moment and return the seconds until then."""
        now = self.clock()
        wait = max(0.0, self.paid_until - (self.burst - 1) / self.rate - now)
        self.paid_until = max(self.paid_until, now) + 1 / self.rate
        return wait


class FallbackBucket:
    """A shared bucket, and a local one for while the shared one cannot be reached."""

    def __init__(self, shared: Bucket, local: Bucket) -> None:
        self._shared = shared
        self._local = local

    async def reserve(self) -> float:
        """Take the next free moment, wherever it can be had."""
        try:
            return await self._shared.reserve()
        except OSError as error:
            logger.warning("rate limit not shared: Redis is away", extra={"reason": str(error)})
            return await self._local.reserve()


@dataclass(slots=True)
class HostThrottle:
    """The pace for one host; without a bucket only the registry's budgets count."""

    bucket: Bucket | None
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _closed_until: dict[str, float] = field(default_factory=dict)
    _shut: UpdaterError | None = None

    async def acquire(self, kind: str) -> None:
        """Wait for the next free moment.

        Raises:
            BudgetUsedUpError: the registry said it would refuse, and until when.
            UpdaterError: the error with which everything was shut.
        """
        if self._shut is not None:
            raise self._shut
        left = self._closed_until.get(kind, 0.0) - self.clock()
        if left > 0:
            raise BudgetUsedUpError(
                f"The registry allows no more {kind} requests for {left:.0f} seconds.",
                retry_after_seconds=left,
            )
        wait = await self.bucket.reserve() if self.bucket else 0.0
        if wait > 0:
            await self.sleep(wait)

    def observe(self, kind: str, budget: registry.Budget) -> None:
        """Stop requests of a kind when the registry says that none are left."""
        if budget.remaining == 0:
            self._closed_until[kind] = self.clock() + budget.reset_seconds

    def shut(self, error: UpdaterError) -> None:
        """Let no request pass any more: each fails with this error."""
        self._shut = error
