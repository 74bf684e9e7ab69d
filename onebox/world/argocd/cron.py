"""Five-field cron schedules of sync windows: the starts after a moment; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_HORIZON_DAYS = 366 * 5  # 29 February is at most so far away


class ScheduleError(ValueError):
    """The text is no five-field schedule."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The allowed values of each field, and whether a day needs to match both kinds of day."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool  # one of the two day fields is `*`: both must match

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first start strictly after a moment."""
        for day in self._days(moment.date()):
            for start in self._starts(day):
                if start > moment:
                    return start
        return None

    def _days(self, first: date) -> Iterator[date]:
        for offset in range(_HORIZON_DAYS):
            day = first + timedelta(days=offset)
            if day.month in self.months and self._matches_day(day):
                yield day

    def _matches_day(self, day: date) -> bool:
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date and by_weekday if self.any_day else by_date or by_weekday

    def _starts(self, day: date) -> Iterator[datetime]:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                yield datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001  wall clock of the zone


def parse(text: str) -> Schedule:
    """Return the schedule of a text. Raises: ScheduleError."""
    fields = text.split()
    if len(fields) != 5:
        raise ScheduleError(f"expected exactly 5 fields, found {len(fields)}: {text!r}")
    names: tuple[list[str], ...] = ([], [], [], _MONTHS, _DAYS)
    sets = [
        _values(field, low, high, words)
        for field, (low, high), words in zip(fields, _RANGES, names, strict=True)
    ]
    any_day = any(fields[index].startswith(("*", "?")) for index in (2, 4))
    return Schedule(sets[0], sets[1], sets[2], sets[3], sets[4], any_day)


def _values(field: str, low: int, high: int, names: list[str]) -> frozenset[int]:
    return frozenset().union(*(_part(part, low, high, names) for part in field.split(",")))


def _part(part: str, low: int, high: int, names: list[str]) -> range:
    span, has_step, step_text = part.partition("/")
    step = _number(step_text, []) if has_step else 1
    if span in ("*", "?"):
        first, last = low, high
    else:
        start, is_range, end = span.partition("-")
        first = _number(start, names)
        last = _number(end, names) if is_range else high if has_step else first
    if not low <= first <= last <= high or step < 1:
        raise ScheduleError(f"out of range: {part!r}")
    return range(first, last + 1, step)


def _number(text: str, names: list[str]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + (1 if names is _MONTHS else 0)
    if not text.isdecimal() or len(text) > 4:
        raise ScheduleError(f"not a number: {text!r}")
    return int(text)
