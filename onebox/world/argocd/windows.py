"""Sync windows of a project: may this Application sync now? (section 8); pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from onebox.world.argocd import cron, durations, globs
from onebox.world.argocd.cron import ScheduleError
from onebox.world.argocd.durations import DurationError
from onebox.world.cluster.documents import Json


@dataclass(frozen=True, slots=True)
class Subject:
    """What the selectors of a window look at."""

    name: str
    namespace: str
    clusters: tuple[str, ...]


def may_sync(
    windows: Sequence[Json], subject: Subject, *, now: datetime, is_manual: bool, is_running: bool
) -> bool:
    """Whether a sync may start now; with `is_running` whether it may go on."""
    matching = [window for window in windows if _matches(window, subject)]
    if not matching:
        return True
    try:
        active = [window for window in matching if is_active(window, now)]
    except (ScheduleError, DurationError):
        return False
    denies = [window for window in active if window.get("kind") == "deny"]
    if denies:
        goes_on = is_running and all(window.get("syncOverrun") for window in denies)
        return goes_on or (is_manual and _all_manual(denies))
    if any(window.get("kind") == "allow" for window in active):
        return True
    closed = [window for window in matching if window.get("kind") == "allow"]
    return not closed or (is_manual and _all_manual(closed))


def is_active(window: Json, now: datetime) -> bool:
    """Whether a window is open; both ends are outside, and today's offset counts throughout.

    Raises: ScheduleError, DurationError.
    """
    zone = _zone(str(window.get("timeZone") or "UTC"))
    local = now.astimezone(zone).replace(tzinfo=None)
    length = timedelta(seconds=durations.parse(str(window.get("duration", ""))))
    start = cron.parse(str(window.get("schedule", ""))).next_after(local - length)
    return start is not None and start < local


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return ZoneInfo("UTC")


def _all_manual(windows: Iterable[Json]) -> bool:
    return all(window.get("manualSync") for window in windows)


def _matches(window: Json, subject: Subject) -> bool:
    """Every selector kind that is given is asked; none given matches nothing."""
    asked = (
        ("applications", (subject.name,)),
        ("namespaces", (subject.namespace,)),
        ("clusters", subject.clusters),
    )
    answers = [
        any(globs.matches(pattern, value) for pattern in window[key] for value in values)
        for key, values in asked
        if window.get(key)
    ]
    return bool(answers) and (all(answers) if window.get("andOperator") else any(answers))


def utc(seconds: float) -> datetime:
    """Return a moment (seconds since 1970) as a time with its zone."""
    return datetime.fromtimestamp(seconds, UTC)
