"""Reads Go's string and number literals."""

import math
import re

_ESCAPE = re.compile(
    r"\\(?:(?P<plain>[abfnrtv\\\"])|x(?P<x>[0-7][0-9a-fA-F])|u(?P<u>[0-9a-fA-F]{4})"
    r"|U(?P<U>[0-9a-fA-F]{8})|(?P<octal>[01][0-7]{2})|(?P<bad>.))",
    re.DOTALL,
)
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_INT_LIMIT = 2**63
_MAX_DIGITS = 40


def text(literal: str) -> str:
    """Return what a quoted ("…" or `…`) literal stands for.

    Raises:
        ValueError: an escape that Go does not know, or one that makes bytes outside UTF-8.
    """
    if literal[0] == "`":
        return literal[1:-1].replace("\r", "")
    return _ESCAPE.sub(_unescaped, literal[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    if found["plain"]:
        return _PLAIN.get(found["plain"], found["plain"])
    digits = found["x"] or found["u"] or found["U"]
    code = int(digits, 16) if digits else int(found["octal"] or "-1", 8)
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"the escape {found.group()} is not understood")
    return chr(code)


def number(literal: str) -> int | float:
    """Return the number a literal stands for, as Go reads it.

    Raises:
        ValueError: not a number, or outside the 64 bits of Go's int.
    """
    if len(literal) > _MAX_DIGITS:
        raise ValueError("the number is too long")
    try:
        value = int(_octal(literal), 0)
    except ValueError:
        return _float(literal)
    if not -_INT_LIMIT <= value < _INT_LIMIT:
        raise ValueError(f"{literal} is too large")
    return value


def _float(literal: str) -> float:
    value = float(literal)
    if math.isinf(value):
        raise ValueError(f"{literal} is too large")
    return value


def _octal(literal: str) -> str:
    """Go reads 017 as octal; Python wants 0o17."""
    return re.sub(r"^([+-]?)0_?([0-7_]+)$", r"\g<1>0o\2", literal)
