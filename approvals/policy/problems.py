"""What is wrong in the policy file, told by line, key, value and mend. Pure."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from approvals.policy.document import Document

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the file: where it stands, and how to mend it."""

    line: int  # 0: no place in the file
    key: str
    value: str
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return place + " ".join(filter(None, (self.key, self.value, self.message)))


def of(error: ValidationError, text: str) -> list[Problem]:
    """Return what is wrong, in the order of the file."""
    root = YAML(typ="safe", pure=True).compose(text)
    details = error.errors(include_url=False)
    found = [_problem(detail, root) for detail in details if not _follows(detail, details)]
    return sorted(found, key=lambda problem: (problem.line, problem.key))


def _follows(detail: Any, details: Sequence[Any]) -> bool:  # noqa: ANN401  pydantic's dict
    """Whether a list is called too short only because its items are wrong."""
    loc = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in details
    )


def _problem(detail: Any, root: Node | None) -> Problem:  # noqa: ANN401  pydantic's dict
    path = [part for part in detail["loc"] if not str(part).startswith("(")]
    return Problem(
        line=_line(root, path),
        key=_path_in_words(path),
        value=_shown(detail),
        message=_message(detail, path),
    )


def _line(node: Node | None, path: list[Any]) -> int:
    line = 0
    for part in [*path, None]:
        if node is None:
            break
        line = node.start_mark.line + 1
        key, node = _child(node, part)
        line = key.start_mark.line + 1 if key is not None else line
    return line


def _child(node: Node, part: object) -> tuple[Node | None, Node | None]:
    """Return the key node, if the file has one, and the value node of one step of a path."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key, value
    elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None, None


def _path_in_words(path: list[Any]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _shown(detail: Any) -> str:  # noqa: ANN401  pydantic's dict
    value = detail["input"]
    if detail["type"] in ("missing", "extra_forbidden") or isinstance(value, Mapping | list):
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _message(detail: Any, path: list[Any]) -> str:  # noqa: ANN401  pydantic's dict
    context = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])
    if detail["type"] == "extra_forbidden":
        return _unknown_key(path)
    if detail["type"] in _MESSAGES:
        return _MESSAGES[detail["type"]].format(**context)
    return f"cannot be used: {detail['msg'][0].lower()}{detail['msg'][1:]}"


_MESSAGES = {
    "missing": "is missing",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number, without quotes",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list; write [one, two], or one item a line after a dash",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty; leave the key out to say nothing about it",
    "too_long": "holds more than {max_length} items",
    "string_too_long": "is longer than {max_length} characters",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
}


def _unknown_key(path: list[Any]) -> str:
    known = _keys_beside(path)
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
    return f"is not known{hint}"


def _keys_beside(path: list[Any]) -> list[str]:
    model: type[BaseModel] | None = Document
    for part in path[:-1]:
        if model is not None and not isinstance(part, int):
            model = _model_under(model, part)
    return (
        [] if model is None else [info.alias or name for name, info in model.model_fields.items()]
    )


def _model_under(model: type[BaseModel], key: object) -> type[BaseModel] | None:
    for name, info in model.model_fields.items():
        if key == (info.alias or name):
            return _model_in(info.annotation)
    return None


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)
