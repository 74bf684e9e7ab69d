"""Commit objects and their messages as pure functions: the same input gives the same SHA on any worker."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

MAX_IDENTITY_LENGTH = 200
MAX_TRAILER_LENGTH = 1000
EMPTY_MESSAGE = "Update parameters"  # as the image updater has it
_CRUFT: Final = " .,:;<>\"\\'"
_NEVER_IN_IDENTITY = re.compile(r"[\x00-\x1f\x7f-\x9f<>\u2028\u2029\ud800-\udfff]+")
_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_TRAILER_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who wrote or made a commit; unclean text is mended, not refused."""

    name: str
    email: str

    def line(self, at: datetime) -> bytes:
        """Return the identity as a commit holds it, always in UTC."""
        email = _identity(self.email).replace(" ", "")
        name = _identity(self.name) or email.partition("@")[0] or "unknown"
        return f"{name} <{email}> {int(at.timestamp())} +0000".encode()


def _identity(text: str) -> str:
    plain = " ".join(_NEVER_IN_IDENTITY.sub(" ", text).split())
    return plain[:MAX_IDENTITY_LENGTH].strip(_CRUFT)


def payload(
    *,
    tree: str,
    parent: str | None,
    author: Signature,
    committer: Signature,
    at: datetime,
    message: str,
) -> bytes:
    """Return the commit object without a signature."""
    if at.tzinfo is None:
        raise ValueError("a commit needs a time with a zone")
    headers = [f"tree {tree}".encode()]
    if parent is not None:
        headers.append(f"parent {parent}".encode())
    headers += [b"author " + author.line(at), b"committer " + committer.line(at)]
    return b"\n".join(headers) + b"\n\n" + _message(message)


def _message(text: str) -> bytes:
    unix = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return (unix.strip("\n") + "\n").encode(errors="replace")


def signed(unsigned: bytes, armor: str) -> bytes:
    """Return the commit object with its signature put where git looks for it."""
    headers, _, message = unsigned.partition(b"\n\n")
    folded = armor.strip("\n").replace("\n", "\n ")
    return headers + b"\ngpgsig " + folded.encode() + b"\n\n" + message


def with_trailers(message: str, trailers: Sequence[tuple[str, str]]) -> str:
    """Return `message` with our trailers as its last paragraph, one line each, whatever the values hold."""
    lines = [f"{_trailer_key(key)}: {_one_line(value)}" for key, value in trailers]
    # A message of trailers only would be taken for a title: git looks for trailers after it.
    title = message.strip("\n \t") if message.strip() else EMPTY_MESSAGE
    return title + "\n\n" + "\n".join(lines) + "\n"


def _trailer_key(key: str) -> str:
    if not _TRAILER_KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not a trailer key")
    return key


def _one_line(text: str) -> str:
    return " ".join(_LINE_BREAKS.sub(" ", text).split())[:MAX_TRAILER_LENGTH]
