"""Dotted paths into a values file, and the place each of them leads to (specification 3.6)."""

import re
from dataclasses import dataclass

from updater.overrides.errors import KeyPathError
from updater.overrides.go_yaml.nodes import Kind, Node

_LONGEST = 1024
_MOST_SEGMENTS = 32
_INDEXED = re.compile(r"(?P<name>[^\[\]]+)\[(?P<index>[^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a path: a key, or a key and an index into the list behind it."""

    text: str  # as written
    name: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads. `node` is None when `missing` has yet to be made inside `holder`."""

    node: Node | None
    path: tuple[str | int, ...]  # through what exists
    holder: Node  # the deepest mapping
    empty: tuple[Node, Node] | None = None  # the key without a value in which the path ends
    missing: tuple[str, ...] = ()
    is_flow: bool = False
    is_aliased: bool = False  # an alias stands on the way
    is_literal: bool = False  # found as one key with dots at the root


def segments(path: str) -> tuple[Segment, ...]:
    """Return the parts of a path.

    Raises:
        KeyPathError: empty, too long, or with characters that no key has.
    """
    parts = path.split(".")
    if len(path) > _LONGEST or len(parts) > _MOST_SEGMENTS or not path.isprintable():
        raise _fault(path, "write a path of at most 32 keys")
    if any(not part or part != part.strip() for part in parts) or ": " in path or " #" in path:
        raise _fault(path, "write keys joined by dots, such as image.tag or images[0].tag")
    return tuple(_segment(path, part) for part in parts)


def _segment(path: str, part: str) -> Segment:
    found = _INDEXED.fullmatch(part)
    if not found:
        if "[" in part and part.endswith("]"):
            raise _fault(path, "an index stands once, behind a key, such as images[0]")
        return Segment(part, part)
    if not (found["index"].isascii() and found["index"].isdigit() and len(found["index"]) < 7):
        raise _fault(path, f"the index {found['index']!r} is not a number")
    return Segment(part, found["name"], int(found["index"]))


def locate(root: Node, path: str, *, literal_first: bool = False) -> Place:
    """Return where a path leads, nested before literal unless told otherwise.

    Raises:
        KeyPathError: the path leads through or to something that cannot hold a value.
    """
    parts = segments(path)
    literal = _literal(root, path) if len(parts) > 1 else None
    if literal is not None and literal_first:
        return literal
    try:
        place = _nested(root, path, parts)
    except KeyPathError:
        if literal is None:
            raise
        return literal
    return literal if literal is not None and place.node is None else place


def _literal(root: Node, path: str) -> Place | None:
    found = root.find(path)
    if found is None or found.content().kind is not Kind.SCALAR:
        return None
    return Place(
        found.content(),
        (path,),
        root,
        is_flow=root.is_flow,
        is_aliased=found.kind is Kind.ALIAS,
        is_literal=True,
    )


def _nested(root: Node, path: str, parts: tuple[Segment, ...]) -> Place:
    walk = _Walk(path, root)
    for place, part in enumerate(parts):
        if not walk.enter(part):
            missing = tuple(part.text for part in parts[place:])
            return walk.place(None, missing=missing)
    if walk.node.kind is not Kind.SCALAR:
        raise _fault(path, f"line {walk.node.line + 1} holds a list or mapping, not a value")
    return walk.place(walk.node)


class _Walk:
    """The way along one path."""

    def __init__(self, path: str, root: Node) -> None:
        self._path = path
        self._way: tuple[str | int, ...] = ()
        self._holder: Node = root
        self._empty: tuple[Node, Node] | None = None
        self._is_flow = root.is_flow
        self._is_aliased = False
        self.node = root

    def enter(self, part: Segment) -> bool:
        """Go one part further; tell whether there is something."""
        if self._is_empty(self.node) and self._empty is not None:
            return False
        if self.node.kind is not Kind.MAPPING:
            raise _fault(self._path, f"line {self.node.line + 1} holds no mapping for {part.text}")
        self._holder, self._empty = self.node, None
        pair = self._pair(part.name)
        if pair is None and part.index is not None and (pair := self._pair(part.text)):
            part = Segment(part.text, part.text)
        if pair is None:
            return False
        self._follow(pair[1], pair[0].content().value)
        self._empty = pair if self._is_empty(pair[1]) else None
        self._index(part)
        return True

    def place(self, node: Node | None, missing: tuple[str, ...] = ()) -> Place:
        """Return where the walk has come to."""
        return Place(
            node,
            self._way,
            self._holder,
            empty=self._empty,
            missing=missing,
            is_flow=self._is_flow,
            is_aliased=self._is_aliased,
        )

    def _pair(self, name: str) -> tuple[Node, Node] | None:
        pairs = self.node.pairs()
        return next((pair for pair in pairs if pair[0].content().value == name), None)

    def _follow(self, node: Node, name: str | int) -> None:
        self._is_aliased = self._is_aliased or node.kind is Kind.ALIAS
        self.node = node.content()
        self._is_flow = self._is_flow or self.node.is_flow
        self._way = (*self._way, name)

    def _index(self, part: Segment) -> None:
        if part.index is None:
            if self.node.kind is Kind.SEQUENCE:
                raise _fault(self._path, f"{part.name} is a list; write an index, {part.name}[0]")
            return
        if self.node.kind is not Kind.SEQUENCE:
            raise _fault(self._path, f"{part.name} is not a list")
        if part.index >= len(self.node.children):
            raise _fault(self._path, f"{part.name} has {len(self.node.children)} items")
        self._follow(self.node.children[part.index], part.index)

    @staticmethod
    def _is_empty(node: Node) -> bool:
        return node.kind is Kind.SCALAR and not node.value and node.tag == "!!null"


def _fault(path: str, message: str) -> KeyPathError:
    return KeyPathError(f"the key {path[:80]!r} cannot be written: {message}")
