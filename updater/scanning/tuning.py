"""How scans are paced, who writes and when, and the way from the event loop to the database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from asgiref.sync import sync_to_async

from updater.audit import Actor
from updater.configuration.registries import Endpoint
from updater.integrations import registry
from updater.scanning.throttle import HostThrottle

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Tuning:
    """Paces that suit registries of any size; seconds, unless named otherwise."""

    interval_seconds: float = 120
    repository_seconds: float = 120  # of one repository; the next scan goes on where it stopped
    pass_seconds: float = 240  # no repository is begun later than this after the start
    parallel: int = 8  # requests to one host at once
    guard_seconds: float = 600  # how old the digest of an offered tag may get
    running_seconds: float = (
        3600  # and of a running one: a tag that is pushed again raises an alarm
    )
    reclaim_seconds: float = 5  # how soon idle hosts are looked at again while others are scanned


@dataclass(frozen=True, slots=True)
class Moment:
    """Who writes, and when."""

    at: datetime
    by: Actor


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all scans of one call share."""

    access: registry.Access
    throttle_of: Callable[[Endpoint], HostThrottle]
    tuning: Tuning
    now: Moment
    ends_at: float  # by the event loop's clock: no repository is begun later


async def in_database(act: Callable[..., Result], *arguments: Any, **options: Any) -> Result:  # noqa: ANN401  handed on
    """Run something with the database, in the one thread that holds its connection."""
    return await sync_to_async(act, thread_sensitive=True)(*arguments, **options)
