"""Pages by the last row's key instead of an offset: as fast on page 1,000 as on page 1, and no row twice."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Q

from updater.errors import PermanentError

T = TypeVar("T")
MAX_CURSOR_LENGTH = 2000
COUNT_LIMIT = 10_000  # counting further would cost more than it tells


class CursorError(PermanentError):
    """The place in the list that the address names cannot be read."""

    code = "bad_cursor"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and where the next ones start ("" at the end)."""

    rows: tuple[T, ...]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows, counted up to a limit."""

    value: int
    is_exact: bool = True

    def __str__(self) -> str:
        return f"{self.value:,}" if self.is_exact else f"over {self.value:,}"


def encode(values: Sequence[str]) -> str:
    """Return the cursor for a row's key."""
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip("=")


def decode(cursor: str, *, length: int) -> tuple[str, ...]:
    """Return the key that a cursor stands for.

    Raises:
        CursorError: it is not one that `encode` made for such a list.
    """
    if len(cursor) > MAX_CURSOR_LENGTH:
        raise CursorError("The place in the list is too long to be one of ours.")
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise CursorError(
            "The place in the list cannot be read; start from the first page."
        ) from error
    texts = (
        [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
    )
    if len(texts) != length or any("\x00" in text for text in texts):
        raise CursorError(
            "The place in the list belongs to another list; start from the first page."
        )
    return tuple(texts)


def after(fields: Sequence[str], values: Sequence[str]) -> Q:
    """Return the condition for rows that come after this key, in ascending order of the fields."""
    condition = Q()
    for index, field in enumerate(fields):
        equal = dict(zip(fields[:index], values[:index], strict=True))
        condition |= Q(**equal, **{f"{field}__gt": values[index]})
    return condition


def capped(found: int) -> Count:
    """Return a count that stopped one row behind the limit."""
    return Count(min(found, COUNT_LIMIT), is_exact=found <= COUNT_LIMIT)
