"""Where a promotion and one person stand under the policy: pure evaluation of gathered facts.

An approval counts for every quorum that its giver belongs to, once each. The giver must still have the right to
decide, and must not be excluded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from approvals.policy.effective import NORMAL, Effective, QuorumRule
from approvals.policy.reasons import Reason


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, with what they are for one Application."""

    username: str
    full_name: str = ""
    email: str = ""
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    may_decide: bool = True


@dataclass(frozen=True, slots=True)
class Approval:
    """A standing approval of the current revision."""

    username: str
    record: Any = None  # the stored decision, for whoever shows it


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody who had a hand in what is promoted, as the outside names them."""

    address: str
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Authors:
    """Who built the image or wrote its commits; `problem` says why that is not fully known."""

    people: tuple[Author, ...] = ()
    problem: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision depends on."""

    at: datetime
    expires_at: datetime
    status: str = "PENDING"
    is_what: str = "is pending"
    status_sentence: str = ""
    mode: str = NORMAL
    requested_by: str = ""
    plan_error: str = ""
    closed: str = ""  # why no policy stands, so that nobody may approve
    approvals: tuple[Approval, ...] = ()
    automatic: Any = None  # the stored decision by which the policy alone approved it
    people: tuple[Person, ...] = ()  # everybody who may decide here
    viewer: Person | None = None
    builder: Authors = field(default_factory=Authors)
    commit_authors: Authors = field(default_factory=Authors)
    identities: Mapping[str, str] = field(default_factory=dict)  # e-mail address → username


@dataclass(frozen=True, slots=True)
class Excluded:
    """Somebody whose approval does not count for this promotion, and why."""

    username: str
    why: str


@dataclass(frozen=True, slots=True)
class QuorumStanding:
    """One quorum: what it needs, whose approvals it has, and who could still give one."""

    name: str
    who: str
    needed: int
    given: tuple[str, ...]
    eligible: tuple[str, ...]  # who could still approve
    excluded: tuple[Excluded, ...]
    origins: tuple[str, ...]

    @property
    def missing(self) -> int:
        """How many approvals it still needs."""
        return max(0, self.needed - len(self.given))

    @property
    def is_satisfiable(self) -> bool:
        """Whether enough people are left who could approve."""
        return self.missing <= len(self.eligible)


@dataclass(frozen=True, slots=True)
class Count:
    """How the approvals of a promotion stand, whoever looks."""

    quorums: tuple[QuorumStanding, ...]
    unknown: tuple[str, ...]  # what about builders and authors is not known
    refusal: Reason | None  # why nothing can be approved at all
    is_automatic: bool = False  # the policy alone approved it: nobody is missing

    @property
    def is_satisfied(self) -> bool:
        """Whether the approvals are enough."""
        return self.refusal is None and not self.missing

    @property
    def missing(self) -> int:
        """How many people must still approve."""
        return 0 if self.is_automatic else minimum_left(self.quorums)

    @property
    def wanting(self) -> tuple[QuorumStanding, ...]:
        """The quorums that still want somebody; all of them when none is missing anybody.

        A quorum may have become smaller by itself, as when authors became known: then any member completes it.
        """
        return tuple(quorum for quorum in self.quorums if quorum.missing) or self.quorums

    @property
    def unsatisfiable(self) -> tuple[str, ...]:
        """What can never be fulfilled as things are, in sentences."""
        blocked = () if self.refusal is None else (self.refusal.sentence,)
        wanting = () if self.is_automatic else self.quorums
        return (*blocked, *(_too_few(quorum) for quorum in wanting if not quorum.is_satisfiable))


def count(effective: Effective, facts: Facts) -> Count:
    """Count the approvals under the policy."""
    excluded, unknown = exclusions(effective, facts)
    extra = int(bool(unknown) and effective.authors_unknown == "one-more")
    return Count(
        quorums=tuple(
            _quorum(rule, facts, excluded, rule.count + (0 if rule.is_mandatory else extra))
            for rule in effective.quorums_for(facts.mode)
        ),
        unknown=unknown,
        refusal=_refusal(effective, facts, unknown),
        is_automatic=facts.automatic is not None,
    )


