"""The character classes of yaml.v3; NUL stands for the end of the text."""

import re

BLANKS = " \t"
BREAKS = "\r\n"
ENDS = BREAKS + "\0"  # of a line
SPACES = BLANKS + ENDS  # what may follow an indicator
VALUE_BREAKS = "\r\n\x85\u2028\u2029"  # what counts as a break inside a value that is written
WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-")

# NEL, LS, PS break lines for some readers only, and so does a byte order mark inside the text
_REFUSED = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def find_refused(text: str) -> int | None:
    """Return the place of the first character that not every reader takes in the same way."""
    found = _REFUSED.search(text, 1 if text.startswith("\ufeff") else 0)
    return found.start() if found else None


def is_printable(sign: str) -> bool:
    """Tell whether yaml.v3 writes the character as it is (it escapes everything beyond 16 bits)."""
    code = ord(sign)
    if code < 0xA0:
        return code == 0x0A or 0x20 <= code <= 0x7E
    return code <= 0xD7FF or (0xE000 <= code <= 0xFFFD and code != 0xFEFF)
