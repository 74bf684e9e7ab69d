"""The pull requests of the git host, kept beside each repository: opened, talked about, merged, closed."""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from onebox.world.git_host.merging import FAST_FORWARD, MERGE, REBASE, ConflictError, Merger
from onebox.world.git_host.repositories import Repositories

OPEN, CLOSED, MERGED = "open", "closed", "merged"
_FILE = "pull-requests.json"
_HOST = "Git host <host@example.com>"


class PullError(Exception):
    """The host does not do it; the message is its answer."""


class AlreadyOpenError(PullError):
    """There is one of these branches."""


class NothingToMergeError(PullError):
    """No such branch, or it brings nothing."""


class NotMergeableError(PullError):
    """It conflicts, is over, or something required is missing."""


class HeadMovedError(PullError):
    """The branch does not stand where the caller believes."""


@dataclass(slots=True)
class Pull:
    """One pull request."""

    number: int
    title: str
    body: str
    head: str
    base: str
    head_sha: str
    author: str
    created_at: float
    state: str = OPEN
    merge_sha: str = ""
    method: str = ""
    ended_by: str = ""
    ended_at: float = 0.0
    labels: list[str] = field(default_factory=list)
    comments: list[tuple[str, str]] = field(default_factory=list)  # who, what
    blocked: str = ""  # what is missing before it may be merged: a check, a review


class Pulls:
    """All pull requests of all repositories."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories
        self._lock = threading.RLock()

    def all(self, name: str) -> list[Pull]:
        """Return those of a repository, newest first; an open one stands where its branch does."""
        with self._lock:
            return [self._current(name, pull) for pull in reversed(self._load(name))]

    def get(self, name: str, number: int) -> Pull | None:
        """Return one."""
        return next((pull for pull in self.all(name) if pull.number == number), None)

    def open(self, name: str, *, head: str, base: str, title: str, body: str, by: str) -> Pull:
        """Open one from branch to branch."""
        with self._lock:
            kept = self._load(name)
            if any((pull.head, pull.base, pull.state) == (head, base, OPEN) for pull in kept):
                raise AlreadyOpenError("pull request already exists for these targets")
            head_sha, base_sha = self._tip(name, head), self._tip(name, base)
            merger = self._merger(name)
            if not (head_sha and base_sha and merger.changes_something(base_sha, head_sha)):
                raise NothingToMergeError("There are no changes between the head and the base")
            number = len(kept) + 1
            pull = Pull(number, title, body, head, base, head_sha, by, time.time())
            self._save(name, [*kept, pull])
            return pull

    def close(self, name: str, number: int, *, by: str) -> None:
        """Close one that is open."""
        self._change(name, number, lambda pull: _end(pull, CLOSED, by))

    def comment(self, name: str, number: int, text: str, *, by: str) -> None:
        """Say something under one."""
        self._change(name, number, lambda pull: pull.comments.append((by, text)))

    def label(self, name: str, number: int, labels: list[str]) -> None:
        """Add labels to one."""
        self._change(name, number, lambda pull: pull.labels.extend(labels))

    def block(self, name: str, number: int, why: str) -> None:
        """Let something required be missing, "" for nothing."""
        self._change(name, number, lambda pull: setattr(pull, "blocked", why))

    def is_mergeable(self, name: str, pull: Pull) -> bool:
        """Whether git could merge it now."""
        try:
            self._merger(name).tree(self._tip(name, pull.base), pull.head_sha)
        except (ConflictError, subprocess.CalledProcessError):
            return False
        return True

    def merge(
        self, name: str, number: int, *, by: str, method: str = MERGE, message: str = "",
        head_sha: str = "",
    ) -> str:  # fmt: skip
        """Bring the branch onto its base, and return the SHA at which the base stands then."""
        with self._lock:
            pull = self.get(name, number)
            if pull is None or pull.state != OPEN:
                raise NotMergeableError("Pull request is not open")
            if head_sha and head_sha != pull.head_sha:
                raise HeadMovedError("head out of date")
            if pull.blocked:
                raise NotMergeableError(pull.blocked)
            sha = self._bring(name, pull, method, message or f"Merge pull request #{number}\n")
            self._change(name, number, lambda kept: _merged(kept, pull.head_sha, sha, method, by))
            return sha

    def _bring(self, name: str, pull: Pull, method: str, message: str) -> str:
        merger, base = self._merger(name), self._tip(name, pull.base)
        is_behind = merger.base_of(base, pull.head_sha) != base
        if method == FAST_FORWARD and is_behind:
            raise NotMergeableError("fast-forward is not possible")
        sha = (
            pull.head_sha
            if method == FAST_FORWARD
            else self._commit(merger, base, pull, method, message)
        )
        merger.move(pull.base, sha, base)
        return sha

    def _commit(self, merger: Merger, base: str, pull: Pull, method: str, message: str) -> str:
        try:
            tree = merger.tree(base, pull.head_sha)
        except ConflictError as conflict:
            raise NotMergeableError("Merge conflict") from conflict
        if method == REBASE:
            message = merger.message_of(pull.head_sha)
        parents = [base, pull.head_sha] if method == MERGE else [base]
        return merger.commit(tree, parents, message, _HOST)

    def _current(self, name: str, pull: Pull) -> Pull:
        if pull.state == OPEN:
            pull.head_sha = self._tip(name, pull.head) or pull.head_sha
        return pull

    def _change(self, name: str, number: int, change: Callable[[Pull], object]) -> None:
        with self._lock:
            kept = self._load(name)
            for pull in kept:
                if pull.number == number:
                    change(pull)
            self._save(name, kept)

    def _tip(self, name: str, branch: str) -> str:
        return self._repositories.tip(self._repositories.path(name), branch) or ""

    def _merger(self, name: str) -> Merger:
        return Merger(self._repositories.path(name))

    def _load(self, name: str) -> list[Pull]:
        file = self._file(name)
        found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        return [
            Pull(**{**item, "comments": [(who, what) for who, what in item["comments"]]})
            for item in found
        ]

    def _save(self, name: str, pulls: list[Pull]) -> None:
        text = json.dumps([asdict(pull) for pull in pulls])
        self._file(name).write_text(text, encoding="utf-8")

    def _file(self, name: str) -> Path:
        return self._repositories.path(name) / _FILE


def _end(pull: Pull, state: str, by: str) -> None:
    if pull.state == OPEN:
        pull.state, pull.ended_by, pull.ended_at = state, by, time.time()


def _merged(pull: Pull, head_sha: str, sha: str, method: str, by: str) -> None:
    _end(pull, MERGED, by)
    pull.head_sha, pull.merge_sha, pull.method = head_sha, sha, method
