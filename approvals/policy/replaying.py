"""What a draft policy would have done to the promotions of the past: blocked, delayed, decided by itself.

Only what was stored can be replayed: approvers with the groups they had, times, tags. What was not stored then,
such as another Application's health, is said to be unknown instead of guessed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from approvals.models import Decision, Promotion
from approvals.policy import automatic, durations, evaluation, facts, openings, words
from approvals.policy.effective import Effective
from approvals.policy.evaluation import Approval, Authors, Facts, Person


class Outcome(StrEnum):
    """What would have been different."""

    BLOCKED = "blocked"  # the approvals it had would not have been enough
    DELAYED = "delayed"  # it would have started later
    AUTOMATIC = "auto-approved"
    UNSATISFIABLE = "unsatisfiable"  # nobody could approve it, as people are now
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference, for one promotion."""

    outcome: Outcome
    promotion: Promotion
    rule: str
    sentence: str


def replay(
    promotions: Iterable[Promotion], effective: Mapping[int, Effective], now: dict[int, Facts]
) -> Iterator[Finding]:
    """Return what would have been different; `effective` and `now` (people of today) by Application."""
    for promotion in promotions:
        rules = effective[promotion.application_id]
        today = now[promotion.application_id]
        yield from _unsatisfiable(promotion, rules, today)
        if promotion.approved_at is not None:
            yield from _approvals(promotion, rules, today)
            yield from _start(promotion, rules, promotion.pushed_at or promotion.approved_at)
        yield from _automatic(promotion, rules)


def _unsatisfiable(promotion: Promotion, rules: Effective, today: Facts) -> Iterator[Finding]:
    asked = replace(
        today, mode=facts.mode_of(promotion), requested_by=promotion.requested_by, approvals=()
    )
    for quorum in evaluation.count(rules, _without_authors(asked)).quorums:
        if not quorum.is_satisfiable:
            able = (
                f"{quorum.name} needs {quorum.needed} of {quorum.who}, {len(quorum.eligible)} could"
            )
            yield _finding(Outcome.UNSATISFIABLE, promotion, quorum.origins, able)


def _approvals(promotion: Promotion, rules: Effective, today: Facts) -> Iterator[Finding]:
    standing = facts.standing_approvals(promotion)
    given = [row for row in standing if not row.is_automatic]
    if len(given) < len(standing) and automatic.would_have(promotion, rules):
        return
    then = _without_authors(
        replace(
            today,
            mode=facts.mode_of(promotion),
            requested_by=promotion.requested_by,
            people=tuple(_as_then(row, today) for row in given),
            approvals=tuple(Approval(_name_of(row), row) for row in given),
        )
    )
    for quorum in evaluation.count(rules, then).quorums:
        if quorum.missing:
            sentence = f"{quorum.name}: {len(quorum.given)} of {quorum.needed} by {quorum.who}"
            yield _finding(Outcome.BLOCKED, promotion, quorum.origins, sentence)
    if hidden := sorted(rules.exclude - {"requester"}):
        yield _finding(
            Outcome.UNKNOWN,
            promotion,
            rules.origins("exclude"),
            f"whether an approver is {' or '.join(hidden)} was not stored",
        )


def _as_then(decision: Decision, today: Facts) -> Person:
    """Return the approver with the groups and roles of that time; the draft's roles are those of today."""
    name = _name_of(decision)
    present = next((person for person in today.people if person.username == name), None)
    identity = decision.identity
    roles = frozenset(map(str, identity.get("roles") or ()))
    groups = frozenset(map(str, identity.get("groups") or ()))
    if present is not None:
        roles, groups = roles | present.roles, groups or present.groups
    return Person(name, groups=groups, roles=roles)


def _name_of(decision: Decision) -> str:
    return decision.by.get_username() if decision.by is not None else ""


def _start(promotion: Promotion, rules: Effective, at: datetime) -> Iterator[Finding]:
    opening = openings.look(rules.allow, rules.deny, at=at)
    if not opening.is_open:
        names = ", ".join(rule.name for rule in opening.because)
        origins = tuple(sorted({name for rule in opening.because for name in rule.origins}))
        yield _finding(
            Outcome.DELAYED, promotion, origins, f"closed at {at:%Y-%m-%d %H:%M}: {names}"
        )
    ready = promotion.candidate.found_at + timedelta(seconds=rules.soak_seconds)
    if rules.soak_seconds and at < ready:
        soak = durations.in_words(rules.soak_seconds)
        age = durations.about(at - promotion.candidate.found_at)
        yield _finding(
            Outcome.DELAYED, promotion, rules.origins("soak"), f"{age} old, {soak} of soak is asked"
        )
    for rule in rules.upstream:
        yield _finding(
            Outcome.UNKNOWN, promotion, rule.origins, f"what {rule.application} ran was not stored"
        )


def _automatic(promotion: Promotion, rules: Effective) -> Iterator[Finding]:
    if automatic.would_have(promotion, rules):
        health = any(item.healthy for item in rules.auto_approve)
        sentence = words.auto_approve_in_words(rules.auto_approve)
        if health:
            sentence += " (whether it was healthy was not stored)"
        origins = rules.origins("auto_approve")
        yield _finding(Outcome.AUTOMATIC, promotion, origins, sentence)


def _without_authors(asked: Facts) -> Facts:
    return replace(asked, builder=Authors(), commit_authors=Authors())


def _finding(
    outcome: Outcome, promotion: Promotion, origins: tuple[str, ...], sentence: str
) -> Finding:
    return Finding(outcome, promotion, ", ".join(origins), sentence)
