"""Scans the tokens that carry text: anchors, aliases, tags, and scalars in their five styles."""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from updater.overrides.go_yaml import comments
from updater.overrides.go_yaml.characters import BLANKS, BREAKS, ENDS, SPACES, WORD
from updater.overrides.go_yaml.nodes import Style
from updater.overrides.go_yaml.tokens import Kind, Token

if TYPE_CHECKING:
    from updater.overrides.go_yaml.scanning import Scanner

_TAG = re.compile(r"!<([^\s<>%]*)>|!!?(?:[-\w;/?:@&=+$,.~*'()\[\]]|%[0-7][0-9a-fA-F])*", re.ASCII)
_BLOCK_HEADER = re.compile(
    r"[|>](?:(?P<chomp>[+-])(?P<indent>\d)?|(?P<indent_>\d)(?P<chomp_>[+-])?)?"
)
_BREAK = r"\r\n"
_PLAIN_RUN = re.compile(rf"(?:[^\0 \t{_BREAK}:]|:(?![\0 \t{_BREAK}]))+")
_PLAIN_FLOW_RUN = re.compile(rf"(?:[^\0 \t{_BREAK}:,?\[\]{{}}]|:(?![\0 \t{_BREAK}]))+")
_QUOTED_RUN = {
    "'": re.compile(rf"(?:[^\0 \t{_BREAK}']|'')+"),
    '"': re.compile(rf'[^\0 \t{_BREAK}"\\]+'),
}
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", " ": " ", '"': '"', "'": "'", "\\": "\\", "N": "\x85", "_": "\xa0",
    "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_GAP = BLANKS + BREAKS
_HEX = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})")


def scan_name(scanner: "Scanner") -> Token:
    """Take `&name` or `*name`."""
    start = scanner.mark()
    kind = Kind.ALIAS if scanner.text[scanner.at] == "*" else Kind.ANCHOR
    scanner.skip()
    while scanner.text[scanner.at] in WORD:
        scanner.skip()
    name = scanner.text[start.offset + 1 : scanner.at]
    if not name or scanner.text[scanner.at] not in SPACES + "?:,]}%@`":
        raise scanner.fault("an anchor or alias needs a name of letters and digits", start)
    return Token(kind, start, scanner.at, name)


def scan_tag(scanner: "Scanner") -> Token:
    """Take a tag; its value is the short form, for example `!!str`."""
    start = scanner.mark()
    found = _TAG.match(scanner.text, scanner.at)
    if not found or scanner.text[found.end()] not in SPACES or found.group() in ("!!", "!<>"):
        raise scanner.fault("this tag is not supported", start)
    scanner.skip(len(found.group()))
    text = unquote(found[1] if found[1] is not None else found.group())
    prefix = "tag:yaml.org,2002:"
    value = "!!" + text.removeprefix(prefix) if text.startswith(prefix) else text
    return Token(Kind.TAG, start, scanner.at, value)


def scan_plain(scanner: "Scanner") -> Token:
    """Take a plain scalar, over as many lines as its indentation allows."""
    start, end = scanner.mark(), scanner.at
    run = _PLAIN_FLOW_RUN if scanner.flow_level else _PLAIN_RUN
    parts: list[str] = []
    gap, has_break = "", False
    while not scanner.at_document_mark() and scanner.text[scanner.at] != "#":
        found = run.match(scanner.text, scanner.at)
        if not found:
            break
        parts += [gap, found.group()]
        scanner.skip(len(found.group()))
        end, has_break = scanner.at, False
        if scanner.text[scanner.at] not in _GAP:
            break
        gap, has_break = _gap(scanner, is_plain=True)
        if not scanner.flow_level and scanner.column <= scanner.indent:
            break
    scanner.key_allowed = scanner.key_allowed or has_break
    return Token(Kind.SCALAR, start, end, "".join(parts))


def _gap(
    scanner: "Scanner", *, is_plain: bool = False, after_escaped_break: bool = False
) -> tuple[str, bool]:
    """Take blanks and breaks between words; return what they stand for, and whether lines broke."""
    blanks, breaks = "", 0
    while (sign := scanner.text[scanner.at]) in _GAP:
        if sign in BREAKS:
            scanner.skip_line()
            breaks += 1
            continue
        is_new_line = breaks > 0 or after_escaped_break
        if is_plain and is_new_line and sign == "\t" and scanner.column <= scanner.indent:
            raise scanner.fault("a tab stands where spaces must indent")
        blanks += "" if is_new_line else sign
        scanner.at += 1
    if after_escaped_break:
        return "\n" * breaks, True
    return ("\n" * (breaks - 1) or " ", True) if breaks else (blanks, False)


