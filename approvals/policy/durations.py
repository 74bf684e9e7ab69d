"""Durations as people write them in the policy file: 30m, 2h, 7d, 1d12h. Pure."""

import re
from datetime import timedelta

MAX_DAYS = 366
MEND = "is not a duration; write for example 30m, 2h, 7d or 1d12h"
_UNITS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
_WHOLE = re.compile(r"(?:[0-9]{1,7}[wdhms])+", re.ASCII)
_PART = re.compile(r"([0-9]+)([wdhms])", re.ASCII)


def seconds_of(text: str) -> int:
    """Return the seconds of a duration.

    Raises:
        ValueError: not a duration, or longer than a year; the sentence says how to write one.
    """
    if len(text) > 40 or not _WHOLE.fullmatch(text):
        raise ValueError(MEND)
    parts = _PART.findall(text)
    if len({unit for _, unit in parts}) < len(parts):
        raise ValueError("names a unit twice; write for example 1d12h")
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if seconds > MAX_DAYS * 86400:
        raise ValueError(f"is longer than {MAX_DAYS} days")
    return seconds


def in_words(seconds: float) -> str:
    """Return a span as people write it, exact to the second: `7d`, `1d 12h`, `90s` is `1m 30s`."""
    left, words = int(seconds), []
    for unit in ("d", "h", "m", "s"):
        number, left = divmod(left, _UNITS[unit])
        if number:
            words.append(f"{number}{unit}")
    return " ".join(words) or "0s"


def about(span: timedelta) -> str:
    """Return a span for a sentence: its two largest units."""
    seconds = max(0, int(span.total_seconds()))
    grain = 3600 if seconds >= 86400 else 60 if seconds >= 3600 else 1
    return in_words(seconds - seconds % grain)
