"""Changes of a text at token positions; every byte outside them stays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from updater.overrides import scalars
from updater.overrides.errors import KeyPathError
from updater.overrides.go_yaml.nodes import Kind, Node, Style

# New content: the written form of a scalar, or a collection of such.
Piece: TypeAlias = "str | Mapping[str, Piece] | Sequence[Piece]"

_STEP = 2  # columns, where the file shows no step of its own


@dataclass(frozen=True, slots=True)
class Patch:
    """The characters from start to end become `text`."""

    start: int
    end: int
    text: str


def apply(text: str, patches: Iterable[Patch]) -> str:
    """Return the text with patches that do not overlap."""
    for patch in sorted(patches, key=lambda patch: patch.start, reverse=True):
        text = text[: patch.start] + patch.text + text[patch.end :]
    return text


def set_scalar(text: str, node: Node, value: str, *, is_flow: bool) -> Patch:
    """Give a scalar another value and leave its quotes, tag, anchor and comment.

    Raises:
        KeyPathError: an explicit tag would turn the value into something else, or a comment would go.
    """
    if node.is_tagged and node.tag != "!!str":
        raise KeyPathError(f"line {node.line + 1}: the tag {node.tag} forbids a text; remove it")
    if node.style in (Style.LITERAL, Style.FOLDED) and node.beside:
        raise KeyPathError(f"line {node.line + 1}: write the value on one line first")
    written = scalars.like(node, value, is_flow=is_flow)
    space = (
        " " if node.start == node.end and text[node.start - 1 : node.start] not in (" ", "") else ""
    )
    return Patch(node.start, node.end, space + written)


def add_pair(text: str, mapping: Node, key: str, piece: Piece, *, is_flow: bool) -> Patch:
    """Put a key at the end of a mapping."""
    if is_flow:
        return _add_to_flow(mapping, f"{scalars.safe(key, is_flow=True)}: {flow(piece)}")
    indent = mapping.children[0].column
    return add_lines(text, mapping.end, block({key: piece}, indent, step_of(mapping)))


def add_item(
    text: str, sequence: Node, piece: Piece, *, after: int, opening: int, is_flow: bool
) -> Patch:
    """Put an item into a list behind `after` items; `opening` is the end of the list's key."""
    if is_flow or not sequence.children:
        place = sequence.children[after - 1].end if after else sequence.start + 1
        rest = ", " if sequence.children and not after else ""
        return Patch(place, place, (", " if after else "") + flow(piece) + rest)
    place = sequence.children[after - 1].end if after else opening
    return add_lines(text, place, block([piece], sequence.column, _STEP))


def add_lines(text: str, after: int, lines: Sequence[str]) -> Patch:
    """Put lines below the line of the place `after`."""
    end = line_end(text, after)
    return Patch(end, end, "".join(newline(text) + line for line in lines))


def remove_pair(text: str, mapping: Node, place: int, *, is_flow: bool) -> Patch:
    """Take the pair number `place` out of a mapping that has others."""
    pairs = mapping.pairs()
    key, value = pairs[place]
    if place == 0:
        return Patch(key.start, pairs[1][0].start, "")
    before = max(pairs[place - 1][0].end, pairs[place - 1][1].end)
    if is_flow:
        return Patch(before, max(key.end, value.end), "")
    return Patch(line_end(text, before), line_end(text, max(key.end, value.end)), "")


def line_end(text: str, at: int) -> int:
    """Return the place of the line break behind `at`, or the end of the text."""
    ends = [place for sign in "\r\n" if (place := text.find(sign, at)) >= 0]
    return min(ends, default=len(text))


def newline(text: str) -> str:
    """Return the line break that the text uses first."""
    end = line_end(text, 0)
    return "\r\n" if text.startswith("\r\n", end) else "\n"


def step_of(mapping: Node) -> int:
    """Return how far a mapping indents the mappings inside it."""
    for key, value in mapping.pairs():
        if value.kind is Kind.MAPPING and not value.is_flow and value.column > key.column:
            return value.column - key.column
    return _STEP


def list_step_of(mapping: Node) -> int:
    """Return how far a mapping indents the lists inside it."""
    for key, value in mapping.pairs():
        if value.kind is Kind.SEQUENCE and not value.is_flow and value.children:
            return value.column - key.column
    return 0


def block(piece: Piece, indent: int, step: int, list_step: int = 0) -> list[str]:
    """Return the lines of new content in block style."""
    lines: list[str] = []
    if isinstance(piece, str):
        return [" " * indent + piece]
    if isinstance(piece, Mapping):
        for key, value in piece.items():
            lines += _block_pair(scalars.safe(key), value, indent, (step, list_step))
        return lines
    for item in piece:
        first, *rest = block(item, indent + 2, step, list_step)
        lines += [f"{' ' * indent}- {first.lstrip(' ')}", *rest]
    return lines


def _block_pair(key: str, value: Piece, indent: int, steps: tuple[int, int]) -> list[str]:
    if isinstance(value, str):
        return [f"{' ' * indent}{key}: {value}"]
    deeper = indent + (steps[0] if isinstance(value, Mapping) else steps[1])
    return [f"{' ' * indent}{key}:", *block(value, deeper, *steps)]


def flow(piece: Piece) -> str:
    """Return new content in flow style, on one line."""
    if isinstance(piece, str):
        return piece
    if isinstance(piece, Mapping):
        pairs = (
            f"{scalars.safe(key, is_flow=True)}: {flow(value)}" for key, value in piece.items()
        )
        return f"{{{', '.join(pairs)}}}"
    return f"[{', '.join(flow(item) for item in piece)}]"


def _add_to_flow(mapping: Node, written: str) -> Patch:
    if not mapping.children:
        return Patch(mapping.start + 1, mapping.start + 1, written)
    end = max(node.end for node in mapping.children[-2:])
    return Patch(end, end, f", {written}")
