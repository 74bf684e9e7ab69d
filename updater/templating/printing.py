"""Turns values into text as Go's fmt does, for the verbs %s, %d, %q and %v."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from updater.templating.values import Record, Value, described, kind

_WIDEST = 1000
_DIRECTIVE = re.compile(
    r"%(?P<flags>[-0]*)(?P<width>\d{0,4})(?:\.(?P<precision>\d{0,4}))?(?P<verb>.?)", re.S
)
_QUOTED = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
}
_QUOTED |= {'"': r"\"", "\\": r"\\"}


@dataclass(frozen=True, slots=True)
class Directive:
    """One %-directive of a format; verb "" stands for literal text in `text`."""

    text: str
    verb: str = ""
    left: bool = False
    zeros: bool = False
    width: int = 0
    precision: int | None = None


def _zeros(text: str, width: int) -> str:
    return text.rjust(width, "0")


def directives(pattern: str) -> list[Directive]:
    """Return the pieces of a printf format.

    Raises:
        ValueError: a verb, flag or width outside the supported ones.
    """
    pieces: list[Directive] = []
    at = 0
    for found in _DIRECTIVE.finditer(pattern):
        pieces += [Directive(pattern[at : found.start()]), _directive(found)]
        at = found.end()
    return [*pieces, Directive(pattern[at:])]


def _directive(found: re.Match[str]) -> Directive:
    if found.group() == "%%":
        return Directive("%")
    verb, width, precision = found["verb"], int(found["width"] or 0), found["precision"]
    if verb not in tuple("sdqv"):
        raise ValueError(f"{found.group()} is not supported; known verbs: %s %d %q %v %%")
    if width > _WIDEST:
        raise ValueError(f"{found.group()} is wider than {_WIDEST}")
    cut = None if precision is None else int(precision or 0)
    left = "-" in found["flags"]
    zeros = "0" in found["flags"] and not left
    return Directive(found.group(), verb, left=left, zeros=zeros, width=width, precision=cut)


def formatted(pattern: str, values: Sequence[Value], limit: int) -> str:
    """Return what Go's Sprintf returns, complaints about the arguments included.

    Raises:
        ValueError: the format is not supported, or the result is longer than `limit`.
    """
    remaining = list(values)
    return _bounded(_pieces(directives(pattern), remaining), limit)


def _pieces(parts: Sequence[Directive], remaining: list[Value]) -> Iterator[str]:
    for part in parts:
        if not part.verb:
            yield part.text
        elif remaining:
            yield _formatted(part, remaining.pop(0))
        else:
            yield f"%!{part.verb}(MISSING)"
    if remaining:
        yield f"%!(EXTRA {', '.join(_typed(value) for value in remaining)})"


def joined(values: Sequence[Value], limit: int) -> str:
    """Return what Go's Sprint returns: a space between two values when neither is a string."""
    pieces: list[str] = []
    for place, value in enumerate(values):
        if place and not isinstance(value, str) and not isinstance(values[place - 1], str):
            pieces.append(" ")
        pieces.append(plain(value))
    return _bounded(pieces, limit)


def line(values: Sequence[Value], limit: int) -> str:
    """Return what Go's Sprintln returns."""
    return _bounded([" ".join(plain(value) for value in values), "\n"], limit)


def plain(value: Value) -> str:
    """Return a value as %v shows it."""
    return _formatted(Directive("%v", "v"), value)


def _bounded(pieces: Iterator[str] | Sequence[str], limit: int) -> str:
    result: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise ValueError(f"the result is longer than {limit} characters")
        result.append(piece)
    return "".join(result)


def _formatted(part: Directive, value: Value) -> str:
    if isinstance(value, tuple):
        return f"[{' '.join(_formatted(part, item) for item in value)}]"
    if isinstance(value, Record):
        return f"{{{' '.join(_formatted(part, item) for item in value.fields.values())}}}"
    if isinstance(value, Mapping):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode())
        shown = (f"{_formatted(part, key)}:{_formatted(part, item)}" for key, item in pairs)
        return f"map[{' '.join(shown)}]"
    return _scalar(part, value)


def _scalar(part: Directive, value: str | int | float | None) -> str:
    if isinstance(value, str) and part.verb != "d":
        return _string(part, value)
    if part.verb in ("d", "v") and type(value) is int:  # bool is an int, too
        return _integer(part, value)
    if part.verb == "v":
        return _padded(part, _word(value))
    if part.verb == "q" and kind(value) == "int":
        raise ValueError("%q of a number is not supported")
    return f"%!{part.verb}({_typed(value, part)})"


def _string(part: Directive, value: str) -> str:
    cut = value if part.precision is None else value[: part.precision]
    return _padded(part, quoted(cut) if part.verb == "q" else cut)


def _word(value: str | float | None) -> str:
    if value is None:
        return "<nil>"
    return _float(value) if isinstance(value, float) else str(value).lower()


def _float(value: float) -> str:
    """Write an exponent where it would be below -4 or above 5, as Go does."""
    exact = Decimal(repr(value)).normalize()
    exponent = exact.adjusted()
    if not value or -4 <= exponent < 6:
        return f"{exact:f}"
    first, *rest = (str(digit) for digit in exact.as_tuple().digits)
    point = "." if rest else ""
    return f"{'-' * (value < 0)}{first}{point}{''.join(rest)}e{exponent:+03d}"


def _integer(part: Directive, value: int) -> str:
    """Pad a whole number; a precision is the fewest digits and takes the zero flag its meaning."""
    if part.precision is None:
        return _padded(part, str(value), fill=str.zfill)
    digits = str(abs(value)).zfill(part.precision)
    return _padded(replace(part, zeros=False), "-" * (value < 0) + digits)


def _padded(part: Directive, text: str, fill: Callable[[str, int], str] = _zeros) -> str:
    if part.zeros:
        return fill(text, part.width)
    return text.ljust(part.width) if part.left else text.rjust(part.width)


def _typed(value: Value, part: Directive | None = None) -> str:
    """Return the type and value of Go's complaints; the names of Go's own compound types are not known."""
    if value is None:
        return "<nil>"
    if isinstance(value, tuple | Record | Mapping):
        raise ValueError(f"{described(value)} too many")  # noqa: TRY004  the format's fault, not the type's
    shown = _scalar(replace(part, verb="v"), value) if part else plain(value)
    return f"{kind(value)}={shown}"


def quoted(text: str) -> str:
    """Return a Go string literal for the text."""
    return f'"{"".join(_QUOTED.get(sign) or _shown(sign) for sign in text)}"'


def _shown(sign: str) -> str:
    code = ord(sign)
    if sign.isprintable():
        return sign
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
