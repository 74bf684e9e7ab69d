"""The plain values that travel between the database side and the network side of a scan. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from updater.configuration.registries import Endpoint
from updater.errors import UpdaterError
from updater.integrations.registry import Credentials, Manifest, TagList


@dataclass(frozen=True, slots=True)
class Job:
    """One image repository to scan: where it is, who may read it, for which platforms it is wanted."""

    repository_id: int
    host: str  # of the image names: the Registry row
    name: str  # as image names spell it
    path: str  # as the registry's API wants it
    endpoint: Endpoint
    platforms: tuple[str, ...]
    logins: tuple[Credentials | None, ...]  # to try, in this order
    login_error: UpdaterError | None = None  # why there is none

    @property
    def full_name(self) -> str:
        """As people read it."""
        return f"{self.host}/{self.name}"


@dataclass(frozen=True, slots=True)
class Listed:
    """A job whose tags were listed, and what that took."""

    job: Job
    listing: TagList
    requests: int


@dataclass(frozen=True, slots=True)
class Errand:
    """What to ask for next: digests of known tags, and manifests of tags (with the digest, where known)."""

    heads: tuple[str, ...] = ()
    reads: Mapping[str, str] = field(default_factory=dict)  # tag -> digest or ""
    known: frozenset[str] = frozenset()  # digests that are never fetched again

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing left to ask."""
        return not self.heads and not self.reads


@dataclass(slots=True)
class Harvest:
    """What an errand brought home."""

    digests: dict[str, str] = field(default_factory=dict)  # tag -> digest behind it
    manifests: dict[str, Manifest] = field(default_factory=dict)  # digest -> manifest
    problems: dict[str, str] = field(default_factory=dict)  # digest -> why it is unusable
    failures: dict[str, UpdaterError] = field(default_factory=dict)  # tag -> why it is unreadable
    fatal: UpdaterError | None = None  # why the errand was broken off

    def take(self, other: "Harvest") -> None:
        """Add what another errand brought."""
        self.digests |= other.digests
        self.manifests |= other.manifests
        self.problems |= other.problems
        self.failures |= other.failures
        self.fatal = self.fatal or other.fatal


@dataclass(frozen=True, slots=True)
class ScanError:
    """One image repository (or registry) that could not be scanned, and why."""

    subject: str
    code: str
    message: str


@dataclass(slots=True)
class ScanSummary:
    """What one call of `scan_due` did."""

    repositories: int = 0
    candidates: int = 0
    requests_by_kind: dict[str, int] = field(default_factory=dict)
    errors: list[ScanError] = field(default_factory=list)

    def add(self, requests: Mapping[str, int], *, repositories: int = 0, offers: int = 0) -> None:
        """Count one scan."""
        self.repositories += repositories
        self.candidates += offers
        for kind, count in requests.items():
            self.requests_by_kind[kind] = self.requests_by_kind.get(kind, 0) + count

    def take(self, other: "ScanSummary") -> None:
        """Add what another registry's scans did."""
        self.add(other.requests_by_kind, repositories=other.repositories, offers=other.candidates)
        self.errors += other.errors
