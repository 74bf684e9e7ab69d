"""One directory of one commit, as rendering sees it."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field


class RenderError(Exception):
    """Manifests cannot be made; the message goes into a ComparisonError."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Files of a commit; names are relative to `path`, or to the root with a leading `/`."""

    path: str
    files: Mapping[str, bytes] = field(repr=False)

    def read(self, name: str) -> bytes | None:
        """Return a file, or None when there is none (or a directory). Raises: RenderError outside."""
        return self.files.get(self._place(name))

    def names(self, *, is_recursive: bool = False) -> list[str]:
        """Return the files of the directory, relative to it, in order."""
        place = self._place(".")
        prefix = "" if place == "." else f"{place}/"
        below = [name.removeprefix(prefix) for name in self.files if name.startswith(prefix)]
        return sorted(name for name in below if is_recursive or "/" not in name)

    def _place(self, name: str) -> str:
        base = "" if name.startswith("/") else self.path
        place = posixpath.normpath(posixpath.join(base, name.lstrip("/")))
        if place.startswith("../") or place == "..":
            raise RenderError(f"{name}: resolved to outside repository root")
        return place.lstrip("/") or "."
