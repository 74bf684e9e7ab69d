"""Times as people read them: short in lists, exact with the zone where one decides."""

from datetime import datetime, timedelta
from itertools import pairwise

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def span(length: timedelta) -> str:
    """Return a length of time in one unit: `38 s`, `12 min`, `3 h`, `5 d`."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR} h"
    return f"{seconds // _DAY} d"


def long_span(length: timedelta) -> str:
    """Return a length of time in two units: `4 d 6 h`, `2 min 31 s`."""
    seconds = max(0, int(length.total_seconds()))
    units = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))
    for (size, name), (next_size, next_name) in pairwise(units):
        if seconds >= size:
            rest = seconds % size // next_size
            return (
                f"{seconds // size} {name} {rest} {next_name}"
                if rest
                else f"{seconds // size} {name}"
            )
    return f"{seconds} s"


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago something was; `now` for the last second and for clocks that disagree."""
    length = now - moment
    return "now" if length < timedelta(seconds=1) else f"{span(length)} ago"


def took(length: timedelta) -> str:
    """Return how long a step took: `0.41 s`, `2 min 31 s`."""
    seconds = length.total_seconds()
    return f"{seconds:.2f} s" if seconds < _MINUTE else long_span(length)


def exact(moment: datetime) -> str:
    """Return date and time to the second with the zone: `24 Nov 2026 09:31:08 UTC`."""
    return f"{moment.day} {moment:%b %Y %H:%M:%S} UTC"


def exact_minute(moment: datetime) -> str:
    """Return date and time to the minute with the zone: `24 Nov 2026 09:31 UTC`."""
    return f"{moment.day} {moment:%b %Y %H:%M} UTC"
