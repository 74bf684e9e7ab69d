"""Hostile YAML text into plain values: bounded, strict, no tags that build objects."""

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
)

from updater.errors import PermanentError

MAX_LENGTH = 1024 * 1024  # characters
_MAX_DEPTH = 64
_MAX_ALIASES = 100


class YAMLTextError(PermanentError):
    """The text is not YAML that we read."""

    code = "bad_yaml"


def load_all(text: str) -> list[object]:
    """Return the documents of a YAML (or JSON) text; empty ones are left out.

    Raises:
        YAMLTextError: too long, too deep, a key twice, or not YAML.
    """
    if len(text) > MAX_LENGTH:
        raise YAMLTextError(f"The text is longer than {MAX_LENGTH} characters.")
    try:
        _check_shape(text)
        documents = list(YAML(typ="safe", pure=True).load_all(text))
    except (YAMLError, ValueError, TypeError, OverflowError) as error:
        # TypeError: a list or mapping as a key; ValueError: a date or number that cannot be.
        raise YAMLTextError(f"Not readable as YAML: {_first_line(error)}") from error
    return [document for document in documents if document is not None]


def _check_shape(text: str) -> None:
    """Refuse what would keep the loader busy for long, before it builds anything."""
    depth = aliases = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        aliases += isinstance(event, AliasEvent)
        if depth > _MAX_DEPTH or aliases > _MAX_ALIASES:
            raise YAMLTextError(
                f"Nested deeper than {_MAX_DEPTH} levels, or more than {_MAX_ALIASES} aliases."
            )


def load_one(text: str) -> object:
    """Return the only document of a YAML text, None when there is none.

    Raises:
        YAMLTextError: as above, or there are several documents.
    """
    documents = load_all(text)
    if len(documents) > 1:
        raise YAMLTextError("The text holds more than one document.")
    return documents[0] if documents else None


def _first_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).strip().partition("\n")[0]
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return f"{problem}{place}."
