"""Demands of several rules, merged to the strictest. Pure.

Whatever a rule says becomes demands: a field, an item of it, and a level where higher is stricter (a count, the
seconds of a soak, minus the seconds until expiry, the place in a list from lax to strict). To merge is to take
the highest level of each item, so the order of the rules cannot matter and no rule is ever weakened by another.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from approvals.policy.document import (
    Defaults,
    Emergency,
    Expiry,
    MinReason,
    Quorum,
    Requirements,
    Rollback,
)
from approvals.policy.fields import Window

AUTHORS_UNKNOWN = ("warn", "one-more", "refuse")
SUPERSEDE = ("keep-approved", "newest")
PIN = ("tag", "digest")
TWO_WRITERS = ("warn", "refuse")
OVERRIDABLE = ("window", "soak", "upstream", "hold")
_FROM_LAX_TO_STRICT = {
    "when_authors_unknown": AUTHORS_UNKNOWN,
    "supersede": SUPERSEDE,
    "pin": PIN,
    "two_writers": TWO_WRITERS,
}


@dataclass(frozen=True, slots=True, order=True)
class Who:
    """Whose approvals count for a quorum."""

    role: str
    groups: tuple[str, ...]
    users: tuple[str, ...]

    def __str__(self) -> str:
        noun = "group" if len(self.groups) == 1 else "groups"
        groups = f"{noun} {', '.join(self.groups)}" if self.groups else ""
        users = ", ".join(self.users)
        role = f"role {self.role}" if self.role else ""
        return " or ".join(filter(None, (role, groups, users)))

    def includes(self, *, username: str, groups: Iterable[str], roles: Iterable[str]) -> bool:
        """Whether this person's approval counts."""
        return (
            username in self.users
            or not set(groups).isdisjoint(self.groups)
            or (bool(self.role) and self.role in roles)
        )


@dataclass(frozen=True, slots=True)
class Key:
    """What a demand is about."""

    field: str
    item: Hashable = ""


@dataclass(frozen=True, slots=True)
class Demand:
    """How much is demanded, by which rules, and how they call it."""

    level: int
    origins: frozenset[str]
    names: frozenset[str] = frozenset()


Demands = Mapping[Key, Demand]


def of_rule(requirements: Defaults, origin: str) -> dict[Key, Demand]:
    """Return what one rule, or the defaults, demands."""
    origins = frozenset({origin})
    demands: dict[Key, Demand] = {}
    for key, level, name in _said(requirements):
        new = Demand(level, origins, frozenset({name} - {""}))
        # The same people may be named twice in one rule, with different counts.
        demands[key] = _stricter(demands[key], new) if key in demands else new
    return demands


def merge(several: Iterable[Demands]) -> dict[Key, Demand]:
    """Return the strictest of all; equal demands keep all their origins and names."""
    merged: dict[Key, Demand] = {}
    for demands in several:
        for key, demand in demands.items():
            merged[key] = _stricter(merged[key], demand) if key in merged else demand
    return merged


def fill(demands: Demands, otherwise: Demands) -> dict[Key, Demand]:
    """Return the demands, and the others in every group of fields of which they say nothing."""
    spoken = {group_of(key.field) for key in demands}
    added = {key: value for key, value in otherwise.items() if group_of(key.field) not in spoken}
    return {**added, **demands}


def is_as_strict(demands: Demands, other: Demands) -> bool:
    """Whether everything that the other demands is demanded at least as much."""
    return all(key in demands and demands[key].level >= item.level for key, item in other.items())


def group_of(field: str) -> str:
    """Return the fields that are given together: the parts of an emergency, those of a rollback."""
    head, _, _ = field.partition(".")
    return head if head in ("emergency", "rollback") else field


def _stricter(one: Demand, other: Demand) -> Demand:
    if one.level != other.level:
        return max(one, other, key=lambda demand: demand.level)
    return Demand(one.level, one.origins | other.origins, one.names | other.names)


def _said(requirements: Defaults) -> Iterator[tuple[Key, int, str]]:
    for quorum in requirements.approvals or ():
        yield _quorum("approvals", quorum)
    for field, level in (*_words(requirements), *_numbers(requirements)):
        yield Key(field), level, ""
    if requirements.auto_approve is not None:
        yield Key("auto_approve", requirements.auto_approve), 1, ""
    yield from _emergency(requirements.emergency)
    if requirements.rollback is not None:
        yield from _way_out("rollback", requirements.rollback)
    if isinstance(requirements, Requirements):
        yield from _lists(requirements)


def _quorum(field: str, quorum: Quorum) -> tuple[Key, int, str]:
    groups, users = tuple(sorted(set(quorum.groups))), tuple(sorted(set(quorum.users)))
    return Key(field, Who(quorum.role or "", groups, users)), quorum.count, quorum.name


def _words(requirements: Defaults) -> Iterator[tuple[str, int]]:
    for field, words in _FROM_LAX_TO_STRICT.items():
        if (word := getattr(requirements, field)) is not None:
            yield field, words.index(word)


def _numbers(requirements: Defaults) -> Iterator[tuple[str, int]]:
    reason, expires = requirements.min_reason or MinReason(), requirements.expires or Expiry()
    numbers = {
        "soak": requirements.soak,
        "min_reason.approve": reason.approve,
        "min_reason.reject": reason.reject,
        "expires.pending": expires.pending and -expires.pending,
        "expires.approved": expires.approved and -expires.approved,
    }
    for field, number in numbers.items():
        if number is not None:
            yield field, number


def _emergency(emergency: Emergency | str | None) -> Iterator[tuple[Key, int, str]]:
    if isinstance(emergency, str):
        yield Key("emergency.never"), 1, ""
    elif emergency is not None:
        yield Key("emergency.min_reason"), emergency.min_reason, ""
        yield Key("emergency.incident"), int(emergency.incident), ""
        yield Key("emergency.review_within"), -emergency.review_within, ""
        yield from _way_out("emergency", emergency)


def _way_out(name: str, way_out: Emergency | Rollback) -> Iterator[tuple[Key, int, str]]:
    for quorum in way_out.approvals:
        yield _quorum(f"{name}.approvals", quorum)
    # What it may pass is a permission; what it may not pass adds up, so that is the demand.
    for gate in OVERRIDABLE:
        if gate not in way_out.overrides:
            yield Key(f"{name}.keeps", gate), 1, ""


def _lists(requirements: Requirements) -> Iterator[tuple[Key, int, str]]:
    for group in requirements.mandatory_groups:
        yield Key("mandatory_groups", group), 1, ""
    for exclusion in requirements.exclude:
        yield Key("exclude", exclusion), 1, ""
    for upstream in requirements.upstream:
        yield Key("upstream", upstream.application), upstream.duration, ""
    for window in requirements.windows.deny:
        yield Key("windows.deny", window.schedule), 1, _called(window)
    if allowed := requirements.windows.allow:
        # One item for the whole list: of each rule's allow windows, one must be open.
        key = Key("windows.allow", frozenset(window.schedule for window in allowed))
        for window in allowed:
            yield key, 1, _called(window)


def _called(window: Window) -> str:
    return f"{window.name}: {window.reason}" if window.reason else window.name
