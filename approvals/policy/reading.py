"""The policy file's text into its models; every error says line, key, value and how to mend it. Pure."""

import hashlib
import json
import math
from collections.abc import Mapping

from pydantic import ValidationError

from approvals.policy import problems
from approvals.policy.document import Document
from approvals.policy.problems import Problem
from updater.configuration import yaml_text
from updater.errors import PermanentError

MAX_BYTES = 1024 * 1024
_MAX_VALUES = 100_000  # after every alias is written out
_MAX_DEPTH = 64
_SHOWN = 60


class PolicyFileError(PermanentError):
    """The policy file cannot be used; nothing of it is."""

    code = "bad_policy_file"

    def __init__(self, *found: Problem) -> None:
        first, *rest = found
        more = f" (and {len(rest)} more)" if rest else ""
        super().__init__(f"{str(first).rstrip('.')}.{more}")
        self.problems = found


def read(data: bytes) -> Document:
    """Return the policy in these bytes.

    Raises:
        PolicyFileError: with every problem found.
    """
    text = _text(data)
    try:
        document = json.dumps(_plain(_loaded(text), [_MAX_VALUES]) or {})
    except ValueError as error:
        raise PolicyFileError(Problem(0, "", "", f"The file {error}")) from error
    try:
        return Document.model_validate_json(document)
    except ValidationError as error:
        raise PolicyFileError(*problems.of(error, text)) from error


def hash_of(data: bytes) -> str:
    """Return the hash by which a version of the file is known."""
    return hashlib.sha256(data).hexdigest()


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        message = f"The file is larger than {MAX_BYTES} bytes; a policy is a few hundred lines"
        raise PolicyFileError(Problem(0, "", "", message))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PolicyFileError(Problem(line, "", "", "is not UTF-8; save it as UTF-8")) from error


def _loaded(text: str) -> object:
    try:
        return yaml_text.load_one(text)
    except yaml_text.YAMLTextError as error:
        mark = getattr(error.__cause__, "problem_mark", None)
        raise PolicyFileError(Problem(mark.line + 1 if mark else 0, "", "", str(error))) from error


def _plain(value: object, left: list[int], depth: int = 0) -> object:
    """Return YAML's values as JSON has them; `left` counts down, for aliases multiply."""
    left[0] -= 1
    if left[0] < 0 or depth > _MAX_DEPTH:
        raise ValueError("is endless, or too large, once its aliases are written out")
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, left, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, left, depth + 1) for item in value]
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    if value is None or is_number or isinstance(value, str):
        return value
    return str(value)  # a date or time: its text is judged where it is wanted


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    raise ValueError(f"holds the key {str(key)[:_SHOWN]}, which is no text; put it in quotes")
