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


def shown(value: object) -> str:
    """Return a value as text for people: texts literally, other scalars as Python has them, the rest by type.

    Nothing nested is printed: what YAML aliases build can be endless.
    """
    if value is None or isinstance(value, str):
        return value or ""
    is_short = isinstance(value, bool | float) or (
        isinstance(value, int) and value.bit_length() < 100
    )
    return str(value) if is_short else f"({type(value).__name__})"


def items(document: object, *path: str) -> list[object]:
    """Return the list at the path, or an empty one."""
    found = find(document, *path)
    return list(found) if isinstance(found, list | tuple) else []
