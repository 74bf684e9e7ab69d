"""What the checks look at, as plain values: rows of the database and commits of branches. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

STARTED = frozenset(
    {"APPROVED", "EXECUTING", "VERIFYING", "SUCCEEDED", "FAILED", "ERRORED", "UNKNOWN"}
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One sealed scalar; `old` is None where the file had none."""

    key: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file as it was sealed."""

    path: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class PromotionFacts:
    """A promotion and its seal, as far as the checks ask."""

    id: str
    status: str
    application: str
    tracked_image: int
    kind: str = "forward"
    alias: str = ""
    seal: str = ""
    authentication: str = ""  # what only we can write into its commit
    tag: str = ""
    digest: str = ""
    sealed_digest: str = ""
    method: str = "git"
    repository: str = ""
    branch: str = ""
    is_pull_request: bool = False
    paths: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    beside: tuple[Edit, ...] = ()  # of other images: what runs already, shown with the plan
    files: tuple[PlannedFile, ...] = ()
    commit: str = ""
    status_at: datetime | None = None
    status_reason: str = ""
    error_code: str = ""
    created_at: datetime | None = None
    approved_at: datetime | None = None
    pushed_at: datetime | None = None
    expires_at: datetime | None = None
    next_attempt_at: datetime | None = None
    requested_by: str = ""
    revision: int = 1

    @property
    def is_written(self) -> bool:
        """Whether the database says that its commit stands on the branch."""
        return bool(self.commit)

    @property
    def name(self) -> str:
        """What a finding calls it."""
        return f"promotion {self.id}"


@dataclass(frozen=True, slots=True)
class EventFacts:
    """A row of the audit trail about a promotion."""

    sequence: int
    at: datetime
    kind: str
    promotion: str
    actor: str = ""
    actor_kind: str = "machine"
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """One attempt to carry out a promotion."""

    promotion: str
    attempt: int
    started_at: datetime
    ended_at: datetime | None
    status: str
    intended_commit: str = ""
    is_lease_current: bool = False


@dataclass(frozen=True, slots=True)
class FileChange:
    """A path that a commit changes: modes as Git writes them ("000000" is absent), contents, None when absent."""

    path: str
    old_mode: str
    new_mode: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class CommitFacts:
    """A commit that carries our trailers or our identity."""

    sha: str
    parents: tuple[str, ...]
    committer: str  # its e-mail address
    promotions: tuple[str, ...] = ()  # the ids it names
    authentications: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()  # image@digest, as its trailers say
    heads: tuple[str, ...] = ()  # of the audit trail when it was made, number:hash
    changes: tuple[FileChange, ...] = ()

    @property
    def name(self) -> str:
        """What a finding calls it."""
        return f"commit {self.sha[:10]}"


@dataclass(frozen=True, slots=True)
class BranchFacts:
    """A branch that promotions write to: our commits on it, oldest first."""

    repository: str
    branch: str
    tip: str
    commits: tuple[CommitFacts, ...] = ()
    reachable: frozenset[str] = frozenset()  # of the commits that the database names

    @property
    def place(self) -> tuple[str, str]:
        """The repository and the branch."""
        return self.repository, self.branch
