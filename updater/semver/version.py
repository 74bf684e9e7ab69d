"""The coercing version grammar `[v]MAJOR[.MINOR[.PATCH]][-PRERELEASE][+METADATA]` and precedence. Pure."""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from updater.errors import PermanentError

LONGEST_VERSION = 256  # twice the longest tag
_LARGEST_PART = 2**64 - 1
_LARGEST_PART_DIGITS = len(str(_LARGEST_PART))

# Every part starts with a character the part before it cannot hold: matching never goes back.
_VERSION = re.compile(
    r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)

_Identifier = tuple[int, int, str]  # (0, number, "") sorts below (1, 0, text)
Precedence = tuple[int, int, int, int, tuple[_Identifier, ...]]


class VersionError(PermanentError):
    """The text is not a version."""

    code: ClassVar[str] = "BAD_VERSION"


@dataclass(frozen=True, slots=True)
class Version:
    """A parsed version; equality is that of the text, order that of `precedence`."""

    original: str
    major: int
    minor: int
    patch: int
    prerelease: str
    metadata: str
    precedence: Precedence = field(repr=False)  # the sort key; metadata plays no part in it


def parse_version(text: str) -> Version:
    """Read a version; missing parts are 0, leading zeros of the numeric parts are dropped."""
    if len(text) > LONGEST_VERSION:
        raise VersionError(f"{text[:40]!r}… is not a version: longer than {LONGEST_VERSION}")
    match = _VERSION.fullmatch(text)
    if match is None:
        raise VersionError(f"{text!r} is not a version: want [v]MAJOR[.MINOR[.PATCH]][-PRERELEASE]")
    major, minor, patch, prerelease, metadata = match.groups(default="")
    _refuse_leading_zeros(text, prerelease)
    numbers = (_part(text, major), _part(text, minor), _part(text, patch))
    return Version(text, *numbers, prerelease, metadata, (*numbers, *_rank(prerelease)))


def _part(text: str, digits: str) -> int:
    significant = digits.lstrip("0") or "0"
    if len(significant) > _LARGEST_PART_DIGITS or int(significant) > _LARGEST_PART:
        raise VersionError(f"{text!r} is not a version: {digits} is above {_LARGEST_PART}")
    return int(significant)


def _refuse_leading_zeros(text: str, prerelease: str) -> None:
    for identifier in prerelease.split("."):
        if len(identifier) > 1 and identifier[0] == "0" and identifier.isdigit():
            raise VersionError(
                f"{text!r} is not a version: pre-release number {identifier} begins with 0"
            )


def _rank(prerelease: str) -> tuple[int, tuple[_Identifier, ...]]:
    if not prerelease:
        return (1, ())
    return (0, tuple(map(_identifier, prerelease.split("."))))


def _identifier(text: str) -> _Identifier:
    # Above 64 bits a number is text, as it is for the library that set the rule.
    if text.isdigit() and len(text) <= _LARGEST_PART_DIGITS and int(text) <= _LARGEST_PART:
        return (0, int(text), "")
    return (1, 0, text)
