"""Tag expressions, globs and platforms as Go matches them, in linear time (specification 2.4, 2.6). Pure."""

import functools
from dataclasses import dataclass
from typing import ClassVar, Protocol

import re2

from updater.errors import PermanentError

LONGEST_PATTERN = 1024  # bytes
# Enough for x{1000}; re2 keeps the last 128 compiled expressions of this size.
_MEMORY_BYTES = 1024 * 1024

_NOTHING = r"[^\x{0}-\x{10FFFF}]"
_ANYTHING = r"[\x{0}-\x{10FFFF}]"


class PatternError(PermanentError):
    """The expression or glob cannot be used: it matches nothing."""

    code: ClassVar[str] = "BAD_REGEX"


class _Expression(Protocol):
    """What is used of re2's compiled expression, which has no public type."""

    def search(self, text: bytes) -> object | None: ...
    def fullmatch(self, text: bytes) -> object | None: ...


@dataclass(frozen=True, slots=True)
class TagPattern:
    """A compiled `allow-tags` setting; without an expression it lets every tag pass."""

    setting: str
    _expression: _Expression | None = None

    def matches(self, tag: str) -> bool:
        """Say whether the expression is found anywhere in the tag."""
        if self._expression is None:
            return True
        return self._expression.search(tag.encode(errors="replace")) is not None


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled glob; it must match the whole text."""

    pattern: str
    _expression: _Expression

    def matches(self, text: str) -> bool:
        """Say whether the glob matches the whole text."""
        return self._expression.fullmatch(text.encode(errors="replace")) is not None


def allow_pattern(setting: str | None) -> TagPattern:
    """Read an `allow-tags` setting: nothing, `any`, or `regexp:` and an RE2 expression.

    Raises:
        PatternError: no tag may match then; it never means "all tags".

    """
    if not setting or setting.lower() == "any":
        return TagPattern(setting or "")
    kind, colon, expression = setting.partition(":")
    if not colon or kind.lower() != "regexp":
        raise PatternError(
            f"allow-tags {_shown(setting)} is not understood: write any or regexp:^main-"
        )
    return TagPattern(setting, _compiled_expression(expression))


@functools.lru_cache(maxsize=256)
def glob(pattern: str) -> Glob:
    """Compile a glob with Go's `filepath.Match` rules; a malformed one raises PatternError."""
    _refuse_size("glob", pattern)
    return Glob(pattern, _compile(_translate(pattern)))


def go_match(pattern: str, text: str) -> bool:
    """Match as Go's `filepath.Match`; a malformed pattern raises PatternError whatever the text."""
    return glob(pattern).matches(text)


def platform_matches(wanted: tuple[str, ...], platform: str) -> bool:
    """Say whether an image for `os/arch[/variant]` will do; nothing wanted accepts all."""
    return not wanted or any(_serves(platform.split("/"), text.split("/")) for text in wanted)


def _serves(offered: list[str], wanted: list[str]) -> bool:
    # linux/arm takes every variant, linux/arm/v7 only its own, "linux" cannot match at all.
    return len(wanted) in {2, 3} and offered[: len(wanted)] == wanted


def _compiled_expression(expression: str) -> _Expression:
    _refuse_size("expression", expression)
    if _holds_single_byte(expression):
        raise PatternError(f"expression {_shown(expression)} holds \\C: write . for one character")
    try:
        return _compile(expression)
    except re2.error as error:
        cause = error.args[0].decode(errors="replace") if error.args else "not an RE2 expression"
        raise PatternError(
            f"expression {_shown(expression)} is not valid RE2: {ascii(cause)[1:-1]}"
        ) from error


def _compile(expression: str) -> _Expression:
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    options.never_capture = True
    compiled: _Expression = re2.compile(expression.encode(), options=options)
    return compiled


def _holds_single_byte(expression: str) -> bool:
    r"""Find `\C`, which RE2 allows and Go does not; between `\Q` and `\E` it is literal."""
    position = expression.find("\\")
    while position >= 0:
        escaped = expression[position + 1 : position + 2]
        if escaped == "C":
            return True
        end = expression.find("\\E", position + 2) if escaped == "Q" else position
        position = expression.find("\\", end + 2) if end >= 0 else -1
    return False


def _refuse_size(what: str, pattern: str) -> None:
    try:
        size = len(pattern.encode())
    except UnicodeEncodeError as error:
        raise PatternError(f"{what} {_shown(pattern)} is not text") from error
    if size > LONGEST_PATTERN:
        raise PatternError(f"{what} {_shown(pattern)} is longer than {LONGEST_PATTERN} bytes")


def _translate(pattern: str) -> str:
    """Turn a glob into the RE2 expression that accepts the same texts."""
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "[":
            part, position = _character_class(pattern, position + 1)
        elif character in "*?":
            part, position = ("[^/]*" if character == "*" else "[^/]"), position + 1
        else:
            literal, position = _literal(pattern, position)
            part = re2.escape(literal)
        if part != "[^/]*" or parts[-1:] != [part]:
            parts.append(part)
    return "".join(parts)


def _character_class(pattern: str, position: int) -> tuple[str, int]:
    negated = pattern.startswith("^", position)
    position += negated
    ranges: list[str] = []
    is_first = True
    while is_first or not pattern.startswith("]", position):
        low, position = _class_member(pattern, position)
        high = low
        if pattern.startswith("-", position):
            high, position = _class_member(pattern, position + 1)
        if low <= high:  # Go takes [z-a] for a range that holds nothing
            ranges.append(f"\\x{{{ord(low):x}}}-\\x{{{ord(high):x}}}")
        is_first = False
    if not ranges:
        return (_ANYTHING if negated else _NOTHING), position + 1
    return f"[{'^' if negated else ''}{''.join(ranges)}]", position + 1


def _class_member(pattern: str, position: int) -> tuple[str, int]:
    if pattern.startswith(("-", "]"), position):
        raise _malformed(pattern)
    return _literal(pattern, position)


def _literal(pattern: str, position: int) -> tuple[str, int]:
    position += pattern.startswith("\\", position)
    if position >= len(pattern):
        raise _malformed(pattern)
    return pattern[position], position + 1


def _malformed(pattern: str) -> PatternError:
    return PatternError(f"glob {_shown(pattern)} is malformed: close every [ and escape with \\")


def _shown(text: str) -> str:
    return ascii(text[:80]) + ("…" if len(text) > 80 else "")
