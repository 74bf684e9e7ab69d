"""Objects of a mirror that were read or written lately, found again by commit and path without asking git.

A batch of commits on top of each other reads what it has just written; only what git alone knows is asked of it.
"""

from typing import Final

from updater.integrations.git import trees
from updater.integrations.git.process import MIB

MAX_BYTES: Final = 64 * MIB
_TREE_LINE: Final = len("tree ")
_SHA_LENGTH: Final = 40


class Memory:
    """Objects by name, for one mirror; grown too large, it begins anew."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._tops: dict[str, str] = {}  # trees of commits
        self._entries: dict[str, dict[bytes, trees.Entry]] = {}  # of trees
        self._size = 0

    def forget(self) -> None:
        """Hold nothing any more: the mirror may not be what it was."""
        for held in (self._objects, self._tops, self._entries):
            held.clear()
        self._size = 0

    def keep(self, sha: str, kind: str, data: bytes) -> None:
        """Hold an object whose bytes are known to match its name."""
        if self._size + len(data) > MAX_BYTES:
            self.forget()
        self._objects[sha] = data
        self._size += len(data)
        if kind == "commit":
            self.keep_top(sha, data[_TREE_LINE : _TREE_LINE + _SHA_LENGTH].decode("ascii"))

    def keep_top(self, commit: str, tree: str) -> None:
        """Hold which tree a commit has."""
        self._tops[commit] = tree

    def find(self, commit: str, path: str) -> bytes | None:
        """Return what stands at a path of a commit, None when nothing does.

        Raises:
            KeyError, ValueError: it is not held here, or is no tree; git may know better.
        """
        sha, is_folder = self._tops[commit], True
        for part in path.split("/") if path else ():
            entry = self._folder(sha).get(part.encode()) if is_folder else None
            if entry is None:
                return None
            sha, is_folder = entry.sha, entry.is_folder
        return self._objects[sha]

    def _folder(self, sha: str) -> dict[bytes, trees.Entry]:
        if sha not in self._entries:
            self._entries[sha] = {entry.name: entry for entry in trees.parse(self._objects[sha])}
        return self._entries[sha]
