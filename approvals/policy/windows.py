"""Windows in real time: what a wall-clock schedule means where clocks jump. Pure.

Both kinds follow the wall clock of their zone. They part only where it jumps:

allow   open while the clock shows a time in the window. A window that falls into a gap does not open; one
        that falls into a fold is open in both passages of that hour.
deny    closed without interruption from the first time the clock shows the start until the last time it
        shows the end. A start that the clock skips counts from the jump, for the whole length.

So a freeze is never shorter than it reads, and a permission never wider.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from approvals.policy import schedules
from approvals.policy.schedules import Schedule

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MAX_CHAINED = 500  # windows that run into each other; beyond that it is in force for good
_NO_CHANGE_WITHIN = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class State:
    """Whether a window is in force, and when that changes; None: not in sight."""

    in_force: bool
    changes_at: datetime | None


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Whether an allow window is open."""
    return _shows(schedule, _wall(at.astimezone(UTC), ZoneInfo(schedule.zone)))


def is_denied(schedule: Schedule, at: datetime) -> bool:
    """Whether a deny window is in force."""
    end = _end_of_denial(schedule, at.astimezone(UTC), ZoneInfo(schedule.zone))
    return end is not None and end > at


def allowing(schedule: Schedule, at: datetime) -> State:
    """Return whether an allow window is open, and when that changes."""
    zone, at = ZoneInfo(schedule.zone), at.astimezone(UTC)
    in_force = _shows(schedule, _wall(at, zone))
    moment = at
    for _ in range(_MAX_CHAINED):
        change = _change_by_the_clock(schedule, moment, zone)
        jump = _next_jump(zone, moment, change or moment + _NO_CHANGE_WITHIN)
        if jump is None or (change is None and jump - at > _NO_CHANGE_WITHIN):
            return State(in_force, change)
        if _shows(schedule, _wall(jump, zone)) != in_force:
            return State(in_force, jump)
        moment = jump
    return State(in_force, None)


def denying(schedule: Schedule, at: datetime) -> State:
    """Return whether a deny window is in force, and when that changes."""
    zone, at = ZoneInfo(schedule.zone), at.astimezone(UTC)
    end = _end_of_denial(schedule, at, zone)
    if end is None or end <= at:
        return State(in_force=False, changes_at=_next_denial(schedule, at, zone))
    for _ in range(_MAX_CHAINED):
        later = _end_of_denial(schedule, end, zone)
        if later is None or later <= end:
            return State(in_force=True, changes_at=end)
        end = later
    return State(in_force=True, changes_at=None)


def _shows(schedule: Schedule, wall: datetime) -> bool:
    start = schedules.latest_start(schedule, wall)
    return start is not None and wall < start + schedule.length


def _change_by_the_clock(schedule: Schedule, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when the state changes if the clock does not jump before."""
    wall = _wall(moment, zone)
    change = _end_by_the_clock(schedule, wall)
    return None if change is None else moment + (change - wall)


def _end_by_the_clock(schedule: Schedule, wall: datetime) -> datetime | None:
    if not _shows(schedule, wall):
        return schedules.next_start(schedule, wall)
    end = wall
    for _ in range(_MAX_CHAINED):
        start = schedules.latest_start(schedule, end)
        if start is None or start + schedule.length <= end:
            return end
        end = start + schedule.length
    return None


def _end_of_denial(schedule: Schedule, at: datetime, zone: ZoneInfo) -> datetime | None:
    # Of two starts the later one ends later, so the last start before `at` decides alone.
    start = _last_started(schedule, at, zone)
    if start is None:
        return None
    if _is_skipped(start, zone):
        return _instant(start, zone) + schedule.length
    return _instant(start + schedule.length, zone, last=True)


def _last_started(schedule: Schedule, at: datetime, zone: ZoneInfo) -> datetime | None:
    start = schedules.latest_start(schedule, _latest_shown(at, zone))
    while start is not None and _instant(start, zone) > at:
        start = schedules.latest_start(schedule, start - _SECOND)
    return start


def _next_denial(schedule: Schedule, at: datetime, zone: ZoneInfo) -> datetime | None:
    last = _last_started(schedule, at, zone)
    start = schedules.next_start(schedule, last or _wall(at, zone))
    return None if start is None else _instant(start, zone)


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _latest_shown(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the latest time that the clock has shown; more than now after it was set back."""
    wall = _wall(at, zone)
    set_back = _wall(at - _DAY, zone) + _DAY - wall
    return wall + max(set_back, timedelta(0))


def _is_skipped(wall: datetime, zone: ZoneInfo) -> bool:
    return _wall(wall.replace(tzinfo=zone).astimezone(UTC), zone) != wall


def _instant(wall: datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """Return when the clock shows this time, for the first or last time; a skipped one is the jump."""
    local = wall.replace(tzinfo=zone)
    if _is_skipped(wall, zone):
        before, after = local.replace(fold=1).astimezone(UTC), local.astimezone(UTC)
        return _bisect(before, after, lambda moment: _offset(moment, zone) == _offset(after, zone))
    return local.replace(fold=int(last)).astimezone(UTC)


def _next_jump(zone: ZoneInfo, after: datetime, before: datetime) -> datetime | None:
    """Return the first moment in between from which the zone has another offset."""
    offset = _offset(after, zone)
    low = after
    while low < before:
        high = min(low + _DAY, before)
        if _offset(high, zone) != offset:
            return _bisect(low, high, lambda moment: _offset(moment, zone) != offset)
        low = high
    return None


def _bisect(low: datetime, high: datetime, is_after: Callable[[datetime], bool]) -> datetime:
    """Return the first whole second for which it is true; false at `low`, true at `high`."""
    low = low.replace(microsecond=0)
    while high - low > _SECOND:
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (low, middle) if is_after(middle) else (middle, high)
    return high.replace(microsecond=0) if high.microsecond else high


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)
