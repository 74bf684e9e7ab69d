"""Writes a document as yaml.v3 does: indent 2, lists level with their key, comments in their places."""

from updater.overrides.go_yaml import resolving, styles
from updater.overrides.go_yaml.emitting import Page
from updater.overrides.go_yaml.nodes import Document, Kind, Node, Style

INDENT = 2
_LONGEST_KEY = 128  # bytes of a key that needs no `?`


def write(document: Document) -> str:
    """Return the text of a document."""
    return _Writer().document(document)


class _Writer:
    """One pass over the tree. A collection is opened first and filled after its comments are placed."""

    def __init__(self) -> None:
        self._page = Page()
        self._flow_level = 0

    def document(self, document: Document) -> str:
        page = self._page
        page.add_comments(head=document.head)
        if page.head:
            page.write_head()
            page.put_break()
        if document.root is not None:
            self._announce(document.root)
            page.write_head()
            self._open(document.root, "root")
            page.write_beside()
            page.write_foot()
            self._fill(document.root, "root")
        page.add_comments(foot=document.foot)
        page.foot_indent = 0
        page.write_foot()
        page.foot_indent = -1
        page.write_indent()
        return page.text()

    def _announce(self, node: Node) -> None:
        """Lay out the comments that go with the start of a node."""
        if node.kind in (Kind.SCALAR, Kind.ALIAS):
            self._page.add_comments(head=node.head, beside=node.beside, foot=node.foot)
        else:
            self._page.add_comments(head=node.head)

    def _announce_key(self, key: Node, tail: str) -> None:
        """Lay out the comments of a key; its foot comes below its value, as `tail` of the next key."""
        tail = tail if key.kind is Kind.SCALAR else ""
        self._page.add_comments(head=key.head, beside=key.beside, tail=tail)

    def _open(self, node: Node, place: str) -> None:
        """Write a scalar or alias; of a collection, only what stands before its first child."""
        page = self._page
        if node.kind is Kind.ALIAS:
            page.write_indicator("*")
            page.write(node.value)
            return
        if node.anchor:
            page.write_indicator("&")
            page.write(node.anchor)
        style, tag = _presentation(node)
        if tag:
            page.write_indicator(tag)
        if node.kind is Kind.SCALAR:
            style = styles.choose(
                node.value, style, is_flow=self._flow_level > 0, is_key=place == "key"
            )
            indent = page.indent
            page.indent = self._deeper(place, is_flow=True)
            styles.write(page, node.value, style, INDENT)
            page.indent = indent

    def _fill(self, node: Node, place: str) -> None:
        """Write the children of a collection."""
        if node.kind is Kind.SEQUENCE:
            if self._is_flow(node):
                self._flow_sequence(node, place)
            else:
                self._block_sequence(node, place)
        elif node.kind is Kind.MAPPING:
            if self._is_flow(node):
                self._flow_mapping(node, place)
            else:
                self._block_mapping(node, place)

    def _is_flow(self, node: Node) -> bool:
        return self._flow_level > 0 or node.is_flow or not node.children

    def _deeper(self, place: str, *, is_flow: bool, is_level: bool = False) -> int:
        indent = self._page.indent
        if indent < 0:
            return INDENT if is_flow else 0
        if place == "item":
            return indent + 2  # behind the "- "
        return INDENT * ((indent + INDENT) // INDENT) - (2 if is_level else 0)

    def _block_sequence(self, node: Node, place: str) -> None:
        page, outer = self._page, self._page.indent
        is_level = place == "value" and (page.column == 0 or not page.is_indentation)
        page.indent = self._deeper(place, is_flow=False, is_level=is_level)
        for item in node.children:
            self._announce(item)
            page.write_head()
            page.write_indent()
            page.write_indicator("-", indents=True)
            self._open(item, "item")
            page.write_beside()
            page.write_foot()
            self._fill(item, "item")
        page.add_comments(beside=node.beside, foot=node.foot)
        page.indent = outer

    def _block_mapping(self, node: Node, place: str) -> None:
        page, outer = self._page, self._page.indent
        page.indent = self._deeper(place, is_flow=False)
        tail = ""
        for key, value in node.pairs():
            self._block_key(key, tail)
            self._block_value(value)
            tail = key.foot
        page.add_comments(tail=tail, beside=node.beside, foot=node.foot)
        page.write_head()
        page.indent = outer

    def _block_key(self, key: Node, tail: str) -> None:
        page = self._page
        self._announce_key(key, tail)
        page.write_head()
        page.write_indent()
        if page.beside:
            page.key_beside, page.beside = page.beside, ""
        if _is_simple_key(key):
            self._open(key, "key")
            page.write_indicator(":", spaced=False)
            return
        page.write_indicator("?", indents=True)
        self._open(key, "value")
        page.write_indent()
        page.write_indicator(":", indents=True)

    def _block_value(self, value: Node) -> None:
        page = self._page
        self._announce(value)
        if page.key_beside and value.kind is Kind.SCALAR:
            if not page.beside:
                page.beside, page.key_beside = page.key_beside, ""
        elif page.key_beside and value.kind is not Kind.ALIAS and not value.is_flow:
            page.beside, page.key_beside = page.key_beside, page.beside
            page.write_beside()
            page.beside, page.key_beside = page.key_beside, page.beside
        self._open(value, "value")
        page.write_beside()
        page.write_foot()
        self._fill(value, "value")

    def _flow_sequence(self, node: Node, place: str) -> None:
        page, outer = self._page, self._start_flow("[", place)
        needs_comma = False
        for item in node.children:
            self._announce(item)
            self._flow_separator(needs_comma=needs_comma)
            needs_comma = self._flow_part(item)
        page.add_comments(beside=node.beside, foot=node.foot)
        self._flow_level -= 1
        page.indent = outer
        if page.column == 0:
            page.write_indent()
        self._end_flow("]")

    def _flow_mapping(self, node: Node, place: str) -> None:
        page, outer = self._page, self._start_flow("{", place)
        needs_comma, tail = False, ""
        for key, value in node.pairs():
            self._announce_key(key, tail)
            self._flow_separator(needs_comma=needs_comma)
            self._flow_key(key)
            self._announce(value)
            needs_comma = self._flow_part(value)
            tail = key.foot
        page.add_comments(tail=tail, beside=node.beside, foot=node.foot)
        if needs_comma and (page.head or page.foot or page.tail):
            page.write_indicator(",", spaced=False)
        page.write_head()
        self._flow_level -= 1
        page.indent = outer
        self._end_flow("}")

    def _start_flow(self, sign: str, place: str) -> int:
        outer = self._page.indent
        self._page.write_indicator(sign, is_blank=True)
        self._page.indent = self._deeper(place, is_flow=True)
        self._flow_level += 1
        return outer

    def _end_flow(self, sign: str) -> None:
        self._page.write_indicator(sign, spaced=False)
        self._page.write_beside()
        self._page.write_foot()

    def _flow_separator(self, *, needs_comma: bool) -> None:
        if needs_comma:
            self._page.write_indicator(",", spaced=False)
        self._page.write_head()
        if self._page.column == 0:
            self._page.write_indent()

    def _flow_key(self, key: Node) -> None:
        is_simple = _is_simple_key(key)
        if not is_simple:
            self._page.write_indicator("?")
        self._open(key, "key" if is_simple else "value")
        self._page.write_indicator(":", spaced=not is_simple)

    def _flow_part(self, node: Node) -> bool:
        """Write an item or value; tell whether the next one still needs a comma before it."""
        page = self._page
        writes_comma = page.has_trailing_comments()
        self._open(node, "value")
        if page.has_trailing_comments():
            page.write_indicator(",", spaced=False)
        page.write_beside()
        page.write_foot()
        self._fill(node, "value")
        return not writes_comma


def _presentation(node: Node) -> tuple[Style, str]:
    """Return the style to try, and the tag to write: none when the reader finds it by itself."""
    if node.is_tagged:
        return _block_style(node), _tag(node.tag)
    if node.kind is not Kind.SCALAR:
        own = {Kind.MAPPING: "!!map", Kind.SEQUENCE: "!!seq"}.get(node.kind)
        return node.style, "" if node.tag == own else _tag(node.tag)
    if node.tag == "!!str" and node.style is not Style.PLAIN:
        return node.style, ""
    if resolving.resolve(node.value) == node.tag:
        return _block_style(node), ""
    if node.tag == "!!str":
        return Style.DOUBLE if "\n" not in node.value else _block_style(node), ""
    return _block_style(node), _tag(node.tag)


def _block_style(node: Node) -> Style:
    """Return the style to try; a plain text of several lines is written as a block."""
    return Style.LITERAL if node.style is Style.PLAIN and "\n" in node.value else node.style


def _tag(tag: str) -> str:
    if tag.startswith("!"):
        return tag
    return f"!<{tag}>" if tag else ""


def _is_simple_key(key: Node) -> bool:
    if key.kind is Kind.SCALAR and styles.is_multiline(key.value):
        return False
    tag = _presentation(key)[1] if key.kind is not Kind.ALIAS else ""
    return len((key.value + key.anchor + tag).encode()) <= _LONGEST_KEY
