"""When windows start, by the wall clock alone: cron expressions and recurrence rules. Pure.

Zones, gaps and folds are `windows`' business; here a day has 24 hours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

from cronsim import CronSim, CronSimError
from dateutil.rrule import rrulestr

HORIZON = timedelta(days=3660)  # a start further away than this is no start
_MAX_STARTS_A_DAY = 24
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_RANGES = {
    "INTERVAL": range(1, 1001),
    "COUNT": range(1, 10_001),
    "BYMONTH": range(1, 13),
    "BYMONTHDAY": range(-31, 32),
    "BYYEARDAY": range(-366, 367),
    "BYWEEKNO": range(-53, 54),
    "BYSETPOS": range(-366, 367),
    "BYHOUR": range(24),
    "BYMINUTE": range(60),
}
_ZERO_IS_FINE = {"BYHOUR", "BYMINUTE"}
_DAY = re.compile(r"([+-]?[1-9][0-9]?)?(?:MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL = re.compile(r"[0-9]{8}(?:T[0-9]{6})?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Schedule:
    """When a window opens by the wall clock of its zone, and for how long."""

    kind: str  # "cron" or "rrule"
    expression: str
    first: str  # of an rrule: its first start as ISO local time; "" for cron
    seconds: int
    zone: str

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return timedelta(seconds=self.seconds)


def check_cron(expression: str) -> None:
    """Refuse what is not a cron expression of five fields that happens at all.

    Raises:
        ValueError: the sentence says how to write one.
    """
    if len(expression) > 200 or len(expression.split()) != 5:
        raise ValueError("is not five fields: minute hour day-of-month month day-of-week")
    try:
        CronSim(expression, datetime(2000, 1, 1))  # noqa: DTZ001  the wall clock has no zone
    except (CronSimError, ValueError) as error:
        raise ValueError(f"is no cron expression: {str(error).lower()}") from error


def check_rrule(expression: str, first: datetime) -> None:
    """Refuse what is not one recurrence rule (RFC 5545) of days or longer that happens at all.

    Raises:
        ValueError: the sentence says how to write one.
    """
    parts = _parts(expression)
    if parts.get("FREQ") not in _FREQUENCIES:
        raise ValueError(f"needs FREQ= with one of {', '.join(_FREQUENCIES)}")
    for name, value in parts.items():
        _check_part(name, value)
    _check_short_frequency(parts)
    if _count(parts, "BYHOUR") * _count(parts, "BYMINUTE") > _MAX_STARTS_A_DAY:
        raise ValueError(f"starts more than {_MAX_STARTS_A_DAY} times a day")
    if next(_starts(expression, first, until=first + HORIZON), None) is None:
        raise ValueError("never starts within ten years")


def latest_start(schedule: Schedule, wall: datetime) -> datetime | None:
    """Return the last start at or before this wall-clock time."""
    return _latest(schedule.kind, schedule.expression, schedule.first, wall.replace(microsecond=0))


def next_start(schedule: Schedule, wall: datetime) -> datetime | None:
    """Return the first start after this wall-clock time."""
    return _next(schedule.kind, schedule.expression, schedule.first, wall.replace(microsecond=0))


@lru_cache(maxsize=4096)
def _latest(kind: str, expression: str, first: str, wall: datetime) -> datetime | None:
    if kind == "cron":
        found = next(CronSim(expression, wall + timedelta(seconds=1), reverse=True), None)
        return found if found is not None and wall - found <= HORIZON else None
    latest = None
    for start in _starts(expression, datetime.fromisoformat(first), until=wall):
        latest = start
    return latest


@lru_cache(maxsize=4096)
def _next(kind: str, expression: str, first: str, wall: datetime) -> datetime | None:
    if kind == "cron":
        found = next(CronSim(expression, wall), None)
        return found if found is not None and found - wall <= HORIZON else None
    starts = _starts(expression, datetime.fromisoformat(first), until=wall + HORIZON)
    return next((start for start in starts if start > wall), None)


def _starts(expression: str, first: datetime, *, until: datetime) -> Iterator[datetime]:
    # COUNT and UNTIL are applied here: the library would look for a start until the year 9999.
    parts = _parts(expression)
    count, last = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    if last is not None:
        until = min(until, _moment(last))
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        rule: Any = rrulestr(text, dtstart=first).replace(until=until)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise ValueError(f"is no recurrence rule: {error}") from error
    return islice(iter(rule), int(count) if count else None)


def _parts(expression: str) -> dict[str, str]:
    if len(expression) > 200 or not expression.isascii():
        raise ValueError("is no recurrence rule; write for example FREQ=WEEKLY;BYDAY=FR")
    parts: dict[str, str] = {}
    for part in expression.upper().split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts:
            raise ValueError("is no recurrence rule; write for example FREQ=WEEKLY;BYDAY=FR")
        parts[name] = value
    return parts


def _check_part(name: str, value: str) -> None:
    if name == "UNTIL":
        _moment(value)
    elif name == "BYDAY":
        if not all(_DAY.fullmatch(day) for day in value.split(",")):
            raise ValueError(f"has a BYDAY that is none: {value}; write for example BYDAY=MO,FR")
    elif name == "WKST":
        if not re.fullmatch("MO|TU|WE|TH|FR|SA|SU", value):
            raise ValueError(f"has a WKST that is none: {value}; write for example WKST=MO")
    elif name != "FREQ":
        _check_numbers(name, value)


def _check_numbers(name: str, value: str) -> None:
    if name not in _RANGES:
        known = ", ".join(["FREQ", *_RANGES, "BYDAY", "UNTIL", "WKST"])
        raise ValueError(f"has a part {name} that is not known; known are {known}")
    for number in value.split(","):
        in_range = re.fullmatch(r"[+-]?[0-9]{1,5}", number) and int(number) in _RANGES[name]
        if not in_range or (int(number) == 0 and name not in _ZERO_IS_FINE):
            raise ValueError(f"has a {name} that is none: {number}")
    if name in ("INTERVAL", "COUNT") and "," in value:
        raise ValueError(f"has more than one {name}")


def _check_short_frequency(parts: dict[str, str]) -> None:
    # What can never come true would be looked for day by day until the year 9999.
    if parts["FREQ"] in ("MONTHLY", "YEARLY"):
        return
    if wrong := sorted({"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"} & parts.keys()):
        raise ValueError(f"has {wrong[0]}, which needs FREQ=MONTHLY or FREQ=YEARLY")
    if re.search(r"[0-9]", parts.get("BYDAY", "")):
        raise ValueError("counts weekdays, which needs FREQ=MONTHLY or FREQ=YEARLY")
    if parts["FREQ"] == "DAILY" and "INTERVAL" in parts and {"BYDAY", "BYMONTH"} & parts.keys():
        raise ValueError("has INTERVAL beside BYDAY or BYMONTH, which needs FREQ=WEEKLY or longer")


def _count(parts: dict[str, str], name: str) -> int:
    return len(parts[name].split(",")) if name in parts else 1


def _moment(text: str) -> datetime:
    if not _UNTIL.fullmatch(text):
        raise ValueError(
            "has an UNTIL that is no local time; write UNTIL=20261231T180000, without Z"
        )
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"has an UNTIL that is no time: {error}") from error
    return moment if "T" in text else moment.replace(hour=23, minute=59, second=59)
