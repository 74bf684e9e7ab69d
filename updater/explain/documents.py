"""Reads the YAML or JSON files that a person names on the command line; "-" is standard input."""

import sys
from pathlib import Path

from updater.configuration import yaml_text
from updater.configuration.yaml_text import YAMLTextError
from updater.errors import PermanentError

_MAX_BYTES = 1024 * 1024


class DocumentError(PermanentError):
    """The file is not there, or not what was asked for."""

    code = "document"


def read_one(name: str, *, kind: str) -> dict[str, object]:
    """Return the only object of the file.

    Raises:
        DocumentError: it cannot be read, is no YAML, or holds anything but one object of this kind.
    """
    found = read_all(name, kind=kind)
    if len(found) != 1:
        raise DocumentError(
            f"{name} holds {len(found)} objects of kind {kind}: name a file with one."
        )
    return found[0]


def read_all(name: str, *, kind: str) -> list[dict[str, object]]:
    """Return all objects of the file, those inside a List included.

    Raises:
        DocumentError: it cannot be read, is no YAML, or holds another kind.
    """
    try:
        documents = yaml_text.load_all(_text(name))
    except YAMLTextError as error:
        raise DocumentError(f"{name}: {error}") from error
    flat = [item for document in documents for item in _items(document)]
    return [_checked(item, name=name, kind=kind) for item in flat]


def _items(document: object) -> list[object]:
    items = document.get("items") if isinstance(document, dict) else None
    is_list = isinstance(document, dict) and str(document.get("kind", "")).endswith("List")
    return items if is_list and isinstance(items, list) else [document]


def _checked(item: object, *, name: str, kind: str) -> dict[str, object]:
    if not isinstance(item, dict):
        raise DocumentError(
            f"{name} holds something that is no {kind}: name a Kubernetes manifest."
        )
    if item.get("kind", kind) != kind:
        raise DocumentError(f"{name} holds an object of another kind than {kind}.")
    return item


def _text(name: str) -> str:
    try:
        if name == "-":
            data = sys.stdin.buffer.read(_MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise DocumentError(f"{name} cannot be read: {error.strerror}.") from error
    if len(data) > _MAX_BYTES:
        raise DocumentError(f"{name} is longer than {_MAX_BYTES} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{name} is not UTF-8.") from error
