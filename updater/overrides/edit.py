"""What an edit of a file came to: the new bytes, and every scalar that has another value now."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """One scalar: `old` is None where the file had none, `new` is "" where it was removed."""

    key: str
    old: str | None
    new: str
    image: str = ""  # the key of the image it is written for


@dataclass(frozen=True, slots=True)
class Edited:
    """The file after the edits."""

    content: bytes
    edits: tuple[Edit, ...] = ()
