"""Cuts a template into text and the tokens inside {{ }}, as Go's text/template does."""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from updater.templating.errors import fault

_SPACE = " \t\r\n"
_TOKEN = re.compile(
    r"""
    (?P<string>"(?:[^"\\\n]|\\[^\n])*")
  | (?P<raw>`[^`]*`)
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
      |(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)(?![\w.]))
  | (?P<field>(?:\.[^\W\d]\w*)+(?![\w.$]))
  | (?P<variable>\$\w*(?:\.[^\W\d]\w*)*(?![\w.$]))
  | (?P<word>[^\W\d]\w*(?![\w.$]))
  | (?P<dot>\.(?![\w.$]))
  | (?P<sign>:=|[=|(),])
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"[^\s{}|()]{1,40}|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """One piece: `kind` is text, end (of an action), eof, or a group of the expression above."""

    kind: str
    text: str
    at: int
    spaced: bool = False  # white space stands before it


def tokens(source: str) -> Iterator[Token]:
    """Yield the tokens of a template.

    Raises:
        TemplateError: an action is not closed, or holds a character that has no meaning.
    """
    at = 0
    trims_left = False
    while True:
        opening = source.find("{{", at)
        stop = len(source) if opening < 0 else opening
        trims_right = opening >= 0 and _is_trim_marker(source, opening + 2)
        text = _trimmed(source[at:stop], left=trims_left, right=trims_right)
        if text:
            yield Token("text", text, at)
        if opening < 0:
            yield Token("eof", "", len(source))
            return
        at, trims_left = yield from _action(source, opening + (4 if trims_right else 2), opening)


def _is_trim_marker(source: str, at: int) -> bool:
    return source[at : at + 1] == "-" and source[at + 1 : at + 2] in tuple(_SPACE)


def _trimmed(text: str, *, left: bool, right: bool) -> str:
    text = text.lstrip(_SPACE) if left else text
    return text.rstrip(_SPACE) if right else text


def _action(source: str, at: int, opening: int) -> Generator[Token, None, tuple[int, bool]]:
    """Yield the tokens of one action and return where the text goes on, and whether it is trimmed."""
    if source.startswith("/*", at):
        return _after_comment(source, at, opening)
    while True:
        spaced = source[at : at + 1] in tuple(_SPACE)
        start, at = at, _skip_space(source, at)
        end = _closing(source, at, spaced=spaced)
        if end is not None:
            yield Token("end", source[at : at + end], start, spaced)
            return at + end, end == 3
        token = _one(source, at, opening, spaced=spaced)
        yield token
        at += len(token.text)


def _skip_space(source: str, at: int) -> int:
    while at < len(source) and source[at] in _SPACE:
        at += 1
    return at


def _closing(source: str, at: int, *, spaced: bool) -> int | None:
    """Return the length of the closing delimiter at this place, None when there is none."""
    if spaced and source.startswith("-}}", at):
        return 3
    return 2 if source.startswith("}}", at) else None


def _after_comment(source: str, at: int, opening: int) -> tuple[int, bool]:
    end = source.find("*/", at + 2)
    if end < 0:
        raise fault(source, opening, "the comment is not closed: write */}} after it")
    close = re.compile(r"[ \t\r\n]-\}\}|\}\}").match(source, end + 2)
    if close is None:
        raise fault(source, end, "a comment ends with */}} and has its {{ }} to itself")
    return close.end(), close.group() != "}}"


def _one(source: str, at: int, opening: int, *, spaced: bool) -> Token:
    found = _TOKEN.match(source, at)
    if found is None:
        if at >= len(source):
            raise fault(source, opening, "the action is not closed: write }} after it")
        raise fault(source, at, f"{_WORD.match(source, at)[0]!r} has no meaning here")  # type: ignore[index]  # matches any character
    return Token(found.lastgroup or "", found.group(), at, spaced)
