"""What holds for one Application, and the short hash that stands for it in a seal. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, is_dataclass

from approvals.policy.demands import Demands, Who
from approvals.policy.document import AutoApprove
from approvals.policy.schedules import Schedule

MODES = NORMAL, ROLLBACK, EMERGENCY = "normal", "rollback", "emergency"


@dataclass(frozen=True, slots=True)
class QuorumRule:
    """So many approvals by these people."""

    name: str
    who: Who
    count: int
    origins: tuple[str, ...]
    is_mandatory: bool = False


@dataclass(frozen=True, slots=True)
class UpstreamRule:
    """Where the same digest must be healthy first, and since how long."""

    application: str
    seconds: int
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WindowRule:
    """One deny window, or the allow windows of one rule, of which one must be open."""

    name: str
    schedules: tuple[Schedule, ...]
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WayOut:
    """Another quorum for rollbacks or emergencies, and the gates it may pass."""

    quorums: tuple[QuorumRule, ...]
    overrides: frozenset[str]
    min_reason: int = 0
    incident: bool = False
    review_within_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for one Application."""

    demands: Demands
    versions: Mapping[str, str]  # by mode
    quorums: tuple[QuorumRule, ...]
    exclude: frozenset[str]
    authors_unknown: str
    min_reason_approve: int
    min_reason_reject: int
    pending_seconds: int | None
    approved_seconds: int | None
    supersede: str
    pin: str
    soak_seconds: int
    upstream: tuple[UpstreamRule, ...]
    auto_approve: tuple[AutoApprove, ...]  # conditions that must all hold; empty: never
    allow: tuple[WindowRule, ...]
    deny: tuple[WindowRule, ...]
    emergency: WayOut | None
    rollback: WayOut | None
    two_writers: str

    def quorums_for(self, mode: str) -> tuple[QuorumRule, ...]:
        """Return the quorums of a normal promotion, a rollback or an emergency."""
        way_out = self.way_out(mode)
        return way_out.quorums if way_out is not None else self.quorums

    def way_out(self, mode: str) -> WayOut | None:
        """Return the way out that this mode takes, if the policy has one."""
        return {ROLLBACK: self.rollback, EMERGENCY: self.emergency}.get(mode)

    def origins(self, field: str) -> tuple[str, ...]:
        """Return the rules that a value comes from."""
        found = (demand.origins for key, demand in self.demands.items() if key.field == field)
        return tuple(sorted(frozenset().union(*found)))

    def version(self, mode: str = NORMAL) -> str:
        """Return a short hash of all that a decision stands under; names and origins do not count."""
        return self.versions[mode]


_SEALED = (
    "approvals",
    "mandatory_groups",
    "exclude",
    "when_authors_unknown",
    "min_reason.approve",
    "pin",
    "soak",
    "upstream",
    "windows.allow",
    "windows.deny",
    "two_writers",
)


def text_of(item: object) -> str:
    """Return an item's canonical text: the same for equal items, in every process."""
    if isinstance(item, AutoApprove):
        return item.model_dump_json()
    if isinstance(item, frozenset):
        return json.dumps(sorted(map(text_of, item)))
    return json.dumps(astuple(item) if is_dataclass(item) else item)  # type: ignore[arg-type]


def versions_of(demands: Demands) -> dict[str, str]:
    """Return the short hash that is sealed, by mode: a way out also stands under its own rule."""
    return {mode: _version(demands, mode) for mode in MODES}


def _version(demands: Demands, mode: str) -> str:
    facts = sorted(
        [key.field, text_of(key.item), demand.level]
        for key, demand in demands.items()
        if key.field in _SEALED or key.field.startswith(f"{mode}.")
    )
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]
