"""The grammar of single values: boolean, tag filters, platforms, parameter names."""

import re

from updater import patterns
from updater.configuration.findings import SettingError

_TRUE = frozenset(["1", "t", "T", "TRUE", "true", "True"])
_FALSE = frozenset(["0", "f", "F", "FALSE", "false", "False"])
_PLATFORM = re.compile(r"[A-Za-z0-9_.-]{1,64}(/[A-Za-z0-9_.-]{1,64}){1,2}")
_SEGMENT = re.compile(r"[A-Za-z0-9_\-/\\]+(\[[0-9]{1,4}\])*")
_VARIABLE = re.compile(r"[!-<>-~]{1,253}")  # what Kubernetes accepts: printable ASCII without "="
_MAX_KEY_LENGTH = 253
_MAX_SEGMENTS = 32


class BooleanError(SettingError):
    """Neither true nor false in Go's grammar."""

    code = "BAD_BOOLEAN"


class PlatformError(SettingError):
    """Not `os/arch[/variant]`."""

    code = "BAD_PLATFORM"


class ParameterNameError(SettingError):
    """Not a name a parameter, values path or variable can have."""

    code = "BAD_KEY"


def parse_boolean(text: str) -> bool:
    """Return the truth of a word in Go's grammar."""
    if text not in _TRUE | _FALSE:
        raise BooleanError('Neither true nor false: write "true" or "false".')
    return text in _TRUE


def parse_allow_tags(text: str) -> str | None:
    """Return the literal setting, or None for "all tags".

    Raises:
        PatternError: the expression does not compile, so no tag could match.
    """
    patterns.allow_pattern(text)
    return text or None


def parse_platforms(items: tuple[str, ...]) -> tuple[str, ...]:
    """Return the platforms; one that is not `os/arch[/variant]` could never match."""
    for platform in items:
        if not _PLATFORM.fullmatch(platform):
            raise PlatformError("A platform is os/arch or os/arch/variant, like linux/amd64.")
    return items


def parse_parameter(text: str) -> str | None:
    """Return the name of a Helm parameter or values path, None when empty."""
    name = text.strip()
    segments = name.split(".")
    is_long = len(name) > _MAX_KEY_LENGTH or len(segments) > _MAX_SEGMENTS
    if name and (is_long or not all(map(_SEGMENT.fullmatch, segments))):
        raise ParameterNameError(
            "Names are joined by dots and hold letters, digits, _ - / and list places like [0]; "
            f"at most {_MAX_KEY_LENGTH} characters and {_MAX_SEGMENTS} names."
        )
    return name or None


def parse_variable(text: str) -> str:
    """Return the name of a plugin's environment variable."""
    if not _VARIABLE.fullmatch(text):
        raise ParameterNameError(
            "A variable name is 1 to 253 printable characters without a space or an equals sign."
        )
    return text


def find_glob_fault(pattern: str) -> str | None:
    """Return what is wrong with an ignore-tags pattern, None for a good one; upstream ignores bad ones."""
    if pattern.lower().startswith("regexp:"):
        return f"{pattern} is read as a glob: ignore-tags knows no expressions, use * ? [a-z]."
    try:
        patterns.glob(pattern)
    except patterns.PatternError as error:
        return f"{error}. Until then it ignores nothing."
    return None
