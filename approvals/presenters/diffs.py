"""What will be written, line by line: the exact difference of each file, with the changed words marked."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from approvals.presenters.texts import visible

CONTEXT_LINES = 3
MAX_LINES = 400  # shown of one file; the rest is counted, never hidden silently
_MAX_COMPARED_LINES = 2000  # beyond this, comparing would take longer than a page may
_MAX_MARKED_LENGTH = 2000
_WORDS = re.compile(r"[^\s:\"'=,\[\]{}]+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line; marked when it is what differs."""

    text: str
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line: kind `same`, `del`, `ins`, or `gap` for lines left out between."""

    kind: str
    number: int | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file's difference."""

    path: str
    is_new: bool
    lines: tuple[Line, ...]
    added: int
    removed: int
    hidden: int  # lines cut at MAX_LINES


def of_plan(plan: Mapping[str, Any]) -> tuple[FileDiff, ...]:
    """Return the difference of every file of a stored plan; of its parameters when it writes no file."""
    files = [of_file(file["path"], file["before"], file["after"]) for file in plan.get("files", [])]
    if not files and plan.get("edits"):
        files = [of_edits("Application parameters", plan["edits"])]
    return tuple(files)


def of_file(path: str, before: str | None, after: str) -> FileDiff:
    """Return the difference of one file; `before` is None for a new one."""
    old, new = _lines_of(before or ""), _lines_of(after)
    lines = [line for group in _groups(old, new) for line in group]
    return _cut(path, lines, is_new=before is None)


def of_edits(title: str, edits: Iterable[Mapping[str, Any]]) -> FileDiff:
    """Return parameter changes in the shape of a file's difference."""
    lines: list[Line] = []
    for edit in edits:
        old, new = edit.get("old"), f"{edit['key']}: {edit['new']}"
        lines += _changed([] if old is None else [f"{edit['key']}: {old}"], [new], None, None)
    return _cut(title, lines, is_new=False)


def _cut(path: str, lines: Sequence[Line], *, is_new: bool) -> FileDiff:
    return FileDiff(
        path=visible(path),
        is_new=is_new,
        lines=tuple(lines[:MAX_LINES]),
        added=sum(line.kind == "ins" for line in lines),
        removed=sum(line.kind == "del" for line in lines),
        hidden=max(0, len(lines) - MAX_LINES),
    )


def _lines_of(text: str) -> list[str]:
    if not text:
        return []
    lines = text.split("\n")
    if lines[-1] == "":
        return lines[:-1]
    return [*lines[:-1], lines[-1] + "  ⟨no newline at the end⟩"]


def _groups(old: list[str], new: list[str]) -> Iterable[list[Line]]:
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    # Equal lines around the change need no comparison: only the middle does.
    first, head = max(0, start - CONTEXT_LINES), min(start, CONTEXT_LINES)
    tail = min(end, CONTEXT_LINES)
    middle_old, middle_new = old[first : len(old) - end + tail], new[first : len(new) - end + tail]
    if max(len(middle_old), len(middle_new)) > _MAX_COMPARED_LINES:
        codes = [_replaced(middle_old, middle_new, head, tail)]
    else:
        matcher = SequenceMatcher(None, middle_old, middle_new, autojunk=False)
        codes = list(matcher.get_grouped_opcodes(CONTEXT_LINES))
    for index, group in enumerate(codes):
        if index or (group and first + group[0][1]):
            yield [Line("gap", None, (Part("…"),))]
        yield _group(group, middle_old, middle_new, first)


_Code = tuple[str, int, int, int, int]


def _replaced(old: list[str], new: list[str], head: int, tail: int) -> list[_Code]:
    ends = len(old) - tail, len(new) - tail
    return [
        ("equal", 0, head, 0, head),
        ("replace", head, ends[0], head, ends[1]),
        ("equal", ends[0], len(old), ends[1], len(new)),
    ]


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    count = 0
    for left, right in zip(old, new, strict=False):
        if left != right:
            break
        count += 1
    return count


def _group(codes: Iterable[_Code], old: list[str], new: list[str], first: int) -> list[Line]:
    lines: list[Line] = []
    for tag, old_from, old_to, new_from, new_to in codes:
        if tag == "equal":
            texts = enumerate(new[new_from:new_to], start=first + new_from + 1)
            lines += [Line("same", number, (Part(visible(text)),)) for number, text in texts]
        else:
            numbers = first + old_from + 1, first + new_from + 1
            lines += _changed(old[old_from:old_to], new[new_from:new_to], *numbers)
    return lines


def _changed(
    old: list[str], new: list[str], old_number: int | None, new_number: int | None
) -> list[Line]:
    removed, added = [], []
    for index, (left, right) in enumerate(zip_longest(old, new)):
        left_parts, right_parts = _marked(left, right)
        if left is not None:
            removed.append(Line("del", _at(old_number, index), left_parts))
        if right is not None:
            added.append(Line("ins", _at(new_number, index), right_parts))
    return removed + added


def _at(number: int | None, index: int) -> int | None:
    return None if number is None else number + index


def _marked(left: str | None, right: str | None) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    if left is None or right is None or max(len(left), len(right)) > _MAX_MARKED_LENGTH:
        return _whole(left), _whole(right)
    left_words, right_words = _WORDS.findall(left), _WORDS.findall(right)
    matcher = SequenceMatcher(None, left_words, right_words, autojunk=False)
    if matcher.ratio() < 0.3:
        return _whole(left), _whole(right)
    codes = matcher.get_opcodes()
    return (
        tuple(_part(left_words[a:b], tag) for tag, a, b, _, _ in codes if b > a),
        tuple(_part(right_words[c:d], tag) for tag, _, _, c, d in codes if d > c),
    )


def _part(words: list[str], tag: str) -> Part:
    return Part(visible("".join(words)), is_marked=tag != "equal")


def _whole(text: str | None) -> tuple[Part, ...]:
    return (Part(visible(text or "")),)
