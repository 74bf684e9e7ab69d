"""The repositories Applications read: branch to commit with a cache, and commits as snapshots."""

import hashlib
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onebox.world.argocd.git import Git, GitError, commit_files, read_files
from onebox.world.argocd.repository_credentials import Login
from onebox.world.argocd.snapshot import RenderError, Snapshot

# repository, project, whether to write; None is anonymous
FindLogin = Callable[[str, str, bool], Login | None]

_SHA = re.compile(r"[0-9a-f]{40}")
_COMMITS_KEPT = 32
_EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


@dataclass
class Repositories:
    """Bare mirrors under one folder; safe to use from several threads."""

    folder: Path
    find_login: FindLogin
    cache_seconds: float
    clock: Callable[[], float] = time.monotonic
    _heads: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)
    _files: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)
    _locks: defaultdict[str, threading.Lock] = field(
        default_factory=lambda: defaultdict(threading.Lock)
    )

    def resolve(self, url: str, revision: str, project: str, *, is_fresh: bool) -> str:
        """Return the commit of a branch, tag or SHA; not fresh, the answer may be from the cache.

        Raises: RenderError.
        """
        if _SHA.fullmatch(revision):
            return revision
        known = self._heads.get((url, revision))
        if known and not is_fresh and self.clock() - known[1] < self.cache_seconds:
            return known[0]
        commit = self._ask(url, revision, project)
        self._heads[url, revision] = (commit, self.clock())
        return commit

    def snapshot(self, url: str, commit: str, path: str, project: str) -> Snapshot:
        """Return a directory of a commit. Raises: RenderError."""
        git = self._mirror(url, project)
        with self._locks[url]:
            if (url, commit) not in self._files:
                self._have(git, url, commit)
                self._files[url, commit] = read_files(git, commit)
                for oldest in list(self._files)[:-_COMMITS_KEPT]:
                    del self._files[oldest]
            return Snapshot(path.strip("/"), self._files[url, commit])

    def changed_files(self, url: str, old: str, new: str, project: str) -> list[str]:
        """Return the paths that differ between two commits. Raises: RenderError."""
        git = self._mirror(url, project)
        with self._locks[url]:
            self._have(git, url, new)
            try:
                names = git.run("diff", "--name-only", "-z", old, new)
            except GitError as error:
                raise RenderError(f"failed to compare {old} and {new}: {error}") from error
        return [name for name in names.decode("utf-8", "replace").split("\0") if name]

    def push_files(
        self, url: str, branch: str, files: Mapping[str, bytes], message: str, project: str
    ) -> str:
        """Commit files on top of a branch, or as its first commit, and return the commit. Raises: RenderError."""
        git = self._mirror(url, project, is_write=True)
        with self._locks[url]:
            try:
                head = (
                    git.run("ls-remote", "--", url, f"refs/heads/{branch}").decode().split("\t")[0]
                )
                if head:
                    self._have(git, url, head)
                commit = commit_files(git, head or None, files, message)
                git.run("push", "-q", "--", url, f"{commit}:refs/heads/{branch}")
            except GitError as error:
                raise RenderError(f"failed to push to {branch}: {error}") from error
        self._heads.pop((url, branch), None)
        return commit

    def _ask(self, url: str, revision: str, project: str) -> str:
        name = revision or "HEAD"
        wanted = (f"refs/heads/{name}", f"refs/tags/{name}^{{}}", f"refs/tags/{name}", name)
        try:
            answer = self._mirror(url, project).run("ls-remote", "--", url).decode()
        except GitError as error:
            raise RenderError(f"failed to list refs: {error}") from error
        refs = {}
        for line in answer.splitlines():
            commit, _, ref = line.partition("\t")
            refs[ref] = commit
        found = next((refs[ref] for ref in wanted if ref in refs), None)
        if found is None:
            raise RenderError(f"unable to resolve '{name}' to a commit SHA")
        return found

    def _mirror(self, url: str, project: str, *, is_write: bool = False) -> Git:
        folder = self.folder / hashlib.sha256(url.encode()).hexdigest()[:16]
        git = Git(folder, self.find_login(url, project, is_write))
        with self._locks["init"]:
            if not folder.exists():
                self.folder.mkdir(parents=True, exist_ok=True)
                git.run("init", "-q", "--bare", str(folder))
        return git

    def _have(self, git: Git, url: str, commit: str) -> None:
        if _has(git, commit):
            return
        try:
            git.run(
                "fetch",
                "-q",
                "--no-tags",
                url,
                "+refs/heads/*:refs/heads/*",
                "+refs/tags/*:refs/tags/*",
            )
        except GitError as error:
            raise RenderError(f"failed to fetch {commit}: {error}") from error
        if not _has(git, commit):
            raise RenderError(f"failed to checkout {commit}: no such commit")


def _has(git: Git, commit: str) -> bool:
    try:
        git.run("cat-file", "-e", f"{commit}^{{commit}}")
    except GitError:
        return False
    return True
