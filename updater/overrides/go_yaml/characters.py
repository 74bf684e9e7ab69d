"""The character classes of yaml.v3; NUL stands for the end of the text."""

BLANKS = " \t"
BREAKS = "\r\n\x85\u2028\u2029"
ENDS = BREAKS + "\0"  # of a line
SPACES = BLANKS + ENDS  # what may follow an indicator
WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-")


def is_printable(sign: str) -> bool:
    """Tell whether yaml.v3 writes the character as it is (it escapes everything beyond 16 bits)."""
    code = ord(sign)
    if code < 0xA0:
        return code == 0x0A or 0x20 <= code <= 0x7E
    return code <= 0xD7FF or (0xE000 <= code <= 0xFFFD and code != 0xFEFF)


def is_readable(sign: str) -> bool:
    """Tell whether yaml.v3 accepts the character in a file."""
    code = ord(sign)
    return sign in "\t\n\r\x85" or 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xFFFD or code > 0xFFFF
