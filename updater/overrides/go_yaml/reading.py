"""Builds the tree of the first document of a text, and refuses text that could hurt or mislead."""

from updater.overrides.errors import DuplicateKeyError, YamlBoundsError, YamlError
from updater.overrides.go_yaml import resolving
from updater.overrides.go_yaml.characters import find_refused
from updater.overrides.go_yaml.nodes import Document, Node, Style
from updater.overrides.go_yaml.nodes import Kind as NodeKind
from updater.overrides.go_yaml.token_stream import TokenStream
from updater.overrides.go_yaml.tokens import Kind, Token

MAX_BYTES = 1024 * 1024
_MAX_DEPTH = 64
_MAX_NODES = 50_000
_MAX_ALIASES = 100
_MAX_EXPANDED = 200_000  # nodes, when every alias is replaced by what it stands for
_BLOCK_ENDS = (Kind.KEY, Kind.VALUE, Kind.BLOCK_END)


def decode(data: bytes) -> str:
    """Return the text of a file.

    Raises:
        YamlError: too large, not UTF-8, or with control characters.
    """
    if len(data) > MAX_BYTES:
        raise YamlBoundsError(f"the file is larger than {MAX_BYTES} bytes", line=1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlBoundsError("the file is not UTF-8; save it as UTF-8", line=line) from error
    place = find_refused(text)
    if place is not None:
        line = text.count("\n", 0, place) + 1
        raise YamlBoundsError(f"the character {text[place]!r} is not allowed; remove it", line=line)
    return text


def read(text: str) -> Document:
    """Return the first document of a text.

    Raises:
        YamlError: not YAML, or beyond the bounds of depth, nodes and aliases.
        DuplicateKeyError: a mapping names a key twice.
    """
    return _Reader(text).document()


class _Reader:
    """Recursive descent over the scanner's tokens; comments are handed over as the tokens pass."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = TokenStream(text)
        self._depth = 0
        self._aliases = 0
        self._anchors: dict[str, Node] = {}
        self._sizes: dict[int, int] = {}  # nodes under each finished anchor, aliases expanded
        self._size = self._nodes = 0

    def document(self) -> Document:
        self._tokens.skip()  # the start of the stream
        document = Document(self._text)
        if self._tokens.peek().kind is Kind.STREAM_END:
            return document
        if self._tokens.peek().kind in (Kind.YAML_DIRECTIVE, Kind.DOCUMENT_START):
            document.root = self._explicit()
        else:
            document.head = self._tokens.split_document_head()
            document.root = self._node(is_block=True)
        end = self._tokens.peek()
        document.foot = self._tokens.foot or self._tokens.head
        if end.kind is Kind.DOCUMENT_END:
            self._tokens.skip()
        elif end.kind not in (Kind.STREAM_END, Kind.DOCUMENT_START, Kind.YAML_DIRECTIVE):
            raise self._tokens.fault(
                "this does not belong to what stands above it; check the indentation", end
            )
        document.has_more = self._has_more()
        return document

    def _explicit(self) -> Node:
        while self._tokens.peek().kind is Kind.YAML_DIRECTIVE:
            self._tokens.skip()
        if self._tokens.peek().kind is not Kind.DOCUMENT_START:
            raise self._tokens.fault("'---' must follow a directive", self._tokens.peek())
        self._tokens.skip()
        closing = (Kind.DOCUMENT_START, Kind.DOCUMENT_END, Kind.STREAM_END, Kind.YAML_DIRECTIVE)
        return self._empty() if self._tokens.peek().kind in closing else self._node(is_block=True)

    def _has_more(self) -> bool:
        while self._tokens.peek().kind is Kind.DOCUMENT_END:
            self._tokens.skip()
        return self._tokens.peek().kind is not Kind.STREAM_END

    def _node(self, *, is_block: bool, may_be_level: bool = False) -> Node:
        """Read one node; `may_be_level` admits a list that is not indented below its key."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._tokens.bound(f"nested deeper than {_MAX_DEPTH} levels", self._tokens.peek())
        if self._tokens.peek().kind is Kind.ALIAS:
            node = self._alias()
        else:
            node = self._with_properties(is_block=is_block, may_be_level=may_be_level)
        self._depth -= 1
        return node

    def _alias(self) -> Node:
        token = self._tokens.peek()
        target = self._anchors.get(token.value)
        if target is None or id(target) not in self._sizes:
            raise self._tokens.fault(
                f"the alias *{token.value} names nothing that is complete above it", token
            )
        self._aliases += 1
        if self._aliases > _MAX_ALIASES:
            raise self._tokens.bound(f"more than {_MAX_ALIASES} aliases", token)
        node = self._made(NodeKind.ALIAS, token)
        node.value, node.target = token.value, target
        self._count(self._sizes[id(target)], token)
        self._tokens.take_comments(node)
        node.end = token.end
        self._tokens.skip()
        return node

    def _with_properties(self, *, is_block: bool, may_be_level: bool) -> Node:
        first = self._tokens.peek()
        found: dict[Kind, str] = {}
        end = first.start.offset
        while (
            self._tokens.peek().kind in (Kind.ANCHOR, Kind.TAG)
            and self._tokens.peek().kind not in found
        ):
            found[self._tokens.peek().kind] = self._tokens.peek().value
            end = self._tokens.peek().end
            self._tokens.skip()
        size = self._size
        after = end if found else None
        node = self._opened(is_block=is_block, may_be_level=may_be_level, after=after)
        self._add_properties(node, found)
        self._fill(node)
        if node.anchor:
            self._sizes[id(node)] = self._size - size
        return node

    def _add_properties(self, node: Node, found: dict[Kind, str]) -> None:
        tag = found.get(Kind.TAG, "")
        if tag and tag != "!":
            node.tag, node.is_tagged = tag, True
        node.anchor = found.get(Kind.ANCHOR, "")
        if node.anchor:
            self._anchors[node.anchor] = node

    def _opened(self, *, is_block: bool, may_be_level: bool, after: int | None) -> Node:
        """Make the node for the present token; a collection is filled afterwards.

        `after` is the end of an anchor or tag, which may stand for an empty value by itself.
        """
        token = self._tokens.peek()
        collections = {
            Kind.FLOW_SEQUENCE_START: NodeKind.SEQUENCE,
            Kind.FLOW_MAPPING_START: NodeKind.MAPPING,
        }
        if token.kind is Kind.SCALAR:
            return self._scalar(token)
        if token.kind in collections:
            node = self._made(collections[token.kind], token)
            node.is_flow = True
            self._tokens.take_comments(node)
            return node
        if is_block and token.kind in (Kind.SEQUENCE_START, Kind.MAPPING_START):
            is_list = token.kind is Kind.SEQUENCE_START
            node = self._made(NodeKind.SEQUENCE if is_list else NodeKind.MAPPING, token)
            node.head = self._tokens.take_stem()
            return node
        if may_be_level and token.kind is Kind.ENTRY:
            return self._made(NodeKind.SEQUENCE, token)
        if after is not None:
            return self._empty(after)
        raise self._tokens.fault("a value is expected here", token)

    def _scalar(self, token: Token) -> Node:
        node = self._made(NodeKind.SCALAR, token)
        node.value, node.style, node.end = token.value, token.style, token.end
        node.tag = resolving.resolve(token.value) if token.style is Style.PLAIN else "!!str"
        self._tokens.take_comments(node)
        self._tokens.skip()
        return node

    def _fill(self, node: Node) -> None:
        if node.kind is NodeKind.SCALAR:
            return
        token = self._tokens.peek()
        node.tag = node.tag or ("!!seq" if node.kind is NodeKind.SEQUENCE else "!!map")
        match token.kind:
            case Kind.FLOW_SEQUENCE_START:
                self._flow_sequence(node)
            case Kind.FLOW_MAPPING_START:
                self._flow_mapping(node)
            case Kind.SEQUENCE_START:
                self._sequence(node)
            case Kind.MAPPING_START:
                self._mapping(node)
            case _:
                self._level_sequence(node)
        if node.kind is NodeKind.MAPPING:
            self._refuse_bad_keys(node)

    def _sequence(self, node: Node) -> None:
        self._tokens.skip()
        while self._tokens.peek().kind is Kind.ENTRY:
            self._item(node, (Kind.ENTRY, Kind.BLOCK_END))
        if self._tokens.peek().kind is not Kind.BLOCK_END:
            raise self._tokens.fault(
                "a list item is expected here; check the indentation", self._tokens.peek()
            )
        self._tokens.skip()

    def _level_sequence(self, node: Node) -> None:
        while self._tokens.peek().kind is Kind.ENTRY:
            self._item(node, (Kind.ENTRY, *_BLOCK_ENDS))

    def _item(self, node: Node, closing: tuple[Kind, ...]) -> None:
        entry = self._tokens.peek()
        above = len(self._tokens.head)
        self._tokens.skip()
        self._tokens.split_stem(above)
        is_empty = self._tokens.peek().kind in closing
        item = self._empty(entry.end) if is_empty else self._node(is_block=True)
        node.children.append(item)
        node.end = max(item.end, entry.end)

    def _mapping(self, node: Node) -> None:
        self._tokens.skip()
        while self._tokens.peek().kind is Kind.KEY:
            self._tokens.skip()
            key = self._part(_BLOCK_ENDS)
            node.children.append(key)
            if key.foot and len(node.children) > 2:
                node.children[-3].foot, key.foot = key.foot, ""  # it stood below the value before
            value = self._value(_BLOCK_ENDS, is_block=True)
            node.children.append(value)
            node.end = max(node.end, key.end, value.end)
            if value.foot and not key.foot:
                key.foot, value.foot = value.foot, ""
        if self._tokens.peek().kind is not Kind.BLOCK_END:
            raise self._tokens.fault(
                "a key is expected here; check the indentation", self._tokens.peek()
            )
        self._tokens.take_comments(node, keep_head=True)
        if node.foot and node.children:
            node.children[-2].foot, node.foot = node.foot, ""
        self._tokens.skip()

    def _part(self, closing: tuple[Kind, ...]) -> Node:
        if self._tokens.peek().kind in closing:
            return self._empty()
        return self._node(is_block=True, may_be_level=True)

    def _value(self, closing: tuple[Kind, ...], *, is_block: bool) -> Node:
        if self._tokens.peek().kind is not Kind.VALUE:
            return self._empty()
        colon = self._tokens.peek()
        self._tokens.skip()
        if self._tokens.peek().kind in closing:
            return self._empty(colon.end)
        return self._node(is_block=is_block, may_be_level=is_block)

    def _flow_sequence(self, node: Node) -> None:
        self._tokens.skip()
        while self._tokens.peek().kind is not Kind.FLOW_SEQUENCE_END:
            if node.children:
                self._comma(Kind.FLOW_SEQUENCE_END)
            if self._tokens.peek().kind is Kind.KEY:
                node.children.append(self._single_pair())
            elif self._tokens.peek().kind is not Kind.FLOW_SEQUENCE_END:
                node.children.append(self._node(is_block=False))
        self._close_flow(node)

    def _single_pair(self) -> Node:
        """Read `key: value` as an item of a list in brackets: a mapping of one pair."""
        token = self._tokens.peek()
        pair = self._made(NodeKind.MAPPING, token)
        pair.is_flow, pair.tag = True, "!!map"
        self._tokens.skip()
        ends = (Kind.FLOW_ENTRY, Kind.FLOW_SEQUENCE_END)
        is_empty = self._tokens.peek().kind in (Kind.VALUE, *ends)
        key = self._empty() if is_empty else self._node(is_block=False)
        pair.children = [key]
        self._flow_value(pair, ends)
        pair.end = max(key.end, pair.children[1].end)
        self._refuse_bad_keys(pair)
        return pair

    def _flow_mapping(self, node: Node) -> None:
        self._tokens.skip()
        ends = (Kind.FLOW_ENTRY, Kind.FLOW_MAPPING_END)
        while self._tokens.peek().kind is not Kind.FLOW_MAPPING_END:
            if node.children:
                self._comma(Kind.FLOW_MAPPING_END)
            if self._tokens.peek().kind is Kind.KEY:
                self._tokens.skip()
                is_empty = self._tokens.peek().kind in (Kind.VALUE, *ends)
                node.children.append(self._empty() if is_empty else self._node(is_block=False))
                self._flow_value(node, ends)
            elif self._tokens.peek().kind is not Kind.FLOW_MAPPING_END:
                node.children += [self._node(is_block=False), self._empty()]
        self._close_flow(node)

    def _flow_value(self, node: Node, ends: tuple[Kind, ...]) -> None:
        key = node.children[-1]
        value = self._value(ends, is_block=False)
        node.children.append(value)
        if value.foot and not key.foot:
            key.foot, value.foot = value.foot, ""

    def _comma(self, closing: Kind) -> None:
        if self._tokens.peek().kind is not Kind.FLOW_ENTRY:
            sign = "]" if closing is Kind.FLOW_SEQUENCE_END else "}"
            raise self._tokens.fault(f"',' or '{sign}' is expected here", self._tokens.peek())
        self._tokens.skip()

    def _close_flow(self, node: Node) -> None:
        self._tokens.take_comments(node, keep_head=True)
        node.end = self._tokens.peek().end
        self._tokens.skip()

    def _refuse_bad_keys(self, node: Node) -> None:
        seen: set[str] = set()
        for key, _ in node.pairs():
            name = key.content()
            if name.kind is not NodeKind.SCALAR:
                raise YamlError("a list or mapping cannot be a key", line=key.line + 1)
            if name.value in seen:
                text = f"the key {name.value[:80]!r} stands here a second time; remove one"
                raise DuplicateKeyError(text, line=key.line + 1)
            seen.add(name.value)

    def _empty(self, after: int | None = None) -> Node:
        """Make the node of a value that is not there; it stands at `after`, or at the present token."""
        token = self._tokens.peek()
        node = self._made(NodeKind.SCALAR, token)
        node.start = node.end = token.start.offset if after is None else after
        node.tag = "!!null"
        return node

    def _made(self, kind: NodeKind, token: Token) -> Node:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise self._tokens.bound(f"more than {_MAX_NODES} values", token)
        self._count(1, token)
        mark = token.start
        return Node(kind, start=mark.offset, end=mark.offset, column=mark.column, line=mark.line)

    def _count(self, size: int, token: Token) -> None:
        self._size += size
        if self._size > _MAX_EXPANDED:
            raise self._tokens.bound(
                f"the aliases stand for more than {_MAX_EXPANDED} values", token
            )
