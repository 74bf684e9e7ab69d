"""What yaml.v3 takes a plain scalar for: text, number, boolean, nothing, timestamp or merge key."""

import math
import re
from datetime import date, time

_WORDS = {
    **dict.fromkeys(("true", "True", "TRUE", "false", "False", "FALSE"), "!!bool"),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), "!!null"),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), "!!float"),
    **{sign + word: "!!float" for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
    "<<": "!!merge",
}
_OLD_BOOLEANS = frozenset(
    form
    for word in ("y", "n", "yes", "no", "on", "off")
    for form in (word, word.title(), word.upper())
)
_INTEGER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DOTTED_FLOAT = re.compile(r"\.[0-9](?:_?[0-9])*(?:[eE][+-]?[0-9](?:_?[0-9])*)?")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:(?:([Tt])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d{1,9}\d*)?(Z|[+-](?:[01]\d|2[0-4]):(?:[0-5]\d|60)))"
    r"|(?: +(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?))?"
)
_WIDEST = 2**64


def resolve(text: str) -> str:
    """Return the short tag of a plain scalar, for example `!!int`."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] == ".":
        return "!!float" if _is_finite(_DOTTED_FLOAT, text) else "!!str"
    if text[0] not in "+-0123456789":
        return "!!str"
    if _is_timestamp(text):
        return "!!timestamp"
    return _number(text.replace("_", ""))


def is_quoted_by_go(text: str) -> bool:
    """Tell whether yaml.v3 quotes the text when it writes it as a string (specification 3.5)."""
    return resolve(text) != "!!str" or text in _OLD_BOOLEANS or bool(_BASE_60.fullmatch(text))


def _number(text: str) -> str:
    if _is_integer(text):
        return "!!int"
    return "!!float" if _is_finite(_FLOAT, text) else "!!str"


def _is_integer(text: str) -> bool:
    if not _INTEGER.fullmatch(text):
        return False
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    base = {"0x": 16, "0b": 2, "0o": 8}.get(digits[:2].lower(), 8 if digits[:1] == "0" else 10)
    digits = digits[2:] if digits[:2].lower() in ("0x", "0b", "0o") else digits
    if len(digits) > 64 or not digits:
        return False
    value = int(digits, base)
    limit = _WIDEST if not sign else _WIDEST // 2 + (sign == "-")
    return value < limit


def _is_finite(form: re.Pattern[str], text: str) -> bool:
    return form.fullmatch(text) is not None and math.isfinite(float(text.replace("_", "")))


def _is_timestamp(text: str) -> bool:
    found = _TIMESTAMP.fullmatch(text)
    if not found:
        return False
    year, month, day = (int(part) for part in found.group(1, 2, 3))
    hour, minute, second = found.group(5, 6, 7) if found[4] else found.group(9, 10, 11)
    try:
        date(max(year, 1), month, day)
        time(int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return False
    return True
