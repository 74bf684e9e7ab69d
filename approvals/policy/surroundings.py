"""What the gates of a promotion look at, gathered from the database by `facts`. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from approvals.policy.effective import NORMAL


@dataclass(frozen=True, slots=True)
class DigestFact:
    """What the registry said last about the tag."""

    state: str  # "same", "moved", "gone" or "unseen"
    now: str = ""  # the digest it stands for now
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HoldFact:
    """A standing hold that covers the promotion."""

    target: str
    reason: str
    by: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class UpstreamFact:
    """What another Application does with the same digest."""

    state: str  # "healthy", "unhealthy", "other" (digest), "missing"
    text: str  # in a sentence's words
    since: datetime | None = None  # since when it is healthy with this digest; None: not known
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that the gates of one promotion look at."""

    at: datetime
    start_by: datetime  # when the approval is, or would be, over
    digest: DigestFact
    mode: str = NORMAL
    holds: tuple[HoldFact, ...] = ()
    first_seen_at: datetime | None = None
    upstream: Mapping[str, UpstreamFact] = field(default_factory=dict)
    writers: tuple[str, ...] = ()  # who else writes the target
    writers_at: datetime | None = None
    sealed_version: str = ""
    current_version: str = ""
    policy_loaded_at: datetime | None = None
    policy_problem: str = ""  # the file is broken; an older version stands
    closed: str = ""  # no policy stands
