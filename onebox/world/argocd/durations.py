"""Go durations such as `1h30m`; pure."""

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


class DurationError(ValueError):
    """The text is no duration."""


def parse(text: str, *, bare_is_seconds: bool = False) -> float:
    """Return seconds. Raises: DurationError."""
    if bare_is_seconds and text.isdecimal():
        return float(text)
    if text != "0" and not re.fullmatch(rf"(?:{_PART.pattern})+", text):
        raise DurationError(f"invalid duration: {text!r}")
    return sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(text))
