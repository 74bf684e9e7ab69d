"""Reads a tags file: what is known of the tags of an image repository, as JSON. It names every bad entry."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar, TypeVar

from updater.errors import PermanentError
from updater.selection import TagFacts

_LARGEST_FILE = 64 * 1024 * 1024
_MOST_TAGS = 100_000
_MOST_FAULTS_NAMED = 20

_KEYS = ("name", "digest", "created", "platforms", "position")
_Value = TypeVar("_Value")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_DIGEST = re.compile(r"[a-z][a-z0-9+._-]*:[0-9a-f]{1,128}")


class TagsFileError(PermanentError):
    """The file cannot be read, or is no list of tags."""

    code: ClassVar[str] = "TAGS_FILE"


class _EntryError(Exception):
    """One entry, or one of its values, is bad; the message is for people."""


def load(name: str) -> list[TagFacts]:
    """Read a file, or standard input for `-`."""
    return parse(read_bytes(name))


def read_bytes(name: str) -> bytes:
    """Read a file of bounded size, or standard input for `-`."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(_LARGEST_FILE + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise TagsFileError(f"{name!a} cannot be read: {error}") from error
    if len(data) > _LARGEST_FILE:
        raise TagsFileError(f"{name!a} is longer than {_LARGEST_FILE} bytes")
    return data


def parse(data: bytes) -> list[TagFacts]:
    """Read a JSON list of {"name", "digest"?, "created"?, "platforms"?, "position"?}.

    Where no entry gives its position, the order of the list is taken for the registry's.
    """
    entries = _entries(data)
    tags, faults = [], []
    for place, entry in enumerate(entries):
        try:
            tags.append(_facts(entry))
        except _EntryError as fault:
            faults.append(f"entry {place}{_named(entry)}: {fault}")
    faults += _duplicates(tags)
    if faults:
        more = len(faults) - _MOST_FAULTS_NAMED
        rest = [f"and {more} more"] if more > 0 else []
        raise TagsFileError("tags file: " + "; ".join([*faults[:_MOST_FAULTS_NAMED], *rest]))
    if all(facts.position is None for facts in tags):
        return [replace(facts, position=place) for place, facts in enumerate(tags)]
    return tags


def _entries(data: bytes) -> list[object]:
    try:
        entries = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError, _EntryError) as error:
        raise TagsFileError(f"tags file is not valid JSON: {ascii(str(error))[1:-1]}") from error
    if not isinstance(entries, list):
        raise TagsFileError('tags file is no list: write [{"name": "1.0"}, …]')
    if len(entries) > _MOST_TAGS:
        raise TagsFileError(f"tags file holds more than {_MOST_TAGS} tags")
    return entries


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise _EntryError(f"key {twice} is there twice in one object")
    return members


def _refuse_constant(text: str) -> None:
    raise _EntryError(f"{text} is no JSON value")


def _facts(entry: object) -> TagFacts:
    if not isinstance(entry, dict):
        raise _EntryError('is no object: write {"name": "1.0"}')
    unknown = sorted(set(entry) - set(_KEYS))
    if unknown:
        raise _EntryError(f"key {unknown[0][:80]!a} is not known: use {', '.join(_KEYS)}")
    return TagFacts(
        name=_name(entry.get("name")),
        digest=_optional(entry.get("digest"), _digest),
        created=_optional(entry.get("created"), _created),
        platforms=_optional(entry.get("platforms"), _platforms),
        position=_optional(entry.get("position"), _position),
    )


def _optional(value: object, read: Callable[[object], _Value]) -> _Value | None:
    return None if value is None else read(value)


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise _EntryError("name is missing or no string")
    return value


def _digest(value: object) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise _EntryError(f"digest {_shown(value)} is none: write sha256:… in hexadecimal")
    return value


def _created(value: object) -> datetime:
    try:
        if isinstance(value, str) and _RFC3339.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError as error:
        raise _EntryError(f"created {_shown(value)} is no time: {error}") from error
    raise _EntryError(f"created {_shown(value)} is no RFC 3339 time: write 2026-11-20T10:00:00Z")


def _platforms(value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(text, str) and text for text in value):
        return tuple(value)
    raise _EntryError(f'platforms {_shown(value)} are none: write ["linux/amd64"]')


def _position(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _EntryError(f"position {_shown(value)} is no whole number from 0 on")


def _duplicates(tags: Iterable[TagFacts]) -> list[str]:
    counts = Counter(facts.name for facts in tags)
    return [
        f"tag {_shown(name)} is there {count} times" for name, count in counts.items() if count > 1
    ]


def _named(entry: object) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return f" ({name[:80]!a})" if isinstance(name, str) else ""


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
