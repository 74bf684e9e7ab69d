"""The bare repositories of the git host, handled with the git program."""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

AUTHOR: Final = "Robin Stone <robin@example.com>"
MAX_LOG: Final = 50
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*")
_SETTINGS: Final = {
    "http.receivepack": "true",
    "uploadpack.allowFilter": "true",
    "receive.autogc": "false",
    "receive.fsckObjects": "true",
}
_PROTECTION: Final = """#!/bin/sh
while read -r old new ref; do
  if [ "$ref" = {ref} ]; then
    echo {words} >&2
    exit 1
  fi
done
"""


@dataclass(frozen=True, slots=True)
class HostedCommit:
    """One commit as its page shows it; `diff` is git's patch text."""

    sha: str
    author: str
    committed_at: datetime
    message: str
    diff: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


class Repositories:
    """A folder of bare repositories, each under `<name>.git`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """Return where a repository of that name is or would be."""
        if not _NAME.fullmatch(name) or ".." in name:
            raise ValueError(f"{name!r} is not the name of a repository")
        return self._folder / f"{name}.git"

    def has(self, name: str) -> bool:
        """Whether there is such a repository."""
        return bool(_NAME.fullmatch(name)) and (self._folder / f"{name}.git" / "HEAD").is_file()

    def names(self) -> list[str]:
        """Return the names of all repositories."""
        heads = self._folder.rglob("*.git/HEAD")
        return sorted(
            head.parent.relative_to(self._folder).as_posix().removesuffix(".git") for head in heads
        )

    def create(self, name: str, files: Mapping[str, bytes]) -> Path:
        """Make a repository whose branch main holds `files`; an existing one is left as it is."""
        path = self.path(name)
        if self.has(name):
            return path
        path.mkdir(parents=True, exist_ok=True)
        _git(path, "init", "--bare", "--quiet", "--template=", "--initial-branch=main")
        with (path / "config").open("a", encoding="utf-8") as config:
            for key, value in _SETTINGS.items():
                section, _, option = key.partition(".")
                config.write(f"[{section}]\n\t{option} = {value}\n")
        if files:
            self.commit(name, "main", files, "Begin")
        return path

    def commit(
        self,
        name: str,
        branch: str,
        files: Mapping[str, bytes | None],
        message: str,
        author: str = AUTHOR,
    ) -> str:
        """Commit whole files (None deletes one) past all hooks, and return the SHA."""
        path = self.path(name)
        stream = b"".join(self._stream(path, branch, files, message, author))
        output = _git(path, "fast-import", "--quiet", "--cat-blob-fd=1", stdin=stream)
        return output.decode().strip()

    def _stream(
        self, path: Path, branch: str, files: Mapping[str, bytes | None], message: str, author: str
    ) -> Iterator[bytes]:
        person = f"{author} {int(time.time())} +0000\n"
        yield f"commit refs/heads/{branch}\nmark :1\nauthor {person}committer {person}".encode()
        yield _data(message.encode())
        if (tip := self.tip(path, branch)) is not None:
            yield f"from {tip}\n".encode()
        for file, content in files.items():
            quoted = '"' + file.replace("\\", "\\\\").replace('"', '\\"') + '"'
            if content is None:
                yield f"D {quoted}\n".encode()
            else:
                yield f"M 100644 inline {quoted}\n".encode() + _data(content)
        yield b"\nget-mark :1\n"

    def tip(self, path: Path, branch: str) -> str | None:
        """Return the SHA a branch stands at, None when there is no such branch."""
        output = _git(path, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        return output.decode().strip() or None

    def read(self, name: str, branch: str, file: str) -> bytes:
        """Return a file of a branch."""
        return _git(self.path(name), "cat-file", "blob", f"refs/heads/{branch}:{file}")

    def log(self, name: str, branch: str, limit: int = MAX_LOG) -> list[HostedCommit]:
        """Return the latest commits of a branch with their patches, newest first."""
        return self._commits(name, f"--max-count={limit}", f"refs/heads/{branch}")

    def show(self, name: str, sha: str) -> HostedCommit | None:
        """Return one commit, None when there is none."""
        if not re.fullmatch(r"[0-9a-f]{7,40}", sha):
            return None
        try:
            return self._commits(name, "--max-count=1", sha)[0]
        except subprocess.CalledProcessError:
            return None

    def _commits(self, name: str, *arguments: str) -> list[HostedCommit]:
        # A NUL begins each commit and ends its message: neither can hold one.
        layout = "--format=%x00%H%n%an <%ae>%n%cI%n%B%x00"
        options = ("--patch", "--no-ext-diff", "--no-textconv", "--root", layout)
        output = _git(self.path(name), "log", *options, *arguments, "--")
        parts = output.decode("utf-8", "replace").split("\0")[1:]
        return [_commit(*pair) for pair in zip(parts[::2], parts[1::2], strict=True)]

    def protect(self, name: str, branch: str) -> None:
        """Decline every push to one branch, as a branch protection does."""
        words = f"GH006: Protected branch update failed for refs/heads/{branch}."
        ref = shlex.quote(f"refs/heads/{branch}")
        self._install(name, _PROTECTION.format(ref=ref, words=shlex.quote(words)))

    def decline(self, name: str, words: str) -> None:
        """Decline every push with these words, as a failing hook does."""
        self._install(name, f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(words)} >&2\nexit 1\n")

    def accept(self, name: str) -> None:
        """Accept pushes again."""
        (self.path(name) / "hooks" / "pre-receive").unlink(missing_ok=True)

    def _install(self, name: str, script: str) -> None:
        hook = self.path(name) / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(script, encoding="utf-8")
        hook.chmod(0o755)


def _commit(head: str, diff: str) -> HostedCommit:
    sha, author, committed_at, message = head.split("\n", 3)
    at = datetime.fromisoformat(committed_at)
    return HostedCommit(sha, author, at, message.strip("\n"), diff.strip("\n"))


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def environment() -> dict[str, str]:
    """Return an environment in which git knows nothing of the machine's own settings."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }


def _git(path: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    command = ["git", f"--git-dir={path}", *arguments]
    done = subprocess.run(command, input=stdin, env=environment(), capture_output=True, check=True)
    return done.stdout
