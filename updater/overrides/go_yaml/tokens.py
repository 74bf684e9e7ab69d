"""What the scanner hands to the reader: tokens, comments, and the places where a key may turn out."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from updater.overrides.go_yaml.nodes import Style


class Kind(Enum):
    """What a token is."""

    STREAM_START = auto()
    STREAM_END = auto()
    YAML_DIRECTIVE = auto()
    DOCUMENT_START = auto()
    DOCUMENT_END = auto()
    SEQUENCE_START = auto()
    MAPPING_START = auto()
    BLOCK_END = auto()
    FLOW_SEQUENCE_START = auto()
    FLOW_SEQUENCE_END = auto()
    FLOW_MAPPING_START = auto()
    FLOW_MAPPING_END = auto()
    ENTRY = auto()
    FLOW_ENTRY = auto()
    KEY = auto()
    VALUE = auto()
    ALIAS = auto()
    ANCHOR = auto()
    TAG = auto()
    SCALAR = auto()


class Mark(NamedTuple):
    """A place in the text; line and column are counted from 0."""

    offset: int
    line: int
    column: int


class Token(NamedTuple):
    """One token and the place it takes."""

    kind: Kind
    start: Mark
    end: int
    value: str = ""
    style: Style = Style.PLAIN


@dataclass(slots=True)
class Comment:
    """Comment lines, and the token they belong to: from `token` on, it is theirs to take.

    Line and column of `start` count as yaml.v3 counts them for comments: the column from 1 for
    comments on lines of their own, from 0 for those beside a token.
    """

    token: int
    start: Mark
    scan: int = 0  # where the search for the comment began
    end: int = 0
    head: str = ""
    beside: str = ""
    foot: str = ""


@dataclass(slots=True)
class PossibleKey:
    """A place where a key without `?` may have begun; a `:` on the same line will tell."""

    token: int  # its number among the tokens
    mark: Mark
    is_required: bool
