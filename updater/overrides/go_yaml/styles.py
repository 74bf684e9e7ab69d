"""Chooses the style of a scalar and writes it, as yaml.v3 does with no limit on the line's width."""

from itertools import pairwise

from updater.overrides.go_yaml.characters import BLANKS, VALUE_BREAKS, is_printable
from updater.overrides.go_yaml.emitting import Page
from updater.overrides.go_yaml.nodes import Style

_FIRST = "#,[]{}&*!|>'\"%@`"
_ESCAPES = {
    "\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r",
    "\x1b": "e", '"': '"', "\\": "\\", "\x85": "N", "\xa0": "_", "\u2028": "L", "\u2029": "P",
}  # fmt: skip


def choose(text: str, wanted: Style, *, is_flow: bool, is_key: bool) -> Style:
    """Return the style that can hold the text, the wanted one where possible."""
    style = Style.DOUBLE if is_key and is_multiline(text) else wanted
    if style is Style.PLAIN and not _can_be_plain(text, is_flow=is_flow, is_key=is_key):
        style = Style.SINGLE
    if style is Style.SINGLE and not _can_be_single(text):
        style = Style.DOUBLE
    if style in (Style.LITERAL, Style.FOLDED) and (is_flow or is_key or not _can_be_block(text)):
        style = Style.DOUBLE
    return style


def is_multiline(text: str) -> bool:
    """Tell whether the text holds a line break."""
    return any(sign in VALUE_BREAKS for sign in text)


def _can_be_plain(text: str, *, is_flow: bool, is_key: bool) -> bool:
    if not text:
        return not is_flow and not is_key
    if text[0] in " " + VALUE_BREAKS or text[-1] in " " + VALUE_BREAKS or is_multiline(text):
        return False
    return _can_be_single(text) and not _has_indicators(text, is_flow=is_flow)


def _has_indicators(text: str, *, is_flow: bool) -> bool:
    """Tell whether the text would be read as more than text."""
    if text.startswith(("---", "...")) or text[0] in _FIRST:
        return True
    if text[0] in "?:-" and (len(text) == 1 or text[1] in BLANKS or (is_flow and text[0] != "-")):
        return True
    for before, sign, after in zip(text, text[1:], text[2:] + " ", strict=False):
        if (sign == ":" and (is_flow or after in BLANKS)) or (
            sign == "#" and before in BLANKS + VALUE_BREAKS
        ):
            return True
        if is_flow and sign in ",?[]{}":
            return True
    return False


def _can_be_single(text: str) -> bool:
    is_special = any(not is_printable(sign) for sign in text)
    pairs = list(pairwise(text))
    near_break = any(
        (a == " " and b in VALUE_BREAKS) or (a in VALUE_BREAKS and b == " ") for a, b in pairs
    )
    return not is_special and not near_break


def _can_be_block(text: str) -> bool:
    is_special = any(sign != "\t" and not is_printable(sign) for sign in text)
    before_break = any(a == " " and b in VALUE_BREAKS for a, b in pairwise(text))
    return bool(text) and text[-1] != " " and not is_special and not before_break


def write(page: Page, text: str, style: Style, indent_step: int) -> None:
    """Write a scalar in a style that can hold it."""
    match style:
        case Style.PLAIN:
            _write_plain(page, text)
        case Style.SINGLE:
            _write_single(page, text)
        case Style.DOUBLE:
            page.write_indicator(f'"{double_quoted(text)}"')
        case Style.LITERAL:
            _start_block(page, "|", text, indent_step)
            _write_lines(page, text)
        case Style.FOLDED:
            _start_block(page, ">", text, indent_step)
            _write_folded(page, text)


def double_quoted(text: str) -> str:
    """Return the text as it stands between double quotes."""
    return "".join(_escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    if is_printable(sign) and sign not in '\n"\\\u2028\u2029':
        return sign
    code = ord(sign)
    if sign in _ESCAPES:
        return "\\" + _ESCAPES[sign]
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _write_plain(page: Page, text: str) -> None:
    if text and not page.is_after_blank:
        page.put(" ")
    page.put(text)
    page.is_indentation = False
    page.is_after_blank = page.is_after_blank and not text


def _write_single(page: Page, text: str) -> None:
    page.write_indicator("'")
    after_break = False
    for sign in text:
        if sign in VALUE_BREAKS:
            if not after_break and sign == "\n":
                page.put_break()
            page.put_break(sign)
        else:
            if after_break and sign != " ":
                page.write_indent()
            page.put("''" if sign == "'" else sign)
            page.is_indentation = page.is_indentation and sign == " "
        after_break = sign in VALUE_BREAKS or (after_break and sign == " ")
    page.write_indicator("'", spaced=False)


def _start_block(page: Page, sign: str, text: str, indent_step: int) -> None:
    hint = str(indent_step) if text[:1] in tuple(" " + VALUE_BREAKS) else ""
    page.write_indicator(sign + hint + _chomping(text))
    page.write_beside(breaks_line=True)
    page.is_after_blank = True


def _chomping(text: str) -> str:
    if not text or text[-1] not in VALUE_BREAKS:
        return "-"
    return "+" if len(text) == 1 or text[-2] in VALUE_BREAKS else ""


def _write_lines(page: Page, text: str) -> None:
    after_break = True
    for sign in text:
        if sign in VALUE_BREAKS:
            page.put_break(sign)
        else:
            if after_break:
                page.write_indent()
            page.put(sign)
            page.is_indentation = False
        after_break = sign in VALUE_BREAKS


def _write_folded(page: Page, text: str) -> None:
    after_break, is_indented = True, True
    for sign in text:
        if sign in VALUE_BREAKS:
            if not after_break and not is_indented and sign == "\n" and _folds(text):
                page.put_break()
            page.put_break(sign)
        else:
            if after_break:
                page.write_indent()
                is_indented = sign in BLANKS
            page.put(sign)
            page.is_indentation = False
        after_break = sign in VALUE_BREAKS


def _folds(text: str) -> bool:
    """Tell what yaml.v3 asks of the start of the text, though it means the rest of it."""
    rest = text.lstrip(VALUE_BREAKS)
    return bool(rest) and rest[0] not in BLANKS
