"""Paths inside a git repository as pure text: joined, cleaned, and never outside. No file system.

Upstream joins whatever it is told; here a path that leaves the root, names `.git`, or could be taken for
an option or something else by git or a page is refused.
"""

import unicodedata

from updater.configuration.findings import SettingError

MAX_BYTES = 1024
MAX_DEPTH = 64
_FILE_SUFFIXES = (".yaml", ".yml", ".json")
# Controls, invisible formatting (also what HFS+ ignores in ".git"), surrogates, line separators.
_REFUSED_CATEGORIES = frozenset(["Cc", "Cf", "Cs", "Zl", "Zp"])


class PathError(SettingError):
    """A path that is not used; each reason has its own code."""

    code = "BAD_PATH"


class PathEscapesRepositoryError(PathError):
    """`..` leads out of the repository."""

    code = "PATH_ESCAPES_REPO"


class PathCharactersError(PathError):
    """A character or name that must not stand in a path."""

    code = "PATH_CHARS"


class PathTooLongError(PathError):
    """Too many bytes or directories."""

    code = "PATH_TOO_LONG"


class PathSuffixError(PathError):
    """Not a file that holds YAML."""

    code = "PATH_SUFFIX"


def resolve(path: str, *, within: str = "") -> str:
    """Return the path from the repository root, "." for the root itself.

    A path with a leading slash starts at the root, any other one at the directory `within`.
    """
    joined = path if path.startswith("/") else f"{within}/{path}"
    _check_characters(joined)
    components: list[str] = []
    for component in joined.split("/"):
        _step(components, component)
    resolved = "/".join(components) or "."
    if len(components) > MAX_DEPTH or len(resolved.encode()) > MAX_BYTES:
        raise PathTooLongError(
            f"Use a path of at most {MAX_BYTES} bytes and {MAX_DEPTH} directories."
        )
    return resolved


def check_file(path: str) -> str:
    """Return the path if its name is one of a YAML or JSON file."""
    if not path.endswith(_FILE_SUFFIXES):
        raise PathSuffixError("Name a file that ends in .yaml, .yml or .json.")
    return path


def _step(components: list[str], component: str) -> None:
    if component in ("", "."):
        return
    if component != "..":
        _check_component(component)
        components.append(component)
    elif components:
        components.pop()
    else:
        raise PathEscapesRepositoryError('This path leads out of the repository: use fewer "..".')


def _check_characters(path: str) -> None:
    if len(path) > 4 * MAX_BYTES:
        raise PathTooLongError(f"Use a path of at most {MAX_BYTES} bytes.")
    if "\\" in path or any(unicodedata.category(letter) in _REFUSED_CATEGORIES for letter in path):
        raise PathCharactersError(
            "A path holds no control or invisible characters and no backslash; use / only."
        )


def _check_component(component: str) -> None:
    if component.startswith("-"):
        raise PathCharactersError("No file or directory name may begin with a hyphen.")
    # NTFS opens ".git" under all of these names.
    name = component.partition(":")[0].rstrip(". ").casefold()
    if name in (".git", "git~1"):
        raise PathCharactersError("A path must not lead into .git.")
