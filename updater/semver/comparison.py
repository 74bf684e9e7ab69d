"""One comparison of a constraint: what each operator accepts, partial versions included. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from updater.semver.version import Version


@dataclass(frozen=True, slots=True)
class Comparison:
    """An operator and its version; `given` counts the numbers before the first wildcard or gap."""

    operator: str
    version: Version
    given: int

    def accepts(self, version: Version) -> bool:
        """Say whether a version satisfies this comparison; pre-releases are the group's affair."""
        return _RULES[self.operator](version, self)


def _equal(version: Version, limit: Comparison) -> bool:
    if limit.given < 3:
        return _tilde(version, limit)
    return version.precedence == limit.version.precedence


def _unequal(version: Version, limit: Comparison) -> bool:
    if limit.given in {0, 3}:
        return version.precedence != limit.version.precedence
    same = version.major == limit.version.major
    if limit.given == 2:
        same = same and version.minor == limit.version.minor
        # `!=4.1-alpha` turns away that pre-release of every 4.1 patch and nothing else.
        if same and (version.prerelease or limit.version.prerelease):
            return version.prerelease != limit.version.prerelease
    return not same


def _greater(version: Version, limit: Comparison) -> bool:
    if limit.given in {0, 3}:
        return version.precedence > limit.version.precedence
    # `>11` asks for 12, `>11.1` for 11.2: a partial version stands for all it covers.
    if limit.given == 1 or version.major != limit.version.major:
        return version.major > limit.version.major
    return version.minor > limit.version.minor


def _less(version: Version, limit: Comparison) -> bool:
    return version.precedence < limit.version.precedence


def _at_least(version: Version, limit: Comparison) -> bool:
    return version.precedence >= limit.version.precedence


def _at_most(version: Version, limit: Comparison) -> bool:
    if limit.given == 3:
        return version.precedence <= limit.version.precedence
    if limit.given == 1 or version.major != limit.version.major:
        return version.major <= limit.version.major
    return version.minor <= limit.version.minor


def _tilde(version: Version, limit: Comparison) -> bool:
    if version.precedence < limit.version.precedence:
        return False
    if limit.given in {0, 3} and not (
        limit.version.major or limit.version.minor or limit.version.patch
    ):
        return True  # `~0.0.0` is any release: a special case of the library
    if version.major != limit.version.major:
        return False
    return limit.given == 1 or version.minor == limit.version.minor


def _caret(version: Version, limit: Comparison) -> bool:
    if version.precedence < limit.version.precedence:
        return False
    if version.major != limit.version.major:
        return False
    if limit.version.major or limit.given == 1:
        return True
    if version.minor != limit.version.minor:
        return False
    return bool(limit.version.minor) or limit.given == 2 or version.patch == limit.version.patch


_RULES: Mapping[str, Callable[[Version, Comparison], bool]] = {
    "": _equal,
    "=": _equal,
    "!=": _unequal,
    ">": _greater,
    "<": _less,
    ">=": _at_least,
    "=>": _at_least,
    "<=": _at_most,
    "=<": _at_most,
    "~": _tilde,
    "~>": _tilde,
    "^": _caret,
}