def exclusions(effective: Effective, facts: Facts) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return who is excluded and why, and what is not known about it."""
    excluded: dict[str, str] = {}
    unknown: list[str] = []
    for kind, authors, verb in (
        ("commit-authors", facts.commit_authors, "wrote"),
        ("builder", facts.builder, "built"),
    ):
        if kind in effective.exclude:
            for author in authors.people:
                _exclude(author, verb, facts, excluded, unknown)
            unknown += [authors.problem] if authors.problem else []
    if facts.requested_by:
        excluded[facts.requested_by] = "asked for this promotion"
    return excluded, tuple(unknown)


def minimum_left(quorums: tuple[QuorumStanding, ...]) -> int:
    """Return how many people must still approve, taking at each step who helps most."""
    missing = {quorum.name: quorum.missing for quorum in quorums if quorum.missing}
    eligible = {quorum.name: set(quorum.eligible) for quorum in quorums}
    left = 0
    while missing:
        people = set().union(*(eligible[name] for name in missing))
        if not people:
            return left + max(missing.values())
        best = max(
            sorted(people), key=lambda person: sum(person in eligible[name] for name in missing)
        )
        for name in [name for name in missing if best in eligible[name]]:
            missing[name] -= 1
            eligible[name].discard(best)
        missing = {name: number for name, number in missing.items() if number}
        left += 1
    return left


def _quorum(
    rule: QuorumRule, facts: Facts, excluded: Mapping[str, str], needed: int
) -> QuorumStanding:
    members = [person for person in facts.people if person.may_decide and _belongs(rule, person)]
    approvers = {approval.username for approval in facts.approvals}
    counted = [person.username for person in members if person.username not in excluded]
    return QuorumStanding(
        name=rule.name,
        who=str(rule.who),
        needed=needed,
        given=tuple(name for name in counted if name in approvers),
        eligible=tuple(name for name in counted if name not in approvers),
        excluded=tuple(
            Excluded(person.username, excluded[person.username])
            for person in members
            if person.username in excluded
        ),
        origins=rule.origins,
    )


def _belongs(rule: QuorumRule, person: Person) -> bool:
    return rule.who.includes(username=person.username, groups=person.groups, roles=person.roles)


def _exclude(
    author: Author, verb: str, facts: Facts, excluded: dict[str, str], unknown: list[str]
) -> None:
    what = f"commit {author.commit[:10]}" if author.commit else "the image"
    if names := _usernames(author.address, facts):
        for name in names:
            excluded.setdefault(name, f"{verb} {what}")
    else:
        unknown.append(f"{author.address} {verb} {what} and is nobody we know")


def _usernames(address: str, facts: Facts) -> set[str]:
    """Return who goes by this address; every account with it, for any of them could approve."""
    address = address.lower()
    names = {facts.identities[address]} if address in facts.identities else set()
    everybody = [*facts.people, *([facts.viewer] if facts.viewer else [])]
    return names | {
        person.username
        for person in everybody
        if address and address in (person.email.lower(), person.username.lower())
    }


def _refusal(effective: Effective, facts: Facts, unknown: tuple[str, ...]) -> Reason | None:
    if facts.closed:
        return Reason("policy_missing", facts.closed, who="whoever looks after the policy file")
    if unknown and effective.authors_unknown == "refuse":
        return Reason(
            "authors_unknown",
            f"It is not known who must not approve this: {unknown[0]}.",
            rule=", ".join(effective.origins("when_authors_unknown")),
            fact="; ".join(unknown),
            fact_at=facts.commit_authors.at,
            who="whoever can make the source readable, or the identity map of the policy file",
        )
    return None


def _too_few(quorum: QuorumStanding) -> str:
    able = len(quorum.given) + len(quorum.eligible)
    outs = f", {len(quorum.excluded)} excluded" if quorum.excluded else ""
    return (
        f"{quorum.name} needs {quorum.needed} of {quorum.who}, "
        f"and only {able} could approve{outs} (rule {', '.join(quorum.origins)})."
    )
