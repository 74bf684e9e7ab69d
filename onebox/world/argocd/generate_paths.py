"""`manifest-generate-paths`: whether a commit touches what an Application says it is made from (2.2); pure."""

import posixpath
from collections.abc import Iterable

from onebox.world.argocd import globs

ANNOTATION = "argocd.argoproj.io/manifest-generate-paths"


def is_touched(setting: str, source_path: str, changed: Iterable[str]) -> bool:
    """Whether one of the changed files is one of the paths, below one, or matches one as a glob."""
    paths = [_absolute(item.strip(), source_path) for item in setting.split(";") if item.strip()]
    return any(_covers(path, name) for path in paths for name in changed)


def _absolute(path: str, source_path: str) -> str:
    base = "" if path.startswith("/") else source_path
    return posixpath.normpath(posixpath.join("/", base, path.lstrip("/"))).lstrip("/")


def _covers(path: str, name: str) -> bool:
    is_below = path == "" or name.startswith(f"{path}/")
    return name == path or is_below or globs.matches(path, name, separator="/")
