"""The objects of a mirror: read in one batch and checked against their names, written without a process."""

import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import gitdb  # type: ignore[import-untyped]  # GitPython's object database
from gitdb.db.loose import LooseObjectDB  # type: ignore[import-untyped]

from updater.integrations.git import trees
from updater.integrations.git.errors import (
    BlobTooLargeError,
    CommitNotFoundError,
    MirrorDamagedError,
    RepositoryTooLargeError,
    TargetNotAFileError,
)
from updater.integrations.git.memory import Memory
from updater.integrations.git.transport import Git

MAX_BLOB_BYTES = 1024 * 1024
_SHA = re.compile(r"[0-9a-f]{40}")
_HEADER = re.compile(rb"([0-9a-f]{40}) (commit|tree|blob|tag) ([0-9]+)")


@dataclass(frozen=True, slots=True)
class Found:
    """A path of a commit: its entry, and its content when that is in the mirror."""

    entry: trees.Entry
    content: bytes | None


class Snapshot:
    """The folders on the way to some paths of one commit, and the files at their ends."""

    def __init__(self, repository: str, commit: str, objects: Mapping[str, bytes | None]) -> None:
        self._repository = repository
        self._commit = commit
        self._objects = objects
        self._parsed: dict[str, tuple[trees.Entry, ...]] = {}

    @property
    def top(self) -> bytes:
        """The commit's tree object."""
        return self._objects[f"{self._commit}:"] or b""

    def folder(self, path: str) -> tuple[trees.Entry, ...] | None:
        """Return the entries of a folder ("" is the top), None when there is none; refuse what stands there."""
        parent, _, name = path.rpartition("/")
        if path:
            entry = self.entry(parent, name)
            if entry is None:
                return None
            if not entry.is_folder:
                raise TargetNotAFileError.of(
                    self._repository, f"{path!r} is {entry.kind}, not a folder"
                )
        return self._entries(path)

    def _entries(self, path: str) -> tuple[trees.Entry, ...]:
        if path not in self._parsed:
            data = self._objects[f"{self._commit}:{path}"]
            if data is None:
                raise MirrorDamagedError.of(self._repository, f"the folder {path!r} is missing")
            self._parsed[path] = trees.parse(data)
        return self._parsed[path]

    def entry(self, folder: str, name: str) -> trees.Entry | None:
        """Return the entry of a folder, or None when either is absent."""
        entries = self.folder(folder)
        return None if entries is None else trees.find(entries, name.encode())

    def file(self, path: str) -> Found | None:
        """Return a regular file, None when absent; refuse a symlink, submodule or folder at any level."""
        folder, _, name = path.rpartition("/")
        entry = self.entry(folder, name)
        if entry is None:
            return None
        if not entry.is_file:
            raise TargetNotAFileError.of(self._repository, f"{path!r} is {entry.kind}")
        return Found(entry, self._objects.get(f"{self._commit}:{path}"))


