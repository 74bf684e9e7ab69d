"""A pull request as every host can tell it, and what we ask of a host. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

MAX_TITLE_LENGTH: Final = 255
MAX_BODY_LENGTH: Final = 65_536


class State(StrEnum):
    """Where a pull request stands."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"  # and not merged


class MergeMethod(StrEnum):
    """How a host brings the commits onto the base branch."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pull request that is to be opened."""

    head: str
    base: str
    title: str
    body: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One pull request; texts of the host are cleaned, "" where it does not say."""

    number: int
    name: str  # as people of that host say: "Pull request #12", "Merge request !12"
    url: str
    state: State
    head_sha: str
    merge_shas: tuple[str, ...] = ()  # by which commits the host says it was merged, best first
    ended_by: str = ""  # who merged or closed it
    obstacle: str = ""  # why the host would not merge it now
    methods: tuple[MergeMethod, ...] = (MergeMethod.MERGE,)  # which the repository allows


class PullRequestHost(Protocol):
    """The pull requests of one repository; every method may raise a `PullRequestError`."""

    def find(self, head: str, base: str, *, only_open: bool) -> tuple[PullRequest, ...]:
        """Return those from branch `head` to branch `base`, newest first."""
        ...

    def get(self, number: int) -> PullRequest:
        """Return one with all that is known of it."""
        ...

    def open(self, proposal: Proposal) -> PullRequest:
        """Open one, without labels; `ProposalExistsError` when there is one already."""
        ...

    def label(self, number: int, labels: tuple[str, ...]) -> None:
        """Add labels."""
        ...

    def comment(self, number: int, text: str) -> None:
        """Say something under it."""
        ...

    def close(self, number: int) -> None:
        """Close it without a merge."""
        ...

    def merge(self, pull_request: PullRequest, *, message: str) -> None:
        """Merge exactly its `head_sha`; `message` is used where commits are squashed into one.

        Raises:
            MergeRefusedError: not now.
        """
        ...
