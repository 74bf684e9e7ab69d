"""Commits of people who know nothing of us: on top of what stands, never over it, as an honest push is."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from onebox.world.git_host import GitHost
from onebox.world.git_host import repositories as git_repositories

TRIES = 20
_WHO = {
    "GIT_AUTHOR_NAME": "Robin Stone",
    "GIT_AUTHOR_EMAIL": "robin@example.com",
    "GIT_COMMITTER_NAME": "Robin Stone",
    "GIT_COMMITTER_EMAIL": "robin@example.com",
}


def read(git: GitHost, repository: str, path: str, at: str = "refs/heads/main") -> bytes:
    """Return a file, empty when there is none."""
    done = _run(git, repository, "cat-file", "blob", f"{at}:{path}", check=False)
    return done.stdout if done.returncode == 0 else b""


def change(
    git: GitHost, repository: str, path: str, edit: Callable[[bytes], bytes], message: str
) -> str:
    """Edit one file of main; when somebody was faster, look anew. Return the commit, "" if nothing is to change."""
    for _ in range(TRIES):
        tip = _run(git, repository, "rev-parse", "refs/heads/main").stdout.decode().strip()
        before = read(git, repository, path, tip)
        after = edit(before)
        if after == before:
            return ""
        made = _commit(git, repository, tip, path, after, message)
        moved = _run(git, repository, "update-ref", "refs/heads/main", made, tip, check=False)
        if moved.returncode == 0:
            return made
    raise AssertionError(f"{repository} moved {TRIES} times under a stranger")


def _commit(
    git: GitHost, repository: str, tip: str, path: str, content: bytes, message: str
) -> str:
    with tempfile.TemporaryDirectory() as folder:
        own = {"GIT_INDEX_FILE": str(Path(folder) / "index"), **_WHO}
        blob = _run(git, repository, "hash-object", "-w", "--stdin", stdin=content).stdout.decode()
        _run(git, repository, "read-tree", tip, env=own)
        entry = f"100644,{blob.strip()},{path}"
        _run(git, repository, "update-index", "--add", "--cacheinfo", entry, env=own)
        tree = _run(git, repository, "write-tree", env=own).stdout.decode().strip()
        done = _run(git, repository, "commit-tree", tree, "-p", tip, "-m", message, env=own)
        return done.stdout.decode().strip()


def _run(
    git: GitHost,
    repository: str,
    *arguments: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    check: bool = True,
) -> "subprocess.CompletedProcess[bytes]":
    command = ["git", f"--git-dir={git.repositories.path(repository)}", *arguments]
    whole = {**os.environ, **git_repositories.environment(), **(env or {})}
    return subprocess.run(command, input=stdin, env=whole, capture_output=True, check=check)
