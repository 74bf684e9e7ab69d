"""The override file decoded and written anew, byte for byte as upstream writes it (specification 3.5)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from updater.overrides.errors import DuplicateKeyError, YamlBoundsError, YamlError
from updater.overrides.go_yaml import reading, resolving, writing
from updater.overrides.go_yaml.nodes import Document, Kind, Node, Style

# Comments, blank lines and directives, up to and with a line that is `---`.
_PREFIX = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n|%[^\n]*\n)*---[ \t]*(?:#[^\n]*)?(?:\r?\n|$)")
_TRUE, _FALSE = (
    frozenset(form for word in words for form in (word, word.title(), word.upper()))
    for words in (("true", "y", "yes", "on"), ("false", "n", "no", "off"))
)
_Item = TypeVar("_Item")


class _WrongTypeError(Exception):
    """The file is YAML, but not of the shape that upstream decodes."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One entry of the file as upstream knows it."""

    name: str
    value: str
    is_forced: bool = False


def entries(before: bytes | None, *, outer: str, inner: str) -> list[Decoded]:
    """Return the names and values in the file; none when it cannot be decoded.

    Raises:
        YamlError: the file is beyond the bounds, or a key stands twice.
    """
    return _items(before, outer, inner, _entry)


def images(before: bytes | None) -> list[str]:
    """Return the image strings in the file; none when it cannot be decoded.

    Raises:
        YamlError: the file is beyond the bounds, or a key stands twice.
    """
    return _items(before, "kustomize", "images", _text)


def write_entries(
    before: bytes | None, wanted: Sequence[Decoded], *, outer: str, inner: str
) -> bytes:
    """Return the file with entries added or replaced; Helm parameters are sorted by name."""
    is_helm = outer == "helm"
    found = entries(before, outer=outer, inner=inner)
    for new in wanted:
        is_there = any(old.name == new.name for old in found)
        found = [new if old.name == new.name else old for old in found]
        found += [] if is_there else [new]
    if is_helm:
        found.sort(key=lambda entry: entry.name.encode())
    return _written(before, outer, inner, [_entry_node(entry, is_helm=is_helm) for entry in found])


def write_images(before: bytes | None, strings: Sequence[str]) -> bytes:
    """Return the file with exactly these image strings."""
    return _written(before, "kustomize", "images", [_string(text) for text in strings])


def _items(
    before: bytes | None, outer: str, inner: str, decode: Callable[[Node], _Item]
) -> list[_Item]:
    try:
        root = reading.read(reading.decode(before or b"")).root
        sequence = _part(_part(root, outer), inner)
        content = sequence.content() if sequence is not None else None
        if content is None or _is_null(content):
            return []
        _require(content, Kind.SEQUENCE)
        return [decode(item.content()) for item in content.children]
    except (DuplicateKeyError, YamlBoundsError):
        raise
    except (YamlError, _WrongTypeError):
        return []  # upstream replaces what it cannot decode


def _part(node: Node | None, name: str) -> Node | None:
    content = node.content() if node is not None else None
    if content is None or _is_null(content):
        return None
    _require(content, Kind.MAPPING)
    return content.find(name)


def _require(node: Node, kind: Kind) -> None:
    if node.kind is not kind:
        raise _WrongTypeError


def _is_null(node: Node) -> bool:
    return node.kind is Kind.SCALAR and node.tag == "!!null"


def _entry(node: Node) -> Decoded:
    if _is_null(node):
        return Decoded("", "")
    _require(node, Kind.MAPPING)
    name, value = (_field(node, field) for field in ("name", "value"))
    return Decoded(name, value, _flag(node.find("forcestring")))


def _field(node: Node, name: str) -> str:
    found = node.find(name)
    return _text(found.content()) if found is not None else ""


def _text(node: Node) -> str:
    _require(node, Kind.SCALAR)
    return "" if _is_null(node) else node.value


def _flag(node: Node | None) -> bool:
    content = node.content() if node is not None else None
    if content is None or _is_null(content):
        return False
    if content.kind is not Kind.SCALAR or content.value not in _TRUE | _FALSE:
        raise _WrongTypeError
    return content.value in _TRUE


def _entry_node(entry: Decoded, *, is_helm: bool) -> Node:
    fields = {"name": _string(entry.name), "value": _string(entry.value)}
    if is_helm:
        flag = "true" if entry.is_forced else "false"
        fields["forcestring"] = Node(Kind.SCALAR, tag="!!bool", value=flag)
    return _mapping(fields)


def _mapping(fields: dict[str, Node]) -> Node:
    children = [node for name, value in fields.items() for node in (_string(name), value)]
    return Node(Kind.MAPPING, tag="!!map", children=children)


def _string(text: str) -> Node:
    style = Style.DOUBLE if resolving.is_quoted_by_go(text) else Style.PLAIN
    return Node(
        Kind.SCALAR, tag="!!str", value=text, style=Style.LITERAL if "\n" in text else style
    )


def _written(before: bytes | None, outer: str, inner: str, items: list[Node]) -> bytes:
    sequence = Node(Kind.SEQUENCE, tag="!!seq", children=items)
    root = _mapping({outer: _mapping({inner: sequence})})
    prefix = _PREFIX.match((before or b"").decode("utf-8"))
    return ((prefix.group() if prefix else "") + writing.write(Document("", root))).encode()
