"""Look-ups in documents nobody vouches for: what is missing or of the wrong type reads as absent."""

from collections.abc import Mapping


def find(document: object, *path: str) -> object:
    """Return what stands at the path, or None."""
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def mapping(document: object, *path: str) -> dict[str, object]:
    """Return the mapping at the path with its text keys, or an empty one."""
    found = find(document, *path)
    if not isinstance(found, Mapping):
        return {}
    return {key: value for key, value in found.items() if isinstance(key, str)}


def text(document: object, *path: str) -> str:
    """Return the text at the path, or an empty one."""
    found = find(document, *path)
    return found if isinstance(found, str) else ""


def items(document: object, *path: str) -> list[object]:
    """Return the list at the path, or an empty one."""
    found = find(document, *path)
    return list(found) if isinstance(found, list | tuple) else []
