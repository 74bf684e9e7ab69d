"""The tree of a YAML document, with comments and with the place of each piece in the text."""

from dataclasses import dataclass, field
from enum import Enum, auto


class Kind(Enum):
    """What a node is."""

    SCALAR = auto()
    SEQUENCE = auto()
    MAPPING = auto()
    ALIAS = auto()


class Style(Enum):
    """How a scalar is written."""

    PLAIN = auto()
    SINGLE = auto()
    DOUBLE = auto()
    LITERAL = auto()
    FOLDED = auto()


@dataclass(slots=True, eq=False)
class Node:
    """One node. `children` of a mapping are key, value, key, value; offsets are into the text."""

    kind: Kind
    tag: str = ""
    value: str = ""  # of a scalar; the name of an alias
    style: Style = Style.PLAIN
    is_flow: bool = False
    is_tagged: bool = False  # the tag stands in the text
    anchor: str = ""
    target: "Node | None" = None  # of an alias
    children: list["Node"] = field(default_factory=list)
    head: str = ""  # comments above, beside and below
    beside: str = ""
    foot: str = ""
    start: int = 0  # where the content starts, behind tag and anchor
    end: int = 0
    column: int = 0
    line: int = 0  # counted from 0

    def pairs(self) -> list[tuple["Node", "Node"]]:
        """Return the keys and values of a mapping."""
        return list(zip(self.children[::2], self.children[1::2], strict=True))

    def content(self) -> "Node":
        """Return the node itself, or the one an alias stands for."""
        return self.target if self.target is not None else self

    def find(self, key: str) -> "Node | None":
        """Return the value of a key of a mapping."""
        return next((value for name, value in self.pairs() if name.content().value == key), None)


@dataclass(slots=True, eq=False)
class Document:
    """The first document of a text. `root` is None when the text holds none."""

    text: str
    root: Node | None = None
    head: str = ""
    foot: str = ""
    has_more: bool = False  # another document follows