def scan_quoted(scanner: "Scanner") -> Token:
    """Take a scalar in single or double quotes."""
    start = scanner.mark()
    quote = scanner.text[scanner.at]
    scanner.skip()
    parts: list[str] = []
    while True:
        if scanner.at_document_mark() or scanner.text[scanner.at] == "\0":
            raise scanner.fault("the quotes are not closed", start)
        continues = _quoted_words(scanner, quote, parts)
        if scanner.text[scanner.at] == quote:
            break
        parts.append(_gap(scanner, after_escaped_break=continues)[0])
    scanner.skip()
    style = Style.SINGLE if quote == "'" else Style.DOUBLE
    return Token(Kind.SCALAR, start, scanner.at, "".join(parts), style)


def _quoted_words(scanner: "Scanner", quote: str, parts: list[str]) -> bool:
    """Take characters up to a blank or the closing quote; tell whether an escaped break came last."""
    while scanner.text[scanner.at] not in SPACES:
        found = _QUOTED_RUN[quote].match(scanner.text, scanner.at)
        if found:
            parts.append(found.group().replace("''", "'") if quote == "'" else found.group())
            scanner.skip(len(found.group()))
        elif scanner.text[scanner.at] == quote:
            return False
        elif scanner.text[scanner.at + 1] in BREAKS:
            scanner.skip()
            scanner.skip_line()
            return True
        else:
            parts.append(_escape(scanner))
    return False


def _escape(scanner: "Scanner") -> str:
    sign = scanner.text[scanner.at + 1]
    if sign in _ESCAPES:
        scanner.skip(2)
        return _ESCAPES[sign]
    found = _HEX.match(scanner.text, scanner.at + 1)
    code = int(found[1] or found[2] or found[3], 16) if found else -1
    if not found or not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise scanner.fault(f"the escape \\{sign} is not known")
    scanner.skip(1 + len(found.group()))
    return chr(code)


def scan_block(scanner: "Scanner") -> Token:
    """Take a literal (|) or folded (>) scalar."""
    start = scanner.mark()
    is_literal = scanner.text[scanner.at] == "|"
    chomp, step = _block_header(scanner)
    end = scanner.at
    indent, breaks = _block_breaks(scanner, max(scanner.indent, 0) + step if step else 0)
    parts: list[str] = []
    last, was_blank = "", False
    while scanner.column == indent and scanner.text[scanner.at] != "\0":
        is_blank = scanner.text[scanner.at] in BLANKS
        folds = not is_literal and not was_blank and not is_blank and last == "\n"
        parts += [(" " if not breaks else "") if folds else last, breaks, _block_line(scanner)]
        was_blank, end = is_blank, scanner.at
        last = _end_line(scanner)
        indent, breaks = _block_breaks(scanner, indent)
    parts += ["" if chomp == "-" else last, breaks if chomp == "+" else ""]
    end = scanner.line_start - 1 if chomp == "+" and breaks else end
    style = Style.LITERAL if is_literal else Style.FOLDED
    return Token(Kind.SCALAR, start, end, "".join(parts), style)


def _block_header(scanner: "Scanner") -> tuple[str, int]:
    """Take the line of the indicator; return the chomping sign and the given indentation (0: none)."""
    start = scanner.mark()
    found = _BLOCK_HEADER.match(scanner.text, scanner.at)
    header = found.group() if found else ""
    step = "".join(sign for sign in header if sign.isdigit())
    if step == "0":
        raise scanner.fault("the indentation of a block scalar cannot be 0")
    scanner.skip(len(header))
    scanner.skip_blanks()
    if scanner.text[scanner.at] == "#":
        comments.scan_beside(scanner, start.offset)
    if scanner.text[scanner.at] not in ENDS:
        raise scanner.fault("a block scalar begins on the next line")
    _end_line(scanner)
    return "".join(sign for sign in header if sign in "+-"), int(step or 0)


def _end_line(scanner: "Scanner") -> str:
    if scanner.text[scanner.at] not in BREAKS:
        return ""
    scanner.skip_line()
    return "\n"


def _block_line(scanner: "Scanner") -> str:
    start = scanner.at
    while scanner.text[scanner.at] not in ENDS:
        scanner.at += 1
    line = scanner.text[start : scanner.at]
    scanner.newlines = 0 if line.strip(BLANKS) else scanner.newlines
    return line


def _block_breaks(scanner: "Scanner", indent: int) -> tuple[int, str]:
    """Take indentation and empty lines; return the indentation (found out when 0) and the breaks."""
    breaks, widest = "", 0
    while True:
        while scanner.text[scanner.at] == " " and (not indent or scanner.column < indent):
            scanner.at += 1
        widest = max(widest, scanner.column)
        if scanner.text[scanner.at] == "\t" and (not indent or scanner.column < indent):
            raise scanner.fault("a tab stands where spaces must indent")
        if scanner.text[scanner.at] not in BREAKS:
            return indent or max(widest, scanner.indent + 1, 1), breaks
        breaks += _end_line(scanner)
