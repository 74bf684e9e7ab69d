"""Reads what a host answered. Pure and total: what is missing or of the wrong type reads as absent."""

import json
import re
from typing import Final
from urllib.parse import urlsplit

from updater.integrations.git import outcomes

MAX_URL_LENGTH: Final = 500
MAX_NAME_LENGTH: Final = 100
MAX_NUMBER: Final = 2**53  # what JSON can carry
_SHA: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NOT_IN_URLS: Final = re.compile(r"[^\x21-\x7e]|[<>\"'`\\]")


class NotJsonError(ValueError):
    """The body is no JSON."""


def parse(body: bytes) -> object:
    """Return the document, None for an empty body.

    Raises:
        NotJsonError: it is none.
    """
    try:
        return json.loads(body) if body.strip() else None
    except (ValueError, RecursionError) as strange:
        raise NotJsonError("not JSON") from strange


def find(document: object, *path: str) -> object:
    """Return what stands at the path, or None."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def items(document: object) -> list[object]:
    """Return the elements of a list, or none."""
    return document if isinstance(document, list) else []


def text(document: object, *path: str) -> str:
    """Return the text at the path on one line, or ""."""
    found = find(document, *path)
    return outcomes.spoken(found) if isinstance(found, str) else ""


def name(document: object, *path: str) -> str:
    """Return the name of somebody at the path, or ""."""
    return text(document, *path)[:MAX_NAME_LENGTH]


def sha(document: object, *path: str) -> str:
    """Return the commit at the path, or ""."""
    found = find(document, *path)
    return found if isinstance(found, str) and _SHA.fullmatch(found) else ""


def number(document: object, *path: str) -> int:
    """Return the positive number at the path, or 0."""
    found = find(document, *path)
    is_number = isinstance(found, int) and not isinstance(found, bool)
    return found if is_number and isinstance(found, int) and 0 < found < MAX_NUMBER else 0


def link(document: object, *path: str) -> str:
    """Return the web address at the path if a person may follow it, or ""."""
    found = find(document, *path)
    if not isinstance(found, str) or len(found) > MAX_URL_LENGTH or _NOT_IN_URLS.search(found):
        return ""
    try:
        parts = urlsplit(found)
    except ValueError:
        return ""
    is_web = parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc
    return found if is_web else ""


def words(body: bytes) -> str:
    """Return what the host says in an answer that is no success, in its own words on one line."""
    try:
        document = parse(body)
    except NotJsonError:
        return ""  # a page for people, of a proxy perhaps
    said = [*_said(find(document, "message")), *_said(find(document, "error"))]
    said += [word for item in _errors(document) for word in _said(item)]
    return outcomes.spoken("\n".join(dict.fromkeys(said)))


def _errors(document: object) -> list[object]:
    # GitHub: a list of objects or texts; Gitea: a list of texts; GitLab puts all into "message".
    return items(find(document, "errors"))


def _said(found: object) -> list[str]:
    if isinstance(found, str):
        return [found]
    if isinstance(found, list):
        return [item for item in found if isinstance(item, str)]
    if isinstance(found, dict):
        message = found.get("message")
        return [message] if isinstance(message, str) else _fields(found)
    return []


def _fields(found: dict[str, object]) -> list[str]:
    return [f"{key} {word}" for key, value in found.items() for word in _plain(value)]


def _plain(value: object) -> list[str]:
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return [value] if isinstance(value, str) else []
