"""A YAML file as the flat list of its scalars, each with the names that a sealed edit may call it by. Pure.

Written without the code that edits these files: a mistake there must not hide itself here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

MAX_SCALARS = 20_000
MAX_NAMES = 9  # of one place; lists within lists within lists are named one way only
MAX_DEPTH = 60
_KUSTOMIZE = ("kustomize", "images")


class UnreadableError(ValueError):
    """The bytes are no YAML document that can be laid flat."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `names` are the ways to write its place; those with a dot-suffix tell a part of an entry."""

    place: str  # unique in its document
    names: frozenset[str]
    value: str


def flatten(content: bytes | None) -> dict[str, Scalar]:
    """Return the scalars of a document by their place; an absent file has none.

    Raises:
        UnreadableError: it is not YAML, or too large, or too deep.
    """
    if content is None:
        return {}
    try:
        document = YAML(typ="base", pure=True).load(StringIO(content.decode("utf-8")))
    except (YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(f"it is not readable as YAML ({type(error).__name__})") from error
    found: dict[str, Scalar] = {}
    for scalar in _walk(document, (), ("",), 0):
        if len(found) >= MAX_SCALARS:
            raise UnreadableError(f"it has more than {MAX_SCALARS} values")
        found[scalar.place] = scalar
    return found


def _walk(
    node: Any,  # noqa: ANN401  what a YAML loader returns
    place: tuple[str, ...],
    names: tuple[str, ...],
    depth: int,
) -> Iterator[Scalar]:
    if depth > MAX_DEPTH:
        raise UnreadableError("it is nested too deeply")
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _walk(value, (*place, str(key)), _below(names, str(key)), depth + 1)
    elif isinstance(node, list):
        yield from _walk_list(node, place, names, depth)
    else:
        yield Scalar("/".join(place), frozenset(names), "" if node is None else str(node))


def _walk_list(
    items: list[Any], place: tuple[str, ...], names: tuple[str, ...], depth: int
) -> Iterator[Scalar]:
    for position, item in enumerate(items):
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            name = item["name"]  # entries of Helm parameters and of kustomization images go by name
        elif place == _KUSTOMIZE and isinstance(item, str):
            name = image_name(item)
        else:
            name = f"[{position}]"
        several = {*_below(names, name)}
        if len(names) < MAX_NAMES:
            several |= {*_below(names, str(position)), *(f"{base}[{position}]" for base in names)}
        key = name if name.startswith("[") else f"{name}#{_same_before(items, position, name)}"
        yield from _walk(item, (*place, key), tuple(sorted(several)), depth + 1)


def _same_before(items: list[Any], position: int, name: str) -> int:
    return sum(
        (isinstance(item, dict) and item.get("name") == name)
        or (isinstance(item, str) and image_name(item) == name)
        for item in items[:position]
    )


def image_name(text: str) -> str:
    """Return the name of a kustomize image: what stands before `=`, a digest and a tag."""
    name = text.partition("=")[0].partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def _below(names: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(f"{name}.{key}" if name else key for name in names)
