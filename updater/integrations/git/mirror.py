"""`GitMirror`: a bare copy of one git repository in which commits are built from objects and pushed.

There is no working tree: a symlink, hook, filter or submodule of the repository is only data here. A write-back is
`fetch`, `find_trailers`, `read_files`, `commit`, `push`, best inside one `with mirror.locked():`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from updater.integrations.git import building, commits, signing, urls
from updater.integrations.git.changes import COMMITS_AT_ONCE, Changes, PathChange
from updater.integrations.git.commits import Signature
from updater.integrations.git.errors import (
    CommitNotFoundError,
    MirrorDamagedError,
    ObjectNotServedError,
    PushMovedError,
)
from updater.integrations.git.history import MAX_LOG, CommitFacts, History, Message
from updater.integrations.git.host import Host
from updater.integrations.git.mirror_folder import MirrorFolder
from updater.integrations.git.objects import Objects
from updater.integrations.git.process import Limits
from updater.integrations.git.signing import SigningKey
from updater.integrations.git.transport import Git, Passage, Remote

LOCK_WAIT_SECONDS = 120
_Result = TypeVar("_Result")


class GitMirror:
    """One git repository as seen from here; every method holds the mirror's lock while it runs."""

    def __init__(
        self,
        folder: Path,
        remote: Remote,
        *,
        limits: Limits | None = None,
        lock_wait_seconds: float = LOCK_WAIT_SECONDS,
        passage: Passage = nullcontext,
    ) -> None:
        self._name = urls.redact(remote.url)
        address = urls.parse(remote.url, allow_http=remote.allow_http)
        self._folder = MirrorFolder(
            folder, url=address.location, name=self._name, wait_seconds=lock_wait_seconds
        )
        git = Git(remote, self._folder, limits or Limits(), passage=passage)
        self._host = Host(git, self._folder)
        self._objects = Objects(git, folder)
        self._history = History(git, self._objects)
        self._changes = Changes(git, self._objects, self._host)
        self._fetched: set[str] = set()
        self._built: dict[str, str] = {}  # our commits and what each was built on

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the mirror over several calls."""
        with self._folder.locked():
            yield

    def fetch(self, branch: str) -> str:
        """Bring the branch here and return the SHA of its last commit."""
        with self.locked():
            self._objects.forget()  # somebody may have made the mirror anew meanwhile
            try:
                sha = self._host.fetch(branch)
            except MirrorDamagedError:
                self._folder.renew()
                sha = self._host.fetch(branch)
            self._fetched.add(branch)
            return sha

    def default_branch(self) -> str:
        """Return the branch the host calls its default."""
        with self.locked():
            return self._host.default_branch()

    def branch_exists(self, branch: str) -> bool:
        """Whether the host has the branch now."""
        with self.locked():
            return self._host.branch_exists(branch)

    def read_file(self, commit: str, path: str) -> bytes | None:
        """Return a file of a commit, None when absent; refuse what is not a regular file."""
        return self.read_files(commit, [path])[path]

    def read_files(self, commit: str, paths: Collection[str]) -> dict[str, bytes | None]:
        """Return several files of a commit with at most one question to the host."""
        if not paths:
            return {}
        return self._healed(lambda: self._read_files(commit, sorted(set(paths))))

    def find_trailers(
        self, wanted: Mapping[str, Collection[str]], *, tip: str, since: str | None
    ) -> dict[str, dict[str, str]]:
        """Return, for each trailer key, the oldest commit between `since` and `tip` with each value that is found."""
        return self._healed(lambda: self._history.find_trailers(wanted, tip=tip, since=since))

    def log(
        self, tip: str, since: str | None = None, *, limit: int = MAX_LOG
    ) -> tuple[CommitFacts, ...]:
        """Return the commits from `tip` back to `since` (not included), newest first."""
        return self._healed(lambda: self._history.log(tip, since, limit=limit))

    def log_of(
        self, path: str, tip: str, *, after: datetime, limit: int = MAX_LOG
    ) -> tuple[CommitFacts, ...]:
        """Return the commits that changed a path, made after a moment, newest first."""
        return self._healed(lambda: self._history.log_of(path, tip, after=after, limit=limit))

    def with_trailer(self, key: str, *, tip: str, since: str | None = None) -> tuple[Message, ...]:
        """Return the commits after `since` up to `tip` that have this trailer, children before parents."""
        return self._healed(lambda: self._history.with_trailer(key, tip=tip, since=since))

    def committed_by(self, email: str, *, tip: str) -> tuple[Message, ...]:
        """Return the commits up to `tip` of this committer, children before parents."""
        return self._healed(lambda: self._history.committed_by(email, tip=tip))

    def changes(self, commits: Sequence[str]) -> dict[str, tuple[PathChange, ...]]:
        """Return what each commit changes against its parent; nothing for a merge or a first commit."""
        found: dict[str, tuple[PathChange, ...]] = {}
        for start in range(0, len(commits), COMMITS_AT_ONCE):
            part = commits[start : start + COMMITS_AT_ONCE]
            found |= self._healed(partial(self._changes.read, part))
        return found

    def diff_names(self, old: str, new: str) -> tuple[str, ...]:
        """Return the paths whose mode or content differs between two commits."""
        return self._healed(lambda: self._history.diff_names(old, new))

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `ancestor` is in the history of `descendant`; a commit that is gone is in none."""
        return self._healed(lambda: self._history.is_ancestor(ancestor, descendant))

    def reachable(self, commits: Collection[str], tip: str) -> frozenset[str]:
        """Return those of the commits that are in the history of `tip`; a commit that is gone is in none."""
        return self._healed(lambda: self._history.reachable(commits, tip))

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor of two commits, None when they have none."""
        return self._healed(lambda: self._history.merge_base(one, other))

    def parents(self, sha: str) -> tuple[str, ...]:
        """Return the parents of a commit, the branch it was made on first."""
        return self._healed(lambda: self._history.parents(sha))

    def commit(  # noqa: PLR0913  the parts of a commit, each by name
        self,
        *,
        parent: str,
        files: Mapping[str, bytes],
        message: str,
        author: Signature,
        committer: Signature,
        at: datetime,
        sign: SigningKey | None = None,
    ) -> str:
        """Build a commit that changes exactly `files`, and return its SHA; the same input gives the same."""
        with self.locked():
            content = commits.payload(
                tree=self._healed(lambda: self._write_tree(parent, files)),
                parent=parent,
                author=author,
                committer=committer,
                at=at,
                message=message,
            )
            sha = self._objects.store("commit", self._signed(content, sign, at))
            self._built[sha] = parent
            return sha

    def push(self, sha: str, branch: str, *, expected: str | None) -> None:
        """Set the branch to `sha` if it still stands at `expected` (None: does not exist yet).

        A lease compares and swaps on the host; that `sha` follows `expected` is checked here first, so that
        history is never rewritten. A branch that already stands at `sha` is a success.
        """
        self._objects.require_sha(sha)
        with self.locked():
            if expected is not None and not self._follows(expected, sha):
                raise PushMovedError.of(self._name, f"{sha} does not follow {expected}")
            self._host.push(sha, branch, expected=expected)

    def delete_branch(self, branch: str, *, expected: str) -> None:
        """Remove the branch from the host if it still stands at `expected`."""
        self._objects.require_sha(expected)
        with self.locked():
            self._host.delete(branch, expected=expected)

    def _follows(self, expected: str, sha: str) -> bool:
        oldest = sha
        while oldest in self._built:
            oldest = self._built[oldest]
        if oldest == expected:
            return True  # built here, commit upon commit: no need to ask git
        try:
            return self._history.is_ancestor(expected, sha)
        except CommitNotFoundError as lost:
            raise MirrorDamagedError.of(self._name, f"{sha} must be built again") from lost

    def _healed(self, work: Callable[[], _Result]) -> _Result:
        """Do the work; on a damaged mirror make it anew once, with the branches fetched before."""
        with self.locked():
            try:
                return work()
            except MirrorDamagedError as damage:
                self._renew(damage, filtered=None)
            except ObjectNotServedError as refusal:
                self._renew(refusal, filtered=False)
            except CommitNotFoundError:
                if self._objects.has_all(self._folder.references()):
                    raise
                self._renew(MirrorDamagedError.of(self._name), filtered=None)
            return work()

    def _renew(
        self, reason: MirrorDamagedError | ObjectNotServedError, *, filtered: bool | None
    ) -> None:
        self._folder.renew(filtered=filtered)
        self._objects.forget()
        if (
            not self._fetched
        ):  # the caller's next attempt begins with a fetch, and finds the new mirror
            raise reason
        for branch in sorted(self._fetched):
            self._host.fetch(branch)

    def _read_files(self, commit: str, paths: Sequence[str]) -> dict[str, bytes | None]:
        found = self._objects.files(commit, paths)
        absent = [file.entry.sha for file in found.values() if file and file.content is None]
        if absent:
            self._host.fetch_contents(absent)
            found = self._objects.files(commit, paths)
        return {path: self._objects.content(path, file) for path, file in found.items()}

    def _write_tree(self, parent: str, files: Mapping[str, bytes]) -> str:
        snapshot = self._objects.snapshot(parent, list(files), contents=False)
        return building.write_tree(self._objects, snapshot, files, repository=self._name)

    def _signed(self, content: bytes, key: SigningKey | None, at: datetime) -> bytes:
        if key is None:
            return content
        with self._folder.private() as private:
            armor = signing.sign(content, key, private=private, repository=self._name, at=at)
        return commits.signed(content, armor)
