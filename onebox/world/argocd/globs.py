"""The globs of projects, sync windows and namespaces; pure."""

import functools
import re
from collections.abc import Iterable


def matches(pattern: str, text: str, *, separator: str = "") -> bool:
    """Whether a glob matches; with a separator `*` stops there and `**` does not."""
    return _compile(pattern, separator).fullmatch(text) is not None


def matches_any(patterns: Iterable[str], text: str, *, separator: str = "") -> bool:
    """Whether one of the patterns matches and none that begins with `!` does."""
    listed = list(patterns)
    denied = (item[1:] for item in listed if item.startswith("!"))
    if any(matches(item, text, separator=separator) for item in denied):
        return False
    allowed = (item for item in listed if not item.startswith("!"))
    return any(item == "*" or matches(item, text, separator=separator) for item in allowed)


def matches_namespace(patterns: Iterable[str], namespace: str) -> bool:
    """Whether one of the patterns, globs or `/regular expressions/`, matches a namespace."""
    return any(_matches_namespace(pattern.strip(), namespace) for pattern in patterns)


def _matches_namespace(pattern: str, namespace: str) -> bool:
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        return re.search(pattern[1:-1], namespace) is not None
    return matches(pattern, namespace)


@functools.lru_cache(maxsize=512)
def _compile(pattern: str, separator: str) -> re.Pattern[str]:
    anything = f"[^{re.escape(separator)}]" if separator else "."
    wild = {"**": ".*", "*": f"{anything}*", "?": anything}
    expression, depth = "", 0
    for piece in re.findall(r"\*\*|\[[^\]]+\]|\\.|.", pattern, re.DOTALL):
        if piece in wild:
            expression += wild[piece]
        elif piece.startswith("[") and len(piece) > 2:
            expression += "[" + re.sub(r"^!", "^", piece[1:-1]).replace("\\", "\\\\") + "]"
        elif piece == "{" or (piece in ",}" and depth):
            expression += {"{": "(?:", ",": "|", "}": ")"}[piece]
            depth += {"{": 1, ",": 0, "}": -1}[piece]
        else:
            expression += re.escape(piece[-1])
    try:
        return re.compile(expression + ")" * depth, re.DOTALL)
    except re.error:  # such as the class [z-a]
        return re.compile(r"(?!)")
