"""Reading and writing Git through the git program: bare mirrors, no working tree, no prompts."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from onebox.world.argocd.repository_credentials import Login

_IDENTITY = {
    "GIT_AUTHOR_NAME": "Argo CD",
    "GIT_AUTHOR_EMAIL": "argo-cd@example.com",
    "GIT_COMMITTER_NAME": "Argo CD",
    "GIT_COMMITTER_EMAIL": "argo-cd@example.com",
}


class GitError(Exception):
    """The git program failed; the message is its last words."""


@dataclass(frozen=True, slots=True)
class Git:
    """Runs git on one bare repository with one login."""

    folder: Path
    login: Login | None = None
    timeout_seconds: float = 20

    def run(
        self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> bytes:
        """Run a git command and return its output. Raises: GitError."""
        command = ["git", f"--git-dir={self.folder}", *arguments]
        try:
            done = subprocess.run(
                command,
                input=stdin if stdin is not None else b"",
                capture_output=True,
                env={**self._environment(), **(env or {})},
                timeout=self.timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git {arguments[0]} took over {self.timeout_seconds} s") from error
        if done.returncode != 0:
            raise GitError(done.stderr.decode("utf-8", "replace").strip()[-300:])
        return done.stdout

    def _environment(self) -> dict[str, str]:
        settings = {"core.hooksPath": "/dev/null", "http.followRedirects": "false"}
        if self.login is not None:
            settings["http.extraHeader"] = f"Authorization: {self.login.header}"
        numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
        for index, (key, value) in enumerate(settings.items()):
            numbered |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
            "GIT_ASKPASS": "true",
            **_IDENTITY,
            **numbered,
        }


def read_files(git: Git, commit: str) -> dict[str, bytes]:
    """Return every ordinary file of a commit; symlinks and submodules are none. Raises: GitError."""
    blobs = {}
    for line in git.run("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        about, _, path = line.partition(b"\t")
        if about.startswith(b"100"):
            blobs[path.decode("utf-8", "replace")] = about.split()[2]
    asked = b"".join(blob + b"\n" for blob in blobs.values())
    answer = git.run("cat-file", "--batch", stdin=asked)
    files, place = {}, 0
    for name in blobs:
        start = answer.index(b"\n", place) + 1
        size = int(answer[place:start].split()[2])
        files[name] = answer[start : start + size]
        place = start + size + 1
    return files


def commit_files(git: Git, parent: str | None, files: Mapping[str, bytes], message: str) -> str:
    """Make a commit with these files put into the parent's tree and return its SHA."""
    index = {"GIT_INDEX_FILE": str(git.folder / "hydrator.index")}
    git.run("read-tree", parent or "--empty", env=index)
    for name, content in files.items():
        blob = git.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()
        git.run("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", env=index)
    tree = git.run("write-tree", env=index).decode().strip()
    parents = ["-p", parent] if parent else []
    return git.run("commit-tree", tree, *parents, "-m", message).decode().strip()
