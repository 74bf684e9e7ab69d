"""The effective policy in words, each value with where it comes from. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from approvals.policy import durations, openings
from approvals.policy.demands import Who
from approvals.policy.document import AutoApprove
from approvals.policy.effective import Effective, QuorumRule, WayOut, WindowRule
from approvals.policy.schedules import Schedule

_EXCLUDED = {
    "requester": "who asked for it",
    "builder": "who built the image",
    "commit-authors": "who wrote its commits",
}
_UNKNOWN = {
    "warn": "warn only",
    "one-more": "one more approval",
    "refuse": "nobody may approve",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One value of the effective policy."""

    name: str
    value: str
    origins: tuple[str, ...]


def lines(effective: Effective, *, at: datetime) -> tuple[Line, ...]:
    """Return every value in reading order, with the rules that it comes from."""
    return tuple(_lines(effective, at))


def approvals_in_words(effective: Effective, mode: str) -> str:
    """Return who must approve, as a sentence."""
    quorums = [_quorum(rule) for rule in effective.quorums_for(mode)]
    excluded = [
        words
        for name, words in _EXCLUDED.items()
        if name == "requester" or name in effective.exclude
    ]
    if excluded == [_EXCLUDED["requester"]]:
        excluded = ["the person who asked for it"]
    return f"{'; '.join(quorums)}, not by {' or '.join(excluded)}."


def auto_approve_in_words(conditions: tuple[AutoApprove, ...]) -> str:
    """Return what must hold for an approval without a person."""
    return "; ".join(_conditions(item) for item in conditions) or "never"


def _lines(effective: Effective, at: datetime) -> Iterator[Line]:
    for rule in effective.quorums:
        yield Line("Approvals", f"{rule.name}: {_quorum(rule)}", rule.origins)
    yield Line("Not by", _not_by(effective), effective.origins("exclude") or ("built-in",))
    yield Line("Authors unknown", _UNKNOWN[effective.authors_unknown],
               effective.origins("when_authors_unknown"))  # fmt: skip
    for verb, number in (
        ("approve", effective.min_reason_approve),
        ("reject", effective.min_reason_reject),
    ):
        field = f"min_reason.{verb}"
        yield Line(f"Reason to {verb}", f"{number} characters or more", effective.origins(field))
    yield from _times(effective)
    for window in (*effective.allow, *effective.deny):
        kind = "Open only" if window in effective.allow else "Closed"
        yield Line(kind, _window(window), window.origins)
    yield Line("Windows now", _opening(effective, at), ())
    yield from _ways_out(effective)
    yield Line("Superseding", effective.supersede, effective.origins("supersede"))
    yield Line("Pinned by", effective.pin, effective.origins("pin"))
    yield Line("Another writer", effective.two_writers, effective.origins("two_writers"))


def _times(effective: Effective) -> Iterator[Line]:
    yield Line("Soak", durations.in_words(effective.soak_seconds), effective.origins("soak"))
    for rule in effective.upstream:
        since = f" for {durations.in_words(rule.seconds)}" if rule.seconds else ""
        yield Line("Upstream", f"healthy in {rule.application}{since}", rule.origins)
    for name, field, seconds in (
        ("Pending expires after", "expires.pending", effective.pending_seconds),
        ("Approved expires after", "expires.approved", effective.approved_seconds),
    ):
        if seconds:
            yield Line(name, durations.in_words(seconds), effective.origins(field))


def _ways_out(effective: Effective) -> Iterator[Line]:
    automatic = auto_approve_in_words(effective.auto_approve)
    yield Line("Approved automatically", automatic, effective.origins("auto_approve"))
    for name, way_out in (("emergency", effective.emergency), ("rollback", effective.rollback)):
        if way_out is not None:
            origins = effective.origins(f"{name}.approvals")
            yield Line(name.capitalize(), _way_out(way_out), origins)
    if effective.emergency is None:
        yield Line("Emergency", "never", effective.origins("emergency.never"))


def _quorum(rule: QuorumRule) -> str:
    noun = "approval" if rule.count == 1 else "approvals"
    return f"{rule.count} {noun} by {_people(rule.who)}"


def _people(who: Who) -> str:
    return f"somebody with the {who}" if who.role else f"somebody of {who}"


def _not_by(effective: Effective) -> str:
    names = sorted({"requester", *effective.exclude})
    return ", ".join(_EXCLUDED[name] for name in names)


def _way_out(way_out: WayOut) -> str:
    parts = [_quorum(rule) for rule in way_out.quorums]
    if way_out.min_reason:
        parts.append(f"a reason of {way_out.min_reason} characters")
    if way_out.incident:
        parts.append("an incident")
    if way_out.review_within_seconds:
        parts.append(f"a review within {durations.in_words(way_out.review_within_seconds)}")
    if way_out.overrides:
        parts.append(f"passes {', '.join(sorted(way_out.overrides))}")
    return "; ".join(parts)


def _window(rule: WindowRule) -> str:
    return f"{rule.name} ({'; '.join(_schedule(item) for item in rule.schedules)})"


def _schedule(schedule: Schedule) -> str:
    first = f" from {schedule.first}" if schedule.first else ""
    length = durations.in_words(schedule.seconds)
    return f"{schedule.expression}{first}, {length}, {schedule.zone}"


def _opening(effective: Effective, at: datetime) -> str:
    if not (effective.allow or effective.deny):
        return "no windows"
    opening = openings.look(effective.allow, effective.deny, at=at)
    zone = (*effective.allow, *effective.deny)[0].schedules[0].zone
    until = openings.in_words(opening.changes_at, zone) if opening.changes_at else "no end in sight"
    return f"{'open' if opening.is_open else 'closed'} until {until}"


def _conditions(item: AutoApprove) -> str:
    parts = [f"version rises by {item.bump} at most"] if item.bump else []
    if item.tags:
        parts.append(f"tag matches {' or '.join(item.tags)}")
    if item.strategies:
        parts.append(f"strategy is {' or '.join(item.strategies)}")
    parts += [] if item.downgrade else ["no downgrade"]
    parts += ["the Application is healthy"] if item.healthy else []
    return ", ".join(parts)
