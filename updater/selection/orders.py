"""What "newest" means under each strategy, with the reasons in words (specification 2.5 to 2.7). Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from updater import patterns, semver
from updater.errors import PermanentError
from updater.selection import moments
from updater.selection.model import Rules, Strategy, TagFacts
from updater.semver import Version

DEFAULT_PLATFORM = "linux/amd64"
SORTED_MODES = frozenset({"latest-first", "latest-last"})
_FUTURE_TOLERANCE = timedelta(minutes=5)

_Key = tuple[object, ...]


class ConstraintMissingError(PermanentError):
    """The digest strategy was given no tag to follow."""

    code: ClassVar[str] = "CONSTRAINT_MISSING"


class Order(Protocol):
    """How one strategy refuses, sorts and explains; `objection` comes first for every tag."""

    def objection(self, facts: TagFacts) -> str | None:
        """Say why the tag cannot be chosen; None when it can."""

    def key(self, facts: TagFacts) -> _Key:
        """Give the sort key; the greatest is chosen."""

    def praise(self, facts: TagFacts) -> str:
        """Say why the chosen tag is the one."""

    def lag(self, facts: TagFacts, chosen: TagFacts) -> str:
        """Say what puts a candidate behind the chosen tag."""


class VersionOrder:
    """Strategy semver: the highest version that satisfies the constraint."""

    def __init__(self, rules: Rules) -> None:
        self._constraint = semver.parse_constraint(rules.constraint or "*")
        self._is_given = bool(rules.constraint)
        self._versions: dict[str, Version] = {}

    def objection(self, facts: TagFacts) -> str | None:
        """Refuse what is no version, and what the constraint does not want."""
        try:
            version = semver.parse_version(facts.name)
        except semver.VersionError:
            return "is not a version"
        if self._constraint.check(version):
            self._versions[facts.name] = version
            return None
        if version.prerelease and self._constraint.check(version, prereleases=True):
            return f"pre-release, and {self._wish()}"
        return f"does not satisfy the constraint {self._constraint.text}"

    def key(self, facts: TagFacts) -> _Key:
        """Sort by precedence; equal versions by their text."""
        return (self._versions[facts.name].precedence, facts.name)

    def praise(self, facts: TagFacts) -> str:  # noqa: ARG002  part of Order
        """Name the constraint it is the highest of."""
        if self._is_given:
            return f"highest version that satisfies the constraint {self._constraint.text}"
        return "highest release (no constraint is given)"

    def lag(self, facts: TagFacts, chosen: TagFacts) -> str:
        """Tell lower from merely spelt otherwise."""
        mine, best = self._versions[facts.name].precedence, self._versions[chosen.name].precedence
        if mine == best:
            return f"same version as {chosen.name}, which is later in byte order"
        return f"lower than {chosen.name}"

    def _wish(self) -> str:
        if self._is_given:
            return f"the constraint {self._constraint.text} does not ask for pre-releases"
        return "without a constraint only releases count"


class BuildOrder:
    """Strategy newest-build: the latest creation date among the wanted platforms."""

    def __init__(self, rules: Rules, *, at: datetime | None) -> None:
        self._platforms = _Platforms(rules)
        self._latest = None if at is None else moments.since_epoch(at) + _FUTURE_TOLERANCE

    def objection(self, facts: TagFacts) -> str | None:
        """Refuse unknown dates, other platforms, and dates that cannot be true."""
        if facts.created is None:
            return "metadata not known: when it was built"
        objection = self._platforms.objection(facts)
        if objection is None and self._is_future(facts.created):
            return f"claims to be built in the future ({moments.shown(facts.created)})"
        return objection

    def key(self, facts: TagFacts) -> _Key:
        """Sort by date; equal dates by the tag's text."""
        return (_age(facts), facts.name)

    def praise(self, facts: TagFacts) -> str:
        """Name the date."""
        return f"newest build ({_built(facts)})"

    def lag(self, facts: TagFacts, chosen: TagFacts) -> str:
        """Tell older from built at the same time."""
        if _age(facts) == _age(chosen):
            return f"built at the same time as {chosen.name}, which is later in byte order"
        return f"older than {chosen.name} ({_built(chosen)})"

    def _is_future(self, created: datetime) -> bool:
        return self._latest is not None and moments.since_epoch(created) > self._latest


