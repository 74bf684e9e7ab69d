"""Gates: what an approved promotion still waits for, each with its fact, age and next change. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from approvals.policy import durations, openings
from approvals.policy.effective import ROLLBACK, Effective, UpstreamRule
from approvals.policy.reasons import Reason
from approvals.policy.surroundings import HoldFact, Surroundings, UpstreamFact

PASS, WAIT, BLOCK, UNKNOWN, OVERRIDE = "pass", "wait", "block", "unknown", "override"
GATE_CLOSED = "gate_closed"  # error code of a promotion that waits for one
WORDS = {
    PASS: "Pass",
    WAIT: "Waiting",
    BLOCK: "Blocked",
    UNKNOWN: "Unknown",
    OVERRIDE: "Overridden",
}
_WORST_FIRST = (BLOCK, UNKNOWN, WAIT, PASS)


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: its verdict, the sentence, when the fact was seen, and when it may change by itself."""

    key: str
    name: str
    verdict: str
    text: str
    at: datetime | None = None
    changes_at: datetime | None = None
    rule: str = ""
    who: str = ""  # who can change it
    is_warning: bool = False  # it passes, and still somebody should read it
    brief: str = ""  # what a chip says, where the name is not enough
    speaks_of: tuple[str, ...] = ()  # other Applications, by their full names

    @property
    def word(self) -> str:
        """The verdict as a word."""
        return WORDS[self.verdict]

    @property
    def short(self) -> str:
        """What a chip has room for."""
        return self.brief or self.name

    @property
    def is_open(self) -> bool:
        """Whether an execution may pass it."""
        return self.verdict in (PASS, OVERRIDE)

    @property
    def reason(self) -> Reason:
        """The gate as a cause of waiting."""
        return Reason(
            code=f"gate_{self.key}",
            sentence=self.text,
            rule=self.rule,
            fact_at=self.at,
            who=self.who,
            changes_at=self.changes_at,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the gate as JSON values."""
        return {
            "gate": self.key,
            "name": self.name,
            "verdict": self.verdict,
            **self.reason.as_dict(),
        }


def judge(effective: Effective, around: Surroundings) -> tuple[Gate, ...]:
    """Return every gate, in the order in which people ask for them."""
    way_out = effective.way_out(around.mode)
    overrides = way_out.overrides if way_out is not None else frozenset()
    gates = (
        _digest(around),
        _window(effective, around),
        _hold(around),
        _soak(effective, around),
        _upstream(effective, around),
        _two_writers(effective, around),
        _policy(around),
    )
    return tuple(
        _overridden(gate, around.mode) if gate.key in overrides else gate for gate in gates
    )


def _overridden(gate: Gate, mode: str) -> Gate:
    if gate.is_open:
        return gate
    return replace(gate, verdict=OVERRIDE, text=f"{gate.text} The {mode} passes it.")


def _digest(around: Surroundings) -> Gate:
    fact = around.digest
    if fact.state == "gone":
        text, verdict = "The tag is gone from the registry.", BLOCK
    elif fact.state == "moved":
        text, verdict = f"The tag was pushed again; it is {fact.now[:19]} now.", BLOCK
    elif fact.state == "unseen":
        text, verdict = "The registry was not asked for this tag yet.", UNKNOWN
    else:
        text, verdict = "Same as sealed; asked again before anything is written.", PASS
    return Gate("digest", "Digest", verdict, text, at=fact.at, who="whoever pushes the image")


def _window(effective: Effective, around: Surroundings) -> Gate:
    if not (effective.allow or effective.deny):
        return Gate("window", "Window", PASS, "No window limits it.")
    opening = openings.look(effective.allow, effective.deny, at=around.at)
    zone = (*opening.because, *effective.allow, *effective.deny)[0].schedules[0].zone
    changes = opening.changes_at and openings.in_words(opening.changes_at, zone)
    gate = Gate("window", "Window", PASS, "", at=around.at, changes_at=opening.changes_at)
    if opening.is_open:
        return replace(gate, text=f"Open until {changes}." if changes else "Open.")
    names = "; ".join(rule.name for rule in opening.because)
    late = opening.changes_at is not None and opening.changes_at >= around.start_by
    return replace(
        gate,
        verdict=WAIT if changes else BLOCK,
        text=f"Closed ({names}). "
        + (f"Opens {changes}." if changes else "It does not open again in sight.")
        + (" That is after the approval is over." if late else ""),
        rule=", ".join(sorted({name for rule in opening.because for name in rule.origins})),
        who="whoever changes the policy file",
    )


def _hold(around: Surroundings) -> Gate:
    if not around.holds:
        return Gate("hold", "Hold", PASS, "Nobody holds it.", at=around.at)
    first = around.holds[0]
    endless = any(hold.until is None for hold in around.holds)
    ends = [hold.until for hold in around.holds if hold.until is not None]
    return Gate(
        "hold",
        "Hold",
        BLOCK if endless else WAIT,
        " ".join(_held(hold) for hold in around.holds),
        at=first.at,
        changes_at=None if endless else max(ends),
        who="somebody who may release holds",
    )


def _held(hold: HoldFact) -> str:
    return f"{hold.by} holds {hold.target}: {hold.reason.rstrip('. ')}."


def _soak(effective: Effective, around: Surroundings) -> Gate:
    gate = Gate("soak", "Soak", PASS, "No soak time is asked.", at=around.first_seen_at)
    if not effective.soak_seconds:
        return gate
    if around.mode == ROLLBACK:
        return replace(gate, text="A rollback goes back to what ran here.")
    rule, asked = ", ".join(effective.origins("soak")), durations.in_words(effective.soak_seconds)
    if around.first_seen_at is None:
        text = f"Nobody knows since when this digest exists; {asked} is asked."
        return replace(gate, verdict=UNKNOWN, text=text, rule=rule)
    ready = around.first_seen_at + timedelta(seconds=effective.soak_seconds)
    age = durations.about(around.at - around.first_seen_at)
    if around.at >= ready:
        return replace(gate, text=f"First seen {age} ago; {asked} is asked.", rule=rule)
    text = f"First seen {age} ago; {asked} is asked, {durations.about(ready - around.at)} are left."
    return replace(gate, verdict=WAIT, text=text, changes_at=ready, rule=rule)


def _upstream(effective: Effective, around: Surroundings) -> Gate:
    gate = Gate("upstream", "Upstream", PASS, "No Application must have it first.", at=around.at)
    if not effective.upstream:
        return gate
    if around.mode == ROLLBACK:
        return replace(gate, text="A rollback goes back to what ran here.")
    judged = [_one_upstream(rule, around) for rule in effective.upstream]
    worst = min(judged, key=lambda item: _WORST_FIRST.index(item.verdict))
    waits = [item.changes_at for item in judged if item.verdict == WAIT]
    known = [moment for moment in waits if moment is not None]
    only_waits = worst.verdict == WAIT and len(known) == len(waits)
    return replace(
        worst,
        text=" ".join(item.text for item in judged if item.verdict == worst.verdict),
        changes_at=max(known) if only_waits else None,
        speaks_of=tuple(rule.application for rule in effective.upstream),
    )


def _one_upstream(rule: UpstreamRule, around: Surroundings) -> Gate:
    fact = around.upstream.get(rule.application) or UpstreamFact("missing", "is not known here")
    gate = Gate("upstream", "Upstream", PASS, "", at=fact.at, rule=", ".join(rule.origins))
    gate = replace(gate, who=f"whoever promotes to {rule.application}")
    text = f"{rule.application} {fact.text}"
    if fact.state != "healthy":
        verdict = UNKNOWN if fact.state == "missing" else WAIT
        return replace(gate, verdict=verdict, text=f"{text}.")
    if not rule.seconds:
        return replace(gate, text=f"{text}.")
    asked = durations.in_words(rule.seconds)
    if fact.since is None:
        return replace(
            gate, verdict=UNKNOWN, text=f"{text}, nobody knows since when; {asked} is asked."
        )
    ready, age = (
        fact.since + timedelta(seconds=rule.seconds),
        durations.about(around.at - fact.since),
    )
    gate = replace(gate, text=f"{text} for {age}; {asked} is asked.")
    return gate if around.at >= ready else replace(gate, verdict=WAIT, changes_at=ready)


def _two_writers(effective: Effective, around: Surroundings) -> Gate:
    gate = Gate("two_writers", "Writers", PASS, "Nobody else writes it.", at=around.writers_at)
    if not around.writers:
        return gate
    text = f"It is also written by {', '.join(around.writers)}."
    if effective.two_writers == "warn":
        return replace(gate, text=text, is_warning=True)
    rule = ", ".join(effective.origins("two_writers"))
    return replace(gate, verdict=BLOCK, text=text, rule=rule, who="whoever runs the other writer")


def _policy(around: Surroundings) -> Gate:
    gate = Gate("policy", "Policy", PASS, "As sealed.", at=around.policy_loaded_at)
    gate = replace(gate, who="whoever looks after the policy file")
    if around.closed:
        return replace(gate, verdict=BLOCK, text=around.closed)
    if around.sealed_version != around.current_version:
        text = "The policy for this Application changed; it is sealed anew and decided again."
        return replace(gate, verdict=BLOCK, text=text)
    if around.policy_problem:
        text = f"An older version stands, because the file is broken: {around.policy_problem}"
        return replace(gate, text=text, is_warning=True)
    return gate
