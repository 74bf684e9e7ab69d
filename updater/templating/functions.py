"""The functions a template may call, and how many arguments each takes."""

from collections.abc import Callable, Mapping, Sequence

from updater.templating import printing
from updater.templating.errors import fault
from updater.templating.nodes import Call, Literal, Operand
from updater.templating.values import Record, Value, described, is_true, kind

_ANY = 64
# name -> fewest and most arguments; `and` and `or` are evaluated by the evaluator, which may stop early.
_ARITY = {
    "and": (1, _ANY),
    "or": (1, _ANY),
    "not": (1, 1),
    "eq": (2, _ANY),
    "ne": (2, 2),
    "lt": (2, 2),
    "le": (2, 2),
    "gt": (2, 2),
    "ge": (2, 2),
    "len": (1, 1),
    "index": (1, _ANY),
    "slice": (1, 4),
    "print": (0, _ANY),
    "println": (0, _ANY),
    "printf": (1, _ANY),
}
NAMES = frozenset(_ARITY)
LIST = ", ".join(sorted(_ARITY))


class CallError(Exception):
    """A function refused its arguments; the evaluator adds the place."""


def check(source: str, commands: Sequence[tuple[Operand, ...]]) -> None:
    """Refuse calls that can never work, while the template is read.

    Raises:
        TemplateError: a value used as a function, a wrong number of arguments, a bad printf format.
    """
    for stage, (first, *arguments) in enumerate(commands):
        if not isinstance(first, Call):
            if arguments or stage:
                raise fault(source, first.at, "only a function takes arguments")
            continue
        fewest, most = _ARITY[first.name]
        if not fewest <= len(arguments) + (stage > 0) <= most:
            raise fault(source, first.at, f"wrong number of arguments for {first.name}")
        _check_arguments(source, arguments)
        if first.name == "printf" and arguments and isinstance(arguments[0], Literal):
            _check_format(source, arguments[0])


def _check_arguments(source: str, arguments: Sequence[Operand]) -> None:
    """Refuse a function that stands as an argument without ( ) although it needs arguments itself."""
    for argument in arguments:
        if isinstance(argument, Call) and _ARITY[argument.name][0] > 0:
            raise fault(source, argument.at, f"wrong number of arguments for {argument.name}")


def _check_format(source: str, literal: Literal) -> None:
    try:
        printing.directives(_text(literal.value))
    except ValueError as error:
        raise fault(source, literal.at, str(error)) from error
    except CallError as error:
        raise fault(source, literal.at, str(error)) from error


def call(name: str, arguments: Sequence[Value], limit: int) -> Value:
    """Return the result of a function, text no longer than `limit` characters.

    Raises:
        CallError: the arguments do not fit the function.
    """
    try:
        return _FUNCTIONS[name](arguments, limit)
    except ValueError as error:
        raise CallError(f"{name}: {error}") from error


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise CallError(f"printf: the format is {described(value)}, not a text")
    return value


def _comparable(value: Value) -> str:
    if isinstance(value, tuple | Mapping | Record):
        raise CallError(f"{described(value)} cannot be compared")
    return kind(value)


def _equal(first: Value, second: Value) -> bool:
    kinds = {_comparable(first), _comparable(second)}
    if len(kinds) > 1 and "nothing" not in kinds:
        raise CallError(f"{described(first)} and {described(second)} cannot be compared")
    return len(kinds) == 1 and first == second


def _less(first: Value, second: Value) -> bool:
    if isinstance(first, str) and isinstance(second, str):
        return first.encode() < second.encode()
    if kind(first) == kind(second) and kind(first) in ("int", "float64"):
        return bool(first < second)  # type: ignore[operator]  # both are numbers of one kind
    raise CallError(f"{described(first)} and {described(second)} have no order")


def _length(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, tuple | Mapping):
        return len(value)
    raise CallError(f"{described(value)} has no length")


def _index(value: Value, keys: Sequence[Value]) -> Value:
    for key in keys:
        value = _element(value, key)
    return value


def _element(value: Value, key: Value) -> Value:
    if isinstance(value, Mapping) and isinstance(key, str):
        return value.get(key, "")  # as Go: the empty value of a map of texts
    if isinstance(value, tuple | str) and kind(key) == "int":
        items = value.encode() if isinstance(value, str) else value
        if 0 <= key < len(items):  # type: ignore[operator]  # kind() says it is an int
            return items[key]  # type: ignore[index]  # same
        raise CallError(f"index {key} is out of range")
    raise CallError(f"{described(value)} has no element {key!r}")


def _slice(value: Value, bounds: Sequence[Value]) -> Value:
    if not isinstance(value, str | tuple) or len(bounds) > (2 if isinstance(value, str) else 3):
        raise CallError(f"{described(value)} cannot be cut so")
    items = value.encode() if isinstance(value, str) else value
    places = [bound for bound in bounds if isinstance(bound, int) and kind(bound) == "int"]
    limits = [0, len(items), len(items)]
    limits[: len(places)] = places
    if len(places) < len(bounds) or not 0 <= limits[0] <= limits[1] <= limits[2] <= len(items):
        raise CallError("the bounds of slice are out of range")
    part = items[limits[0] : limits[1]]
    return part.decode() if isinstance(part, bytes) else part


_FUNCTIONS: dict[str, Callable[[Sequence[Value], int], Value]] = {
    "not": lambda values, _: not is_true(values[0]),
    "eq": lambda values, _: any(_equal(values[0], other) for other in values[1:]),
    "ne": lambda values, _: not _equal(values[0], values[1]),
    "lt": lambda values, _: _less(values[0], values[1]),
    "le": lambda values, _: not _less(values[1], values[0]),
    "gt": lambda values, _: _less(values[1], values[0]),
    "ge": lambda values, _: not _less(values[0], values[1]),
    "len": lambda values, _: _length(values[0]),
    "index": lambda values, _: _index(values[0], values[1:]),
    "slice": lambda values, _: _slice(values[0], values[1:]),
    "print": printing.joined,
    "println": printing.line,
    "printf": lambda values, limit: printing.formatted(_text(values[0]), values[1:], limit),
}
