"""What a template may hold in its hands: plain values and records, never an object of the program."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

# A tuple is a list of the template; a mapping is a map with text keys.
Value: TypeAlias = "str | int | float | Record | tuple[Value, ...] | Mapping[str, Value] | None"


@dataclass(frozen=True, slots=True)
class Record:
    """A fixed set of named fields: asking for any other name is an error."""

    fields: Mapping[str, Value]


def kind(value: Value) -> str:
    """Return the Go-like name of a value's kind, for messages and for printf's complaints."""
    names = (
        (bool, "bool"),
        (str, "string"),
        (int, "int"),
        (float, "float64"),
        (tuple, "list"),
        (Record, "record"),
    )
    return next((name for type_, name in names if isinstance(value, type_)), _other(value))


def _other(value: Value) -> str:
    return "nothing" if value is None else "map"


_WORDS = {
    "bool": "a truth value",
    "string": "a text",
    "int": "a whole number",
    "float64": "a number",
    "nothing": "nothing",
}


def described(value: Value) -> str:
    """Return the kind of a value in words, for people."""
    return _WORDS.get(kind(value)) or f"a {kind(value)}"


def is_true(value: Value) -> bool:
    """Tell whether a value counts as true: everything but false, 0, empty text, list or map, and nothing."""
    return isinstance(value, Record) or bool(value)
