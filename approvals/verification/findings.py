"""What a check says: what is wrong, and what it could not look at. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

INVARIANTS = {
    "I1": "Every written promotion has exactly one commit, reachable from its branch.",
    "I2": "Every commit of ours has an approved promotion whose authentication, files and values match.",
    "I3": "Nothing approved is lost: each is over, or is tried again within 15 minutes, or says whom it waits for.",
    "I4": "The change of a commit is the sealed change and nothing else.",
    "I5": "The trail is whole, and as Git knows it: each change of state has one row, in order; no row is without one.",
    "I6": "Enough different people approved, none of them the requester, each with the role at that time.",
    "I7": "Nothing was started in a freeze or a hold, after expiry, after a rejection, or with another digest.",
    "I8": "For each file and key, values were written in the order in which they were approved.",
    "I10": "The Application ends with the approved value, or the reason why not is recorded.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation: of what, about what, in words."""

    invariant: str
    about: str  # a promotion, a commit, an event
    sentence: str


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Something that could not be looked at, so that nothing is said about it."""

    invariant: str  # "" for several at once
    about: str
    why: str


@dataclass(slots=True)
class Report:
    """All checks together."""

    findings: list[Finding] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)
    checked: dict[str, int] = field(
        default_factory=dict
    )  # how many things each invariant looked at

    def add(self, invariant: str, told: Iterable["Finding | Unchecked"], *, count: int) -> None:
        """Take what a check said about so many things."""
        self.checked[invariant] = self.checked.get(invariant, 0) + count
        for item in told:
            if isinstance(item, Finding):
                self.findings.append(item)
            else:
                self.unchecked.append(item)

    @property
    def exit_code(self) -> int:
        """0 only when all was looked at and nothing found; 1 for a finding, 2 when something stayed unseen."""
        if self.findings:
            return 1
        return 2 if self.unchecked else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "invariants": INVARIANTS,
            "checked": self.checked,
            "findings": [asdict(finding) for finding in self.findings],
            "unchecked": [asdict(item) for item in self.unchecked],
        }
