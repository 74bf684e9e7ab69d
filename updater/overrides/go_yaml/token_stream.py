"""Hands tokens to the reader one by one, and with each the comments that are due by then."""

from updater.overrides.errors import YamlBoundsError, YamlError
from updater.overrides.go_yaml.nodes import Node
from updater.overrides.go_yaml.scanning import Scanner
from updater.overrides.go_yaml.tokens import Kind, Token


class TokenStream:
    """The tokens of a text. `head`, `beside` and `foot` collect comments until a node takes them."""

    def __init__(self, text: str) -> None:
        self._scanner = Scanner(text)
        self._at = 0
        self._token: Token | None = None
        self._comments_taken = 0
        self.head = self.beside = self.foot = ""
        self._stem = ""

    def peek(self) -> Token:
        """Return the present token."""
        if self._token is None:
            self._scanner.fetch(self._at)
            self._token = self._scanner.tokens[self._at]
            self._collect_comments(self._token)
        return self._token

    def skip(self) -> None:
        """Go on to the next token."""
        self._scanner.fetch(self._at)
        self._at += 1
        self._token = None

    def take_comments(self, node: Node, *, keep_head: bool = False) -> None:
        """Give the collected comments to a node."""
        if not keep_head:
            node.head = self.head
        node.beside, node.foot = self.beside, self.foot
        self.head = self.beside = self.foot = self._stem = ""

    def split_document_head(self) -> str:
        """Take the comments above up to the last empty line: they belong to the document."""
        head = self.head
        for place in range(len(head) - 1, 0, -1):
            is_last = place == len(head) - 1
            if head[place] == "\n" and (is_last or head[place - 1] == "\n"):
                self.head = head[place + 1 :]
                return head[: place if is_last else place - 1]
        return ""

    def split_stem(self, length: int) -> None:
        """Keep the head of an item that is itself a collection apart from the head of its first part."""
        if length and self.peek().kind in (Kind.SEQUENCE_START, Kind.MAPPING_START):
            self._stem, self.head = self.head[:length], self.head[length + 1 :]

    def take_stem(self) -> str:
        """Return the head that was kept apart."""
        stem, self._stem = self._stem, ""
        return stem

    def fault(self, message: str, token: Token) -> YamlError:
        """Return the error for a token."""
        return YamlError(message, line=token.start.line + 1)

    def bound(self, message: str, token: Token) -> YamlBoundsError:
        """Return the error for a token that goes beyond a bound."""
        return YamlBoundsError(message, line=token.start.line + 1)

    def _collect_comments(self, token: Token) -> None:
        found = self._scanner.comments
        while self._comments_taken < len(found):
            comment = found[self._comments_taken]
            if token.start.offset < comment.token:
                return
            if comment.head and token.kind is Kind.BLOCK_END:
                return  # an end has no head; it belongs to what follows
            self.head = _joined(self.head, comment.head)
            self.beside = _joined(self.beside, comment.beside)
            self.foot = _joined(self.foot, comment.foot)
            self._comments_taken += 1


def _joined(before: str, after: str) -> str:
    return f"{before}\n{after}" if before and after else before or after
