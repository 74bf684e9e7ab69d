"""JSON from strangers: strict UTF-8, no doubled keys, no NaN, bounded depth and number of values."""

import json
from typing import Any, NoReturn

from updater.integrations.registry.errors import BadAnswerError, TooLargeError

MAX_VALUES = 150_000


def decode_object(body: bytes, *, what: str, max_values: int = MAX_VALUES) -> dict[str, Any]:
    """Return the JSON object in `body`.

    Raises:
        BadAnswerError: it is anything else.
    """
    if count_values(body) > max_values:
        raise TooLargeError(f"{what}: more than {max_values} values in one answer.")
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    # RecursionError: nesting; ValueError: syntax, UTF-8, and numbers of over 4,300 digits
    except (ValueError, RecursionError) as error:
        raise BadAnswerError(f"{what}: the answer is not valid JSON.") from error
    if not isinstance(value, dict):
        raise BadAnswerError(f"{what}: the answer is not a JSON object.")
    return value


def count_values(body: bytes) -> int:
    """Return an upper bound of the values in a JSON text, without parsing it."""
    return body.count(b",") + body.count(b"[") + body.count(b"{")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("doubled key")  # two readers could see two values
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
