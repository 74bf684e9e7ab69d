"""Structural schemas: what a write keeps, what it drops, and what makes it invalid."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from onebox.world.cluster.documents import JsonValue


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, an integer, a boolean, or an integer that may be written as text."""

    types: tuple[type, ...]
    name: str
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Struct:
    """An object whose keys are known; others are pruned."""

    fields: Mapping[str, "Node"]
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; always replaced as a whole, as no list of an Application has a map key."""

    item: "Node"


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with free keys and one kind of value."""

    item: "Node"


@dataclass(frozen=True, slots=True)
class Anything:
    """A value kept as it is (preserve-unknown-fields)."""


Node = Scalar | Struct | ListOf | MapOf | Anything

STRING = Scalar((str,), "string")
BOOLEAN = Scalar((bool,), "boolean")
INTEGER = Scalar((int,), "integer")
INTEGER_OR_STRING = Scalar((int, str), "integer or string")
ANYTHING = Anything()
STRINGS = ListOf(STRING)
STRING_MAP = MapOf(STRING)


def struct(required: str = "", /, **fields: Node) -> Struct:
    """Write an object schema in one line; `required` holds key names between blanks."""
    return Struct(fields, tuple(required.split()))


@dataclass(slots=True)
class Findings:
    """What checking a value brought up: dropped keys, and broken rules as (field, reason, message)."""

    unknown: list[str] = field(default_factory=list)
    causes: list[tuple[str, str, str]] = field(default_factory=list)


def prune(node: Node, value: JsonValue, path: str, findings: Findings) -> JsonValue:
    """Return the value as it would be stored, adding to the findings what was dropped or is wrong."""
    match node:
        case Struct():
            return _prune_struct(node, value, path, findings)
        case ListOf():
            return _prune_list(node, value, path, findings)
        case MapOf():
            return _prune_map(node, value, path, findings)
        case Scalar():
            return _check_scalar(node, value, path, findings)
        case Anything():
            return value


def _mistyped(value: JsonValue, wanted: str, path: str, findings: Findings) -> JsonValue:
    message = f'Invalid value: "{type(value).__name__}": must be of type {wanted}'
    findings.causes.append((path, "FieldValueTypeInvalid", message))
    return value


def _prune_struct(node: Struct, value: JsonValue, path: str, findings: Findings) -> JsonValue:
    if not isinstance(value, dict):
        return _mistyped(value, "object", path, findings)
    kept = {}
    for key, item in value.items():
        place = f"{path}.{key}" if path else key
        if key not in node.fields:
            findings.unknown.append(place)
        elif item is not None:  # nothing is nullable, so a null is dropped
            kept[key] = prune(node.fields[key], item, place, findings)
    for key in node.required:
        if key not in kept:
            place = f"{path}.{key}" if path else key
            findings.causes.append((place, "FieldValueRequired", "Required value"))
    return kept


def _prune_list(node: ListOf, value: JsonValue, path: str, findings: Findings) -> JsonValue:
    if not isinstance(value, list):
        return _mistyped(value, "array", path, findings)
    return [
        prune(node.item, item, f"{path}[{index}]", findings) for index, item in enumerate(value)
    ]


def _prune_map(node: MapOf, value: JsonValue, path: str, findings: Findings) -> JsonValue:
    if not isinstance(value, dict):
        return _mistyped(value, "object", path, findings)
    present = ((key, item) for key, item in value.items() if item is not None)
    return {key: prune(node.item, item, f"{path}.{key}", findings) for key, item in present}


def _check_scalar(node: Scalar, value: JsonValue, path: str, findings: Findings) -> JsonValue:
    is_boolean_for_integer = isinstance(value, bool) and bool not in node.types
    if not isinstance(value, node.types) or is_boolean_for_integer:
        return _mistyped(value, node.name, path, findings)
    if node.allowed and value not in node.allowed:
        supported = ", ".join(f'"{word}"' for word in node.allowed)
        message = f'Unsupported value: "{value}": supported values: {supported}'
        findings.causes.append((path, "FieldValueNotSupported", message))
    return value