class ListOrder:
    """Strategy newest-build where the registry's list is sorted by time: the place is the date."""

    def __init__(self, *, sort_mode: str) -> None:
        self._mode = sort_mode
        self._direction = -1 if sort_mode == "latest-first" else 1

    def objection(self, facts: TagFacts) -> str | None:
        """Refuse a tag whose place is unknown."""
        return (
            "metadata not known: its place in the registry's list"
            if facts.position is None
            else None
        )

    def key(self, facts: TagFacts) -> _Key:
        """Sort by the place, from the end the sort mode names."""
        return (self._direction * (facts.position or 0), facts.name)

    def praise(self, facts: TagFacts) -> str:  # noqa: ARG002  part of Order
        """Name the sort mode."""
        return f"newest by its place in the registry's list ({self._mode})"

    def lag(self, facts: TagFacts, chosen: TagFacts) -> str:  # noqa: ARG002  part of Order
        """Name the tag whose place is better."""
        return f"older than {chosen.name} by its place in the registry's list ({self._mode})"


class TextOrder:
    """Strategy alphabetical: the last in byte order."""

    def objection(self, facts: TagFacts) -> str | None:  # noqa: ARG002  part of Order
        """Refuse nothing: the name filters are all there is."""
        return None

    def key(self, facts: TagFacts) -> _Key:
        """Sort as bytes; code points are in the order of their UTF-8 bytes."""
        return (facts.name,)

    def praise(self, facts: TagFacts) -> str:  # noqa: ARG002  part of Order
        """Say that it is the last."""
        return "last in byte order"

    def lag(self, facts: TagFacts, chosen: TagFacts) -> str:  # noqa: ARG002  part of Order
        """Name the last one."""
        return f"before {chosen.name} in byte order"


class DigestOrder(TextOrder):
    """Strategy digest: the one tag to follow, whatever stands behind it."""

    def __init__(self, rules: Rules) -> None:
        if not rules.constraint:
            raise ConstraintMissingError(
                "cannot use the digest strategy without a version constraint: "
                "name the tag to follow, as in image:latest"
            )
        self._platforms = _Platforms(rules)

    def objection(self, facts: TagFacts) -> str | None:
        """Refuse an unknown digest, and a single image for another platform."""
        if facts.digest is None:
            return "metadata not known: its digest"
        # An index is pinned whole, so its platforms are not looked at.
        return self._platforms.objection(facts) if len(facts.platforms or ()) == 1 else None

    def praise(self, facts: TagFacts) -> str:
        """Name the digest."""
        return f"the tag to follow, now {facts.digest}"


def order_of(rules: Rules, *, sort_mode: str = "", at: datetime | None = None) -> Order:
    """Give the order of a strategy.

    Raises:
        ConstraintError, ConstraintMissingError: the constraint does not suit the strategy.

    """
    is_sorted = sort_mode in SORTED_MODES
    orders: dict[Strategy, Callable[[], Order]] = {
        Strategy.SEMVER: lambda: VersionOrder(rules),
        Strategy.NEWEST_BUILD: lambda: (
            ListOrder(sort_mode=sort_mode) if is_sorted else BuildOrder(rules, at=at)
        ),
        Strategy.ALPHABETICAL: TextOrder,
        Strategy.DIGEST: lambda: DigestOrder(rules),
    }
    return orders[rules.strategy]()


def needs_metadata(strategy: Strategy, sort_mode: str) -> bool:
    """Say whether creation dates and platforms must be known to choose."""
    return strategy is Strategy.NEWEST_BUILD and sort_mode not in SORTED_MODES


def needs_digest(strategy: Strategy) -> bool:
    """Say whether the digest must be known to choose."""
    return strategy is Strategy.DIGEST


class _Platforms:
    """The wanted platforms; where none are configured, linux/amd64 and no proof asked for."""

    def __init__(self, rules: Rules) -> None:
        self._wanted = rules.platforms or (DEFAULT_PLATFORM,)
        self._is_configured = bool(rules.platforms)

    def objection(self, facts: TagFacts) -> str | None:
        if facts.platforms is None:
            return "metadata not known: its platforms" if self._is_configured else None
        if any(patterns.platform_matches(self._wanted, one) for one in facts.platforms):
            return None
        default = "" if self._is_configured else ", the default when no platforms are configured"
        return f"has no image for {' or '.join(self._wanted)}{default}"


def _age(facts: TagFacts) -> timedelta:
    return moments.since_epoch(facts.created) if facts.created else timedelta.min


def _built(facts: TagFacts) -> str:
    return f"built {moments.shown(facts.created)}" if facts.created else "build date not known"
