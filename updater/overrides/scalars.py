"""How a text is written so that it is read back as that text (specification 3.5, and safer)."""

import re

from updater.overrides.go_yaml import resolving, styles
from updater.overrides.go_yaml.nodes import Node, Style

# What some YAML 1.1 or 1.2 reader takes for a number, a date or a special value, though Go does not:
# huge exponents, impossible dates, a lone "=".
_MISREAD = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9_]+"
    r"|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9_]+)?"
    r"|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|\.(?:inf|Inf|INF))"
    r"|\.(?:nan|NaN|NAN)|="
    r"|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?"
    r"(?:(?:[Tt]|[ \t]+)[0-9][0-9]?:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9:]+))?)?"
)


def as_go(text: str) -> str:
    """Return the text as Go's yaml.v3 writes a string (the table of specification 3.5)."""
    return _written(text, Style.DOUBLE if resolving.is_quoted_by_go(text) else Style.PLAIN)


def safe(text: str, *, is_flow: bool = False) -> str:
    """Return the text so that YAML 1.1 and 1.2 readers alike read it back; Go's form where that does."""
    is_plain = not resolving.is_quoted_by_go(text) and not _MISREAD.fullmatch(text)
    return _written(text, Style.PLAIN if is_plain else Style.DOUBLE, is_flow=is_flow)


def like(node: Node, text: str, *, is_flow: bool) -> str:
    """Return the text in the quotes that the scalar has now, where they can hold it."""
    if node.style is Style.SINGLE:
        return _written(text, Style.SINGLE, is_flow=is_flow)
    if node.style is Style.DOUBLE:
        return _written(text, Style.DOUBLE)
    return safe(text, is_flow=is_flow)


def reads_back(node: Node, text: str) -> bool:
    """Tell whether a scalar is this text already, for every reader."""
    if node.value != text or (node.is_tagged and node.tag != "!!str"):
        return False
    return node.style is not Style.PLAIN or node.is_tagged or safe(text) == text


def can_be_patched_in(text: str) -> bool:
    """Tell whether upstream puts the text in the place of a plain one (specification 3.6, mode 1)."""
    if not text or text != text.strip(" ") or text[0] in "!&*?|>%@`\"'#,[]{}-" or text[-1] == ":":
        return False
    if any(sign in text for sign in ("\t", "\n", ": ", " #")):
        return False
    return resolving.resolve(text) == "!!str" and text.lower() not in (
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
    )


def _written(text: str, style: Style, *, is_flow: bool = False) -> str:
    wanted = Style.DOUBLE if styles.is_multiline(text) else style
    match styles.choose(text, wanted, is_flow=is_flow, is_key=False):
        case Style.PLAIN:
            return text
        case Style.SINGLE:
            return "'" + text.replace("'", "''") + "'"
        case _:
            return f'"{styles.double_quoted(text)}"'
