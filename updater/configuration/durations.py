"""Go durations such as `12h` or `1h30m`, in seconds."""

import re

from updater.configuration.findings import SettingError

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(ns|us|µs|μs|ms|s|m|h)")
_WHOLE = re.compile(f"(?:{_PART.pattern}){{1,16}}")


class DurationError(SettingError):
    """Not a duration."""

    code = "BAD_DURATION"


def parse_seconds(text: str) -> float | None:
    """Return the seconds, None for an absent or zero duration."""
    if text in ("", "0"):
        return None
    if not _WHOLE.fullmatch(text):
        raise DurationError("Write a duration with its unit, like 12h, 30m or 1h30m.")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)) or None
