"""Values in a Helm values file at dotted paths (specification 3.6).

By default only the bytes of the values change, quotes stay, and new keys are added as lines. `exact` is
upstream: it patches plain values in place when every value of the edit allows it, and else writes the
whole file anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from updater.overrides import checking, exact_values, key_paths, patching, scalars, short_names
from updater.overrides.edit import Edit, Edited
from updater.overrides.errors import KeyPathError, OverrideError
from updater.overrides.go_yaml import reading
from updater.overrides.go_yaml.nodes import Kind, Node
from updater.overrides.key_paths import Place
from updater.overrides.patching import Patch


@dataclass(frozen=True, slots=True)
class Value:
    """What is to stand at a path; a name loses its registry where the file leaves it out."""

    path: str
    text: str
    image: str = ""  # the key of the image it is for
    is_name: bool = False


def write(before: bytes | None, values: Sequence[Value], *, exact: bool = False) -> Edited:
    """Return the file with these values, made anew when there is none.

    Raises:
        OverrideError: a path leads nowhere, or the file cannot be edited safely.
    """
    for value in values:
        key_paths.segments(value.path)
    if before is None or not before.strip():
        return _new_file(values, exact=exact)
    if exact:
        return _write_exactly(before, values)
    editor = _Editor(reading.decode(before))
    for value in values:
        editor.write(value)
    return editor.finished()


def read(before: bytes | None, path: str) -> str | None:
    """Return the value at a path, None where there is none.

    Raises:
        OverrideError: the file or the path is not usable.
    """
    root = reading.read(reading.decode(before or b"")).root
    if root is None or root.kind is not Kind.MAPPING:
        return None
    node = key_paths.locate(root, path).node
    return node.value if node is not None else None


def _new_file(values: Sequence[Value], *, exact: bool) -> Edited:
    if exact:
        pairs = [(value.path, value.text) for value in values]
        edits = tuple(Edit(value.path, None, value.text, value.image) for value in values)
        return Edited(exact_values.new_file(pairs), edits)
    editor = _Editor(f"{exact_values.HEADER}\n\n")
    for value in values:
        editor.write(value)
    return editor.finished()


def _write_exactly(before: bytes, values: Sequence[Value]) -> Edited:
    triples = [(value.path, value.text, value.is_name) for value in values]
    content, changes = exact_values.write(before, triples)
    edits = tuple(
        Edit(value.path, old, new, value.image)
        for value, (old, new) in zip(values, changes, strict=True)
        if old != new
    )
    return Edited(content, edits)


class _Editor:
    """Sets values one after the other; reads the file again only where keys were added."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._root = self._read()
        self._before = self._root
        self._patches: list[Patch] = []
        self._edits: list[Edit] = []
        self._intended: dict[checking.Path, str | None] = {}

    def write(self, value: Value) -> None:
        """Set one value, and add its keys where they are missing."""
        if self._root is None:
            self._append(value, value.path.split("."))
            return
        place = key_paths.locate(self._root, value.path)
        if place.is_aliased:
            raise KeyPathError(
                f"the key {value.path!r} is an alias; the change would reach further: "
                "write the value out"
            )
        if place.node is None:
            self._add(value, place)
        else:
            self._set(value, place, place.node)

    def finished(self) -> Edited:
        """Return the file after a look at everything that changed.

        Raises:
            OverrideError: another value changed too, or readers disagree about the file.
        """
        text = patching.apply(self._text, self._patches)
        checking.check(self._before, text, self._intended)
        return Edited(text.encode(), tuple(self._edits))

    def _set(self, value: Value, place: Place, node: Node) -> None:
        wanted = value.text
        if value.is_name:
            wanted = short_names.shortened(wanted, present=node.value, exact=False)
        self._intended[place.path] = wanted
        if scalars.reads_back(node, wanted):
            return
        patch = patching.set_scalar(self._text, node, wanted, is_flow=place.is_flow)
        if any(patch.start < other.end and other.start < patch.end for other in self._patches):
            raise KeyPathError(f"two images write {value.path!r}; give each its own key")
        self._patches.append(patch)
        self._edits.append(Edit(value.path, node.value, wanted, value.image))

    def _add(self, value: Value, place: Place) -> None:
        if any("[" in name for name in place.missing):
            raise KeyPathError(f"the key {value.path!r} names an item of a list that is not there")
        written = scalars.safe(value.text, is_flow=place.is_flow)
        piece: patching.Piece = written
        for name in reversed(place.missing[1:] if place.empty is None else place.missing):
            piece = {name: piece}
        self._patches.append(self._addition(place, piece))
        self._flush()
        self._note(value, (*place.path, *place.missing))

    def _addition(self, place: Place, piece: patching.Piece) -> Patch:
        if place.empty is not None:
            return self._below_empty(place, *place.empty, piece)
        name = place.missing[0]
        return patching.add_pair(self._text, place.holder, name, piece, is_flow=place.is_flow)

    def _below_empty(self, place: Place, key: Node, value: Node, piece: patching.Piece) -> Patch:
        if value.anchor or value.is_tagged or value.end > value.start:
            raise KeyPathError(f"line {value.line + 1}: remove what stands behind {key.value}")
        if place.is_flow:
            return Patch(value.start, value.end, " " + patching.flow(piece))
        step = patching.step_of(place.holder)
        lines = patching.block(piece, key.column + step, step)
        return patching.add_lines(self._text, key.end, lines)

    def _append(self, value: Value, names: list[str]) -> None:
        piece: patching.Piece = scalars.safe(value.text)
        for name in reversed(names):
            piece = {name: piece}
        sign = patching.newline(self._text)
        gap = "" if self._text.endswith(("\n", "\r")) else sign
        self._text += gap + "".join(line + sign for line in patching.block(piece, 0, 2))
        self._root = self._read()
        self._note(value, tuple(names))

    def _note(self, value: Value, path: tuple[str | int, ...]) -> None:
        self._intended[path] = value.text
        self._edits.append(Edit(value.path, None, value.text, value.image))

    def _flush(self) -> None:
        self._text = patching.apply(self._text, self._patches)
        self._patches = []
        self._root = self._read()

    def _read(self) -> Node | None:
        document = reading.read(self._text)
        root = document.root
        if document.has_more:
            raise OverrideError("the file holds several documents; keep one")
        if root is None or (root.kind is Kind.SCALAR and root.tag == "!!null" and not root.value):
            return None
        if root.kind is not Kind.MAPPING:
            raise OverrideError(f"line {root.line + 1}: the file is not a mapping")
        return root
