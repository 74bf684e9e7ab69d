"""The shapes a parsed template is made of. `at` is the offset in the template's text, for messages."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that stand for themselves."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number, true or false."""

    value: str | int | float
    at: int


@dataclass(frozen=True, slots=True)
class Field:
    """`.A.B`, or `.` when there are no names: fields of the present value."""

    names: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Variable:
    """`$x.A.B`; the name `$` is the whole data."""

    name: str
    names: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """The name of one of the known functions."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Nested:
    """`(pipeline).A.B`."""

    pipeline: "Pipeline"
    names: tuple[str, ...]
    at: int


Operand: TypeAlias = "Literal | Field | Variable | Call | Nested"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands joined by `|`, each a tuple of operands, and the variables their result goes to."""

    commands: tuple[tuple[Operand, ...], ...]
    variables: tuple[str, ...]
    declares: bool  # `:=` makes new variables, `=` changes existing ones
    at: int


@dataclass(frozen=True, slots=True)
class Branch:
    """`if` or `with`: the body, or what follows `else`."""

    keyword: str
    pipeline: Pipeline
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Range:
    """The body once for each element, or what follows `else` when there is none."""

    pipeline: Pipeline
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...]


Node: TypeAlias = "Text | Pipeline | Branch | Range"
