"""Git tree objects as bytes in and bytes out: nothing but the entries we mean to change ever changes. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

FOLDER: Final = b"40000"
FILE_MODES: Final = (b"100644", b"100755", b"100664")  # the last one is found in very old histories
NEW_FILE: Final = b"100644"
MAX_PATH_BYTES = 4096
MAX_DEPTH = 64
SHA_BYTES = 20
_KINDS: Final = {b"120000": "a symbolic link", b"160000": "a submodule", FOLDER: "a folder"}
_DOT_GIT = re.compile(r"(?i)\.git|git~[0-9]+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_IGNORED_BY_HFS = re.compile(r"[\u200b-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


class PathRefusedError(ValueError):
    """Not the path of a file inside a repository."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree; `mode` stays the bytes that were read."""

    mode: bytes
    name: bytes
    sha: str

    @property
    def is_folder(self) -> bool:
        """Whether the entry is a tree; some old histories write its mode with a zero in front."""
        return self.mode.lstrip(b"0") == FOLDER

    @property
    def is_file(self) -> bool:
        """Whether the entry is a regular file."""
        return self.mode in FILE_MODES

    @property
    def kind(self) -> str:
        """What the entry is, in a word for people."""
        return _KINDS.get(self.mode.lstrip(b"0"), "a file")


def parse(data: bytes) -> tuple[Entry, ...]:
    """Return the entries of a tree object; ValueError when the bytes are no tree."""
    return tuple(_entries(data))


def _entries(data: bytes) -> Iterator[Entry]:
    start = 0
    while start < len(data):
        end = data.index(b"\0", start)
        mode, _, name = data[start:end].partition(b" ")
        start = end + 1 + SHA_BYTES
        if start > len(data):
            raise ValueError("the tree ends within an entry")
        yield Entry(mode, name, data[end + 1 : start].hex())


def serialize(entries: Sequence[Entry]) -> bytes:
    """Return the tree object of `entries`, in the order git asks for."""
    ordered = sorted(entries, key=lambda entry: entry.name + (b"/" if entry.is_folder else b""))
    return b"".join(
        entry.mode + b" " + entry.name + b"\0" + bytes.fromhex(entry.sha) for entry in ordered
    )


def replace(entries: Sequence[Entry], entry: Entry) -> tuple[Entry, ...]:
    """Return `entries` with the one of the same name replaced, or `entry` added."""
    return (*(old for old in entries if old.name != entry.name), entry)


def find(entries: Sequence[Entry], name: bytes) -> Entry | None:
    """Return the entry of that name, or None."""
    return next((entry for entry in entries if entry.name == name), None)


def split(path: str) -> tuple[str, ...]:
    """Return the parts of a path inside the repository; refuse anything that could mean another place."""
    parts = tuple(path.split("/"))
    if _UNPRINTABLE.search(path) or not _fits(path) or len(parts) > MAX_DEPTH:
        raise PathRefusedError(f"{path[:200]!r} is too long or holds control characters")
    for part in parts:
        if part in ("", ".", "..") or _DOT_GIT.fullmatch(_as_file_systems_see(part)):
            raise PathRefusedError(
                f"{path[:200]!r} is not the path of a file inside the repository"
            )
    return parts


def _fits(path: str) -> bool:
    try:
        return len(path.encode()) <= MAX_PATH_BYTES
    except UnicodeEncodeError:
        return False


def _as_file_systems_see(part: str) -> str:
    return _IGNORED_BY_HFS.sub("", part).split(":")[0].rstrip(". ")
