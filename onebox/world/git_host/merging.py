"""Merges two commits of a bare repository, as a host does: objects only, no working tree."""

import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from onebox.world.git_host import repositories

MERGE, SQUASH, REBASE, FAST_FORWARD = "merge", "squash", "rebase", "fast-forward"


class ConflictError(Exception):
    """Both sides changed the same lines."""


class Merger:
    """One bare repository."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def base_of(self, one: str, other: str) -> str:
        """Return the best common ancestor."""
        return self._git("merge-base", one, other).decode().strip()

    def changes_something(self, base: str, head: str) -> bool:
        """Whether `head` has anything that `base` has not."""
        return self.base_of(base, head) != head

    def tree(self, base: str, head: str) -> str:
        """Return the tree of both sides together.

        Raises:
            ConflictError: there is none.
        """
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            common = self.base_of(base, head)
            self._git("read-tree", "-i", "-m", "--aggressive", common, base, head, env=index)
            for path, stages in self._unmerged(index):
                sha = self._merge_file(Path(folder), stages)
                line = f"100644 {sha}\t{path}\0".encode()
                self._git("update-index", "-z", "--index-info", stdin=line, env=index)
            return self._git("write-tree", env=index).decode().strip()

    def commit(self, tree: str, parents: list[str], message: str, author: str) -> str:
        """Make a commit and return its SHA."""
        name, _, email = author.rstrip(">").partition(" <")
        at = f"{int(time.time())} +0000"
        person = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", name), ("EMAIL", email), ("DATE", at))
        }
        options = [word for parent in parents for word in ("-p", parent)]
        made = self._git("commit-tree", tree, *options, stdin=message.encode(), env=person)
        return made.decode().strip()

    def move(self, branch: str, new: str, old: str) -> None:
        """Set a branch that stands at `old`."""
        self._git("update-ref", f"refs/heads/{branch}", new, old)

    def message_of(self, sha: str) -> str:
        """Return a commit's message."""
        return self._git("log", "--max-count=1", "--format=%B", sha).decode()

    def _unmerged(self, index: Mapping[str, str]) -> Iterator[tuple[str, dict[int, str]]]:
        found: dict[str, dict[int, str]] = {}
        for line in self._git("ls-files", "-u", "-z", env=index).decode().split("\0"):
            if line:
                facts, _, path = line.partition("\t")
                _, sha, stage = facts.split()
                found.setdefault(path, {})[int(stage)] = sha
        yield from found.items()

    def _merge_file(self, folder: Path, stages: Mapping[int, str]) -> str:
        if set(stages) != {1, 2, 3}:
            raise ConflictError
        files = [folder / str(stage) for stage in (2, 1, 3)]
        for file, stage in zip(files, (2, 1, 3), strict=True):
            file.write_bytes(self._git("cat-file", "blob", stages[stage]))
        command = ["git", "merge-file", "-p", "-q", *map(str, files)]
        done = subprocess.run(
            command,
            env=repositories.environment(),
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise ConflictError
        return self._git("hash-object", "-w", "--stdin", stdin=done.stdout).decode().strip()

    def _git(
        self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> bytes:
        command = ["git", f"--git-dir={self._path}", *arguments]
        return subprocess.run(
            command,
            input=stdin,
            env={**repositories.environment(), **(env or {})},
            capture_output=True,
            check=True,
        ).stdout
