"""When a registry wants us to slow down: `Retry-After` and the `RateLimit` headers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Protocol

MAX_WAIT_SECONDS = 3600.0  # nobody shuts us out for longer than that
EPOCH_LIKE = 1_000_000_000  # a "reset" above this is a moment, below it a duration
_NUMBER = re.compile(r"\s*(\d{1,12})(?:\s*[;,].*)?", re.ASCII | re.DOTALL)
_WINDOW = re.compile(r";\s*w=(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Budget:
    """How many requests of one kind the registry still allows, and when it allows more."""

    remaining: int
    reset_seconds: float


class Throttle(Protocol):
    """Asked before each request, told after each answer; what it does is the caller's policy."""

    async def acquire(self, kind: str) -> None:
        """Wait for leave to send one request of this kind; may raise RateLimitedError."""

    def observe(self, kind: str, budget: Budget) -> None:
        """Take note of what the registry said."""


class Unthrottled:
    """No limit: for one request at a time, on behalf of a person or a push."""

    async def acquire(self, kind: str) -> None:
        """Give leave at once."""

    def observe(self, kind: str, budget: Budget) -> None:
        """Take no note."""


def retry_after_seconds(value: str | None, *, now: float) -> float | None:
    """Return the seconds a `Retry-After` asks for (at most an hour), or None if it says nothing usable."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), MAX_WAIT_SECONDS) or None
    return _until(text, now)


def _until(text: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(text[:64])
        seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return min(seconds, MAX_WAIT_SECONDS) if seconds > 0 else None


def parse_budget(headers: Mapping[str, str], *, now: float) -> Budget | None:
    """Return what the `RateLimit-*` or `X-RateLimit-*` headers say, or None."""
    for prefix in ("ratelimit", "x-ratelimit"):
        remaining = headers.get(f"{prefix}-remaining", "")
        if (count := _number(remaining)) is not None:
            reset = _reset_seconds(headers.get(f"{prefix}-reset", ""), remaining, now)
            return Budget(count, reset)
    return None


def _reset_seconds(reset: str, remaining: str, now: float) -> float:
    # Docker Hub sends no reset but the length of its window: `76;w=21600`
    seconds = _number(reset)
    if seconds is None:
        window = _WINDOW.search(remaining[:64])
        seconds = int(window[1]) if window else 60
    if seconds > EPOCH_LIKE:
        seconds = int(seconds - now)
    return float(min(max(seconds, 1), MAX_WAIT_SECONDS))


def _number(text: str) -> int | None:
    match = _NUMBER.fullmatch(text[:64])
    return int(match[1]) if match else None
