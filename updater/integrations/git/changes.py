"""What commits change, with the contents: a few git processes for a thousand commits, each within its limits."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from updater.integrations.git import trees
from updater.integrations.git.errors import (
    BlobTooLargeError,
    MirrorDamagedError,
    RepositoryTooLargeError,
    TargetNotAFileError,
)
from updater.integrations.git.host import Host
from updater.integrations.git.objects import MAX_BLOB_BYTES, Objects
from updater.integrations.git.process import MIB
from updater.integrations.git.transport import Git

COMMITS_AT_ONCE: Final = 1000
CONTENTS_AT_ONCE: Final = 1000  # are asked of the host
BYTES_AT_ONCE: Final = 16 * MIB  # are read by one process
MAX_COMMIT_BYTES: Final = 128 * MIB  # before and after
_COMMIT = re.compile(rb"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class PathChange:
    """A path that a commit changes: its modes ("000000" is absent), and what regular files hold."""

    path: str
    old_mode: str
    new_mode: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Line:
    """A changed path as git lists it: two modes and the names of two objects."""

    path: str
    old_mode: str
    new_mode: str
    old: str
    new: str

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the regular files among the two."""
        sides = ((self.old_mode, self.old), (self.new_mode, self.new))
        return tuple(sha for mode, sha in sides if mode.startswith("100"))


def parse(output: bytes) -> dict[str, tuple[Line, ...]]:
    """Return what `diff-tree --stdin -z --raw` printed: the lines of each commit that it read."""
    found: dict[str, list[Line]] = {}
    lines: list[Line] = []
    fields = iter(output.split(b"\0"))
    for field in fields:
        if _COMMIT.fullmatch(field):
            lines = found.setdefault(field.decode("ascii"), [])
        elif field:
            old_mode, new_mode, old, new, _ = field.decode("ascii").removeprefix(":").split(" ")
            path = next(fields).decode("utf-8", "replace")
            lines.append(Line(path, old_mode, new_mode, old, new))
    return {sha: tuple(told) for sha, told in found.items()}


class Changes:
    """The changes of many commits of one mirror; the caller holds the mirror's lock."""

    def __init__(self, git: Git, objects: Objects, host: Host) -> None:
        self._git = git
        self._objects = objects
        self._host = host

    def read(self, commits: Sequence[str]) -> dict[str, tuple[PathChange, ...]]:
        """Return what each commit changes against its parent; nothing for a merge or a first commit."""
        listed = self._list([self._objects.require_sha(sha) for sha in commits])
        lines = [line for told in listed.values() for line in told if line.files]
        self._require_paths(line.path for line in lines)
        paths = {sha: line.path for line in lines for sha in line.files}
        sizes = self._sizes(paths)
        self._require_sizes(listed, paths, sizes)
        contents = self._contents(sizes)
        return {sha: tuple(_change(line, contents) for line in listed[sha]) for sha in commits}

    def _list(self, commits: Sequence[str]) -> dict[str, tuple[Line, ...]]:
        try:
            return self._list_at_once(commits)
        except RepositoryTooLargeError:
            if len(commits) == 1:
                raise
        first, second = _halves(commits)
        return self._list(first) | self._list(second)

    def _list_at_once(self, commits: Sequence[str]) -> dict[str, tuple[Line, ...]]:
        options = ("--always", "-r", "-z", "--raw", "--no-renames", "--no-abbrev")
        stdin = "".join(f"{sha}\n" for sha in commits).encode()
        found = parse(self._git.local("diff-tree", "--stdin", *options, stdin=stdin).output)
        # Git passes over what it cannot read; `--always` names all others, also those without a change.
        if lost := [sha for sha in commits if sha not in found]:
            raise MirrorDamagedError.of(self._git.name, f"commit {lost[0]} cannot be read")
        return found

    def _require_paths(self, paths: Iterable[str]) -> None:
        for path in dict.fromkeys(paths):
            try:
                trees.split(path)
            except trees.PathRefusedError as refused:
                raise TargetNotAFileError.of(self._git.name, str(refused)) from refused

    def _sizes(self, paths: Mapping[str, str]) -> dict[str, int]:
        """Return the size of each file; what is only on the host is fetched."""
        found = self._objects.stored(paths)
        if absent := sorted(paths.keys() - found.keys()):
            for start in range(0, len(absent), CONTENTS_AT_ONCE):
                self._fetch(absent[start : start + CONTENTS_AT_ONCE])
            found |= self._objects.stored(absent)
        if lost := sorted(paths.keys() - found.keys()):
            why = f"the content of {paths[lost[0]]!r} did not arrive"
            raise MirrorDamagedError.of(self._git.name, why)
        return {sha: size for sha, (_, size) in found.items()}

    def _fetch(self, absent: Sequence[str]) -> None:
        try:
            self._host.fetch_contents(absent)
        except BlobTooLargeError:
            if len(absent) == 1:
                raise
            for half in _halves(absent):
                self._fetch(half)

    def _require_sizes(
        self,
        listed: Mapping[str, Sequence[Line]],
        paths: Mapping[str, str],
        sizes: Mapping[str, int],
    ) -> None:
        for sha, size in sizes.items():
            if size > MAX_BLOB_BYTES:
                why = f"{paths[sha]!r} has {size} bytes, the limit is {MAX_BLOB_BYTES}"
                raise BlobTooLargeError.of(self._git.name, why)
        for commit, lines in listed.items():
            total = sum(sizes[sha] for line in lines for sha in line.files)
            if total > MAX_COMMIT_BYTES:
                why = f"commit {commit} changes {total} bytes, the limit is {MAX_COMMIT_BYTES}"
                raise BlobTooLargeError.of(self._git.name, why)

    def _contents(self, sizes: Mapping[str, int]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for part in _parts(sizes):
            found |= self._objects.blobs(part)
        return found


def _halves(many: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    middle = len(many) // 2
    return many[:middle], many[middle:]


def _parts(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Cut the files into parts that one process may print."""
    part: list[str] = []
    total = 0
    for sha, size in sizes.items():
        if part and total + size > BYTES_AT_ONCE:
            yield part
            part, total = [], 0
        part.append(sha)
        total += size
    if part:
        yield part


def _change(line: Line, contents: Mapping[str, bytes]) -> PathChange:
    # What is no regular file was not read, and an absent side has a name of zeros.
    before = contents[line.old] if line.old_mode.startswith("100") else None
    after = contents[line.new] if line.new_mode.startswith("100") else None
    return PathChange(line.path, line.old_mode, line.new_mode, before, after)
