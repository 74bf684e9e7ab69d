"""The words of choosing: strategy, facts of a tag, rules, verdicts. Pure values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from updater.errors import PermanentError


class StrategyError(PermanentError):
    """The text names no update strategy."""

    code: ClassVar[str] = "BAD_STRATEGY"


class Strategy(StrEnum):
    """How "newest" is chosen (specification 2.5 to 2.7); old names are read, new names are shown."""

    SEMVER = "semver"
    NEWEST_BUILD = "newest-build"
    ALPHABETICAL = "alphabetical"
    DIGEST = "digest"


_OLD_NAMES = {"latest": Strategy.NEWEST_BUILD, "name": Strategy.ALPHABETICAL}
_STRATEGIES = {**{strategy.value: strategy for strategy in Strategy}, **_OLD_NAMES}


def parse_strategy(text: str, *, exact: bool = False) -> Strategy:
    """Read a strategy's name in any case; `exact` falls back to semver as upstream does."""
    strategy = _STRATEGIES.get(text.lower())
    if strategy is not None:
        return strategy
    if exact:
        return Strategy.SEMVER
    raise StrategyError(
        f"update-strategy {text[:80]!r} is not known: use semver, newest-build, alphabetical or digest"
    )


@dataclass(frozen=True, slots=True)
class TagFacts:
    """What is known of one tag; metadata is None where nobody asked for it."""

    name: str
    digest: str | None = None
    created: datetime | None = None
    platforms: tuple[str, ...] | None = None
    position: int | None = None  # place in the registry's list, for tagsortmode


@dataclass(frozen=True, slots=True)
class Rules:
    """What one image may move to: the settings of the image as they were written."""

    strategy: Strategy = Strategy.SEMVER
    constraint: str | None = None
    allow_tags: str | None = None  # "any", "regexp:…"; None: all tags
    ignore_tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()  # empty: linux/amd64, the default of ours
    refused: frozenset[str] = frozenset()  # digests that are not to be offered again


@dataclass(frozen=True, slots=True)
class Verdict:
    """One tag's fate: `chosen`, `candidate` (allowed, not the newest), `rejected`, with the rule in words."""

    tag: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen tag (None: no candidate), an error sentence (None: none), and a verdict per tag."""

    chosen: TagFacts | None
    error: str | None
    verdicts: tuple[Verdict, ...]