class Objects:
    """Reads through one `cat-file` per call; writes loose objects through GitPython's database."""

    def __init__(self, git: Git, folder: Path) -> None:
        self._git = git
        self._database = LooseObjectDB(str(folder / "objects"))
        self._memory = Memory()

    def forget(self) -> None:
        """Read from the mirror again, whatever was read before."""
        self._memory.forget()

    def snapshot(self, commit: str, paths: Sequence[str], *, contents: bool) -> Snapshot:
        """Return what stands at `paths` of a commit; with `contents`, the files' bytes as far as they are here."""
        self.require_sha(commit)
        names = {f"{commit}:{folder}" for path in paths for folder in self._folders(path)}
        if contents:
            names |= {f"{commit}:{path}" for path in paths}
        try:
            found = self._read(sorted(names))
        except RepositoryTooLargeError as large:
            raise BlobTooLargeError.of(self._git.name, ", ".join(paths)) from large
        if found[f"{commit}:"] is None:
            raise CommitNotFoundError.of(self._git.name, commit)
        return Snapshot(self._git.name, commit, found)

    def files(self, commit: str, paths: Sequence[str]) -> dict[str, Found | None]:
        """Return the regular files at `paths` of a commit, None where there is nothing."""
        snapshot = self.snapshot(commit, paths, contents=True)
        return {path: snapshot.file(path) for path in paths}

    def content(self, path: str, found: Found | None) -> bytes | None:
        """Return the bytes of a file we are willing to edit."""
        if found is None:
            return None
        if found.content is None:
            raise MirrorDamagedError.of(self._git.name, f"the content of {path!r} did not arrive")
        if len(found.content) > MAX_BLOB_BYTES:
            size = f"{path!r} has {len(found.content)} bytes, the limit is {MAX_BLOB_BYTES}"
            raise BlobTooLargeError.of(self._git.name, size)
        return found.content

    def _folders(self, path: str) -> Iterator[str]:
        try:
            parts = trees.split(path)
        except trees.PathRefusedError as refused:
            raise TargetNotAFileError.of(self._git.name, str(refused)) from refused
        return ("/".join(parts[:depth]) for depth in range(len(parts)))

    def has(self, sha: str) -> bool:
        """Whether the mirror holds that commit."""
        if not _SHA.fullmatch(sha):
            return False
        done = self._git.local("cat-file", "-t", sha, accept=(0, 128))
        return done.output.strip() == b"commit"

    def has_all(self, shas: Collection[str]) -> bool:
        """Whether the mirror holds every one of these objects."""
        return all(map(_SHA.fullmatch, shas)) and self.stored(shas).keys() >= set(shas)

    def stored(self, shas: Collection[str]) -> dict[str, tuple[str, int]]:
        """Return the kind and the size of those of these objects that the mirror holds."""
        if not shas:
            return {}
        listing = "".join(f"{sha}\n" for sha in shas).encode()
        output = self._git.local("cat-file", "--batch-check", stdin=listing).output
        found = filter(None, map(_HEADER.fullmatch, output.splitlines()))
        return {told[1].decode(): (told[2].decode(), int(told[3])) for told in found}

    def blobs(self, shas: Sequence[str]) -> dict[str, bytes]:
        """Return the contents of files by their names; the caller knows that they are here and fit."""
        found = self._ask(shas)
        contents = {sha: content for sha, content in found.items() if content is not None}
        if len(contents) < len(found):
            raise MirrorDamagedError.of(self._git.name, "a file's content was lost")
        return contents

    def require_sha(self, text: str) -> str:
        """Return the text if it is a full commit SHA."""
        if not _SHA.fullmatch(text):
            raise CommitNotFoundError.of(self._git.name, f"{text[:60]!r} is not a full commit SHA")
        return text

    def store(self, kind: str, data: bytes) -> str:
        """Write an object and return its SHA."""
        stored = self._database.store(gitdb.IStream(kind.encode(), len(data), io.BytesIO(data)))
        sha = str(stored.hexsha.decode())
        self._memory.keep(sha, kind, data)
        return sha

    def _read(self, names: Sequence[str]) -> dict[str, bytes | None]:
        found: dict[str, bytes | None] = {}
        for name in names:
            commit, _, path = name.partition(":")
            with suppress(KeyError, ValueError):
                found[name] = self._memory.find(commit, path)
        unknown = [name for name in names if name not in found]
        return found | self._ask(unknown) if unknown else found

    def _ask(self, names: Sequence[str]) -> dict[str, bytes | None]:
        listing = "".join(f"{name}\n" for name in names).encode()
        output = self._git.local("cat-file", "--batch", stdin=listing).output
        contents, position = {}, 0
        for name in names:
            contents[name], position = self._next(name, output, position)
        return contents

    def _next(self, name: str, output: bytes, position: int) -> tuple[bytes | None, int]:
        end = output.find(b"\n", position)
        header = _HEADER.fullmatch(output[position:end])
        if header is None:
            return None, end + 1  # "<name> missing"
        size = int(header[3])
        content = output[end + 1 : end + 1 + size]
        sha, kind = header[1].decode(), header[2].decode()
        self._check(sha, header[2], content)
        self._memory.keep(sha, kind, content)
        if name.endswith(":"):
            self._memory.keep_top(name.removesuffix(":"), sha)
        return content, end + 1 + size + 1

    def _check(self, sha: str, kind: bytes, content: bytes) -> None:
        head = kind + b" " + str(len(content)).encode() + b"\0"
        if hashlib.sha1(head + content, usedforsecurity=False).hexdigest() != sha:
            raise MirrorDamagedError.of(self._git.name, f"object {sha} does not match its name")
