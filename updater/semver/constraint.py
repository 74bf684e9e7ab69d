"""The constraint grammar: comparisons, AND by blank or comma, OR by `||`, hyphen ranges, wildcards. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import re2

from updater.errors import PermanentError
from updater.semver.comparison import Comparison
from updater.semver.version import Version, VersionError, parse_version

LONGEST_CONSTRAINT = 1024

_BLANK = r"[\t\n\f\r ]"  # Go's \s: no vertical tab, no Unicode blanks
_OPERATOR = r"(?:=>|=<|!=|>=|<=|~>|[=><~^])?"
_PART = r"[0-9|xX*]+"  # upstream lets "1x" pass here; it only fails if the part counts
_SUFFIX = r"(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_OPERAND = rf"v?{_PART}(?:\.{_PART})?(?:\.{_PART})?{_SUFFIX}"

_COMPARISON = re.compile(
    rf"{_BLANK}*({_OPERATOR}){_BLANK}*v?({_PART})(?:\.({_PART}))?(?:\.({_PART}))?({_SUFFIX})"
)
_SEPARATOR = re.compile(rf"{_BLANK}*,|{_BLANK}+(?!$)")
# By RE2: searched for anywhere, and long runs of blanks must not cost a square.
_HYPHEN_RANGE = re2.compile(rf"{_BLANK}*({_OPERAND}){_BLANK}+-{_BLANK}+({_OPERAND}){_BLANK}*")
_WILDCARDS = frozenset({"x", "X", "*"})


class ConstraintError(PermanentError):
    """The text is not a version constraint."""

    code: ClassVar[str] = "BAD_CONSTRAINT"


@dataclass(frozen=True, slots=True)
class Constraint:
    """Groups of comparisons: a version must satisfy every comparison of one group."""

    text: str
    groups: tuple[tuple[Comparison, ...], ...]

    def check(self, version: Version, *, prereleases: bool = False) -> bool:
        """Say whether a version satisfies the constraint; `prereleases` lets them in unasked."""
        return any(_accepts(group, version, prereleases=prereleases) for group in self.groups)


def parse_constraint(text: str) -> Constraint:
    """Read a constraint; the empty one is `*`."""
    if len(text) > LONGEST_CONSTRAINT:
        raise ConstraintError(f"constraint {text[:40]!r}… is longer than {LONGEST_CONSTRAINT}")
    if not text.isascii():
        raise _refusal(text, text)
    alternatives = _HYPHEN_RANGE.sub(r">= \1, <= \2 ", text or "*").split("||")
    return Constraint(text, tuple(tuple(_comparisons(text, part)) for part in alternatives))


def _accepts(group: tuple[Comparison, ...], version: Version, *, prereleases: bool) -> bool:
    if version.prerelease and not prereleases:
        # One pre-release opens its whole group to them, and no other group.
        prereleases = any(comparison.version.prerelease for comparison in group)
        if not prereleases:
            return False
    return all(comparison.accepts(version) for comparison in group)


def _comparisons(text: str, group: str) -> Iterator[Comparison]:
    group = group.rstrip("\t\n\f\r ")
    position = 0
    while True:
        match = _COMPARISON.match(group, position)
        if match is None:
            raise _refusal(text, group[position:])
        yield _comparison(text, match)
        position = match.end()
        if position == len(group):
            return
        separator = _SEPARATOR.match(group, position)
        if separator is None:
            raise _refusal(text, group[position:])
        position = separator.end()


def _comparison(text: str, match: re.Match[str]) -> Comparison:
    operator, *parts, suffix = match.groups(default="")
    numbers: list[str] = []
    for part in parts:
        if not part or part in _WILDCARDS:
            break
        numbers.append(part)
    padded = ".".join([*numbers, *["0"] * (3 - len(numbers))])
    prerelease = suffix if len(numbers) == 3 else suffix.partition("+")[0]
    try:
        return Comparison(operator, parse_version(padded + prerelease), len(numbers))
    except VersionError as error:
        raise ConstraintError(f"constraint {text[:80]!r} is not understood: {error}") from error


def _refusal(text: str, rest: str) -> ConstraintError:
    return ConstraintError(
        f"constraint {text[:80]!r} is not understood at {rest.strip()[:40]!r}: "
        "write for example ^1.2, ~1.2.3, >=1.0 <2.0 or 1.x"
    )
