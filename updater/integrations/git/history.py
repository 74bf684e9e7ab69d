"""Questions about commits that need no more than our mirror: what was said, by whom, and what it touched."""

import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from updater.integrations.git.errors import (
    CommitNotFoundError,
    MirrorDamagedError,
    RepositoryTooLargeError,
)
from updater.integrations.git.objects import Objects
from updater.integrations.git.transport import Git

MAX_LOG = 1000
_TRAILER_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_SEPARATOR = "\x1f"
_TRAILER = "%(trailers:key={key},valueonly=true,unfold=true,separator=%x1f)"
_FACTS_FORMAT = "--format=%H%n%cI%n%an%n%ae%n%s"


@dataclass(frozen=True, slots=True)
class CommitFacts:
    """One commit as a list shows it."""

    sha: str
    author_name: str
    author_email: str
    subject: str
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """A commit as who answers for it: its parents, who committed it, and its trailers in order."""

    sha: str
    parents: tuple[str, ...]
    committer_email: str
    trailers: tuple[tuple[str, str], ...]


class History:
    """The history of one mirror."""

    def __init__(self, git: Git, objects: Objects) -> None:
        self._git = git
        self._objects = objects

    def find_trailers(
        self, wanted: Mapping[str, Collection[str]], *, tip: str, since: str | None
    ) -> dict[str, dict[str, str]]:
        """Return, for each trailer key, the oldest commit for each of its values; all keys in one walk."""
        if wrong := [key for key in wanted if not _TRAILER_KEY.fullmatch(key)]:
            raise ValueError(f"{wrong[0]!r} is not a trailer key")
        found: dict[str, dict[str, str]] = {key: {} for key in wanted}
        # Only the lines are looked for here; whether one is a trailer is git's own reading of the message.
        lines = [f"--grep={key}: {each}" for key in wanted for each in sorted(wanted[key])]
        if not lines:
            return found
        read = "%n".join(_TRAILER.format(key=key) for key in wanted)
        options = (f"--format=%H%n{read}", "--fixed-strings", "--regexp-ignore-case")
        for record in self._log(tip, since, *options, *lines):
            sha, *told = record.split("\n")
            for key, values in zip(wanted, told, strict=False):
                named = (each for each in values.split(_SEPARATOR) if each in wanted[key])
                found[key] |= dict.fromkeys(named, sha)
        return found

    def log(self, tip: str, since: str | None, *, limit: int = MAX_LOG) -> tuple[CommitFacts, ...]:
        """Return the commits from `tip` back to `since` (not included), newest first."""
        records = self._log(tip, since, f"--max-count={limit}", _FACTS_FORMAT)
        return tuple(_facts(record) for record in records)

    def log_of(
        self, path: str, tip: str, *, after: datetime, limit: int = MAX_LOG
    ) -> tuple[CommitFacts, ...]:
        """Return the commits that changed a path, made after a moment, newest first."""
        since = f"--since=@{int(after.timestamp())}"  # git keeps whole seconds
        options = (f"--max-count={limit}", since, _FACTS_FORMAT)
        records = self._log(tip, None, "--no-renames", *options, paths=(path,))
        return tuple(_facts(record) for record in records)

    def with_trailer(self, key: str, *, tip: str, since: str | None = None) -> tuple[Message, ...]:
        """Return the commits after `since` up to `tip` that have this trailer, children before parents."""
        return self._messages(
            tip, since, "--fixed-strings", "--regexp-ignore-case", f"--grep={key}:"
        )

    def committed_by(self, email: str, *, tip: str) -> tuple[Message, ...]:
        """Return the commits up to `tip` of this committer, children before parents."""
        return self._messages(tip, None, "--fixed-strings", f"--committer=<{email}>")

    def _messages(self, tip: str, since: str | None, *which: str) -> tuple[Message, ...]:
        trailers = "%(trailers:only=true,unfold=true)"
        told = f"--format=%H%n%P%n%ce%n{trailers}"
        return tuple(map(_message, self._log(tip, since, "--topo-order", told, *which)))

    def diff_names(self, old: str, new: str) -> tuple[str, ...]:
        """Return the paths whose mode or content differs between two commits."""
        shas = [self._objects.require_sha(sha) for sha in (old, new)]
        try:
            done = self._git.local("diff-tree", "-r", "-z", "--name-only", "--no-renames", *shas)
        except MirrorDamagedError:
            self._require(old)
            self._require(new)
            raise
        return tuple(name for name in _text(done.output).split("\0") if name)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `ancestor` is in the history of `descendant`; a commit that is gone is in none."""
        shas = [self._objects.require_sha(sha) for sha in (ancestor, descendant)]
        done = self._git.local("merge-base", "--is-ancestor", *shas, accept=(0, 1, 128))
        if done.code == 128:
            self._require(descendant)
            if self._objects.has(ancestor):
                raise MirrorDamagedError.of(self._git.name)
        return done.code == 0

    def reachable(self, commits: Collection[str], tip: str) -> frozenset[str]:
        """Return those of the commits that are in the history of `tip`; a commit that is gone is in none."""
        wanted = frozenset(self._objects.require_sha(sha) for sha in commits)
        if not wanted:
            return wanted
        try:
            # The whole history: `rev-list <commits> ^<tip>` is shorter, and wrong where clocks went wrong.
            done = self._git.local("rev-list", self._objects.require_sha(tip), "--")
        except MirrorDamagedError:
            self._require(tip)
            raise
        except RepositoryTooLargeError:  # over a million commits
            return frozenset(sha for sha in wanted if self.is_ancestor(sha, tip))
        return wanted.intersection(line[:40].decode("ascii") for line in io.BytesIO(done.output))

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor of two commits, None when they have none."""
        shas = [self._objects.require_sha(sha) for sha in (one, other)]
        done = self._git.local("merge-base", *shas, accept=(0, 1, 128))
        if done.code == 128:
            for sha in shas:
                self._require(sha)
            raise MirrorDamagedError.of(self._git.name)
        return _text(done.output).strip() or None

    def parents(self, sha: str) -> tuple[str, ...]:
        """Return the parents of a commit, the branch it was made on first."""
        self._require(self._objects.require_sha(sha))
        done = self._git.local("rev-list", "--parents", "--max-count=1", sha, "--")
        return tuple(_text(done.output).split()[1:])

    def _log(
        self, tip: str, since: str | None, *options: str, paths: Sequence[str] = ()
    ) -> list[str]:
        commits = [self._objects.require_sha(tip)]
        if since is not None:
            commits.append(f"^{self._objects.require_sha(since)}")
        try:
            done = self._git.local(
                "--literal-pathspecs",
                "log",
                "-z",
                "--encoding=UTF-8",
                *options,
                *commits,
                "--",
                *paths,
            )
        except MirrorDamagedError:
            self._require(tip)
            if since is None or self._objects.has(since):
                raise
            # Rewritten away: there is nothing before it that we could leave out.
            return self._log(tip, None, *options, paths=paths)
        return [record for record in _text(done.output).split("\0") if record]

    def _require(self, sha: str) -> None:
        if not self._objects.has(sha):
            raise CommitNotFoundError.of(self._git.name, sha)


def _message(record: str) -> Message:
    sha, parents, email, told = [*record.split("\n", 3), "", "", ""][:4]
    pairs = (line.partition(": ") for line in told.splitlines() if ": " in line)
    return Message(
        sha, tuple(parents.split()), email, tuple((key, value) for key, _, value in pairs)
    )


def _facts(record: str) -> CommitFacts:
    sha, committed_at, name, email, subject = [*record.split("\n", 4), "", "", "", ""][:5]
    return CommitFacts(sha, name, email, subject, datetime.fromisoformat(committed_at))


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")
