"""Text from outside made safe to read: nothing hidden, nothing that turns the line around."""

import re
import unicodedata

# Controls (but tab), bidirectional overrides and isolates, zero-width signs, line separators.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def visible(text: str) -> str:
    """Return the text with every sign that a reader would not see written as its name."""
    return _HIDDEN.sub(_name, text)


def _name(match: re.Match[str]) -> str:
    sign = match.group()
    if sign == "\r":
        return "␍"
    return f"⟨{unicodedata.name(sign, f'U+{ord(sign):04X}')}⟩"
