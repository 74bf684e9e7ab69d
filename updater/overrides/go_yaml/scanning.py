"""Cuts YAML into tokens: indentation, keys that show themselves only at their `:`, and comments."""

from updater.overrides.errors import YamlError
from updater.overrides.go_yaml import comments, scalars
from updater.overrides.go_yaml.characters import BLANKS, BREAKS, ENDS, SPACES
from updater.overrides.go_yaml.tokens import Comment, Kind, Mark, PossibleKey, Token

_KEY_REACH = 1024  # characters from the start of a key to its `:`
_FLOW = {
    "[": Kind.FLOW_SEQUENCE_START,
    "{": Kind.FLOW_MAPPING_START,
    "]": Kind.FLOW_SEQUENCE_END,
    "}": Kind.FLOW_MAPPING_END,
}
_NOT_PLAIN = "-?:,[]{}#&*!|>'\"%@`"


class Scanner:
    """The tokens of a text, found on demand; `tokens` and `comments` grow as the reader asks."""

    def __init__(self, text: str) -> None:
        self.text = text + "\0\0\0\0"
        self.at = self.line_start = 1 if text.startswith("\ufeff") else 0
        self.line = self.newlines = 0
        self.indent = -1
        self.flow_level = 0
        self.key_allowed = True
        self.tokens: list[Token] = []
        self.comments: list[Comment] = []
        self._indents: list[int] = []
        self._keys: list[PossibleKey | None] = [None]
        self._add(Kind.STREAM_START, self.mark())

    @property
    def column(self) -> int:
        """The column of the present character, from 0."""
        return self.at - self.line_start

    def mark(self) -> Mark:
        """Return the present place."""
        return Mark(self.at, self.line, self.at - self.line_start)

    def fault(self, message: str, mark: Mark | None = None) -> YamlError:
        """Return the error for a place, by default the present one."""
        return YamlError(message, line=(mark or self.mark()).line + 1)

    def skip(self, count: int = 1) -> None:
        """Step over characters that are neither blanks nor line breaks."""
        self.newlines = 0
        self.at += count

    def skip_blanks(self) -> None:
        """Step over spaces and tabs."""
        while self.text[self.at] in BLANKS:
            self.at += 1

    def skip_line(self) -> None:
        """Step over one line break."""
        self.at += 2 if self.text.startswith("\r\n", self.at) else 1
        self.line += 1
        self.line_start = self.at
        self.newlines += 1

    def at_document_mark(self) -> bool:
        """Tell whether `---` or `...` stands here alone at the start of a line."""
        return (
            self.at == self.line_start
            and self.text[self.at : self.at + 3] in ("---", "...")
            and self.text[self.at + 3] in SPACES
        )

    def fetch(self, head: int) -> None:
        """Find tokens until the one at `head` is certain, two further ones (for comments) included."""
        while head >= len(self.tokens) - 2 or self._is_waiting(head):
            if self.tokens[-1].kind is Kind.STREAM_END:
                return
            self._next()

    def _is_waiting(self, head: int) -> bool:
        for place, key in enumerate(self._keys):
            if key is not None and key.token == head:
                return self._live_key(place) is not None
        return False

    def _live_key(self, place: int) -> PossibleKey | None:
        """Return the possible key of a flow level, unless its `:` can no longer come."""
        key = self._keys[place]
        if key and (key.mark.line < self.line or key.mark.offset + _KEY_REACH < self.at):
            self._refuse_required(key)
            self._keys[place] = key = None
        return key

    def _refuse_required(self, key: PossibleKey | None) -> None:
        if key and key.is_required:
            raise self.fault("a key has no ':' after it", key.mark)

    def _next(self) -> None:
        before = self.mark()
        self._to_next_token()
        self._unroll(self.column, before)
        if self._boundary():
            return
        sign = self.text[self.at]
        owner = self.mark()
        if (not self.flow_level and sign == ":") or (self.flow_level and sign == ","):
            owner = self.tokens[-1].start
        self._token(sign)
        if self.tokens[-1].kind is not Kind.ENTRY:  # beside a bare '-' stands the next one's head
            comments.scan_beside(self, owner.offset)

    def _boundary(self) -> bool:
        """Take the end of the text, a directive or a document mark; tell whether there was one."""
        if self.text[self.at] == "\0":
            self._stream_end()
        elif self.column == 0 and self.text[self.at] == "%":
            self._directive()
        elif self.at_document_mark():
            self._reset()
            is_start = self.text[self.at] == "-"
            self._take(Kind.DOCUMENT_START if is_start else Kind.DOCUMENT_END, 3)
        else:
            return False
        return True

    def _stream_end(self) -> None:
        if self.column:
            self.line += 1
            self.line_start = self.at
        self._reset()
        self._add(Kind.STREAM_END, self.mark())

    def _reset(self) -> None:
        self._unroll(-1, self.mark())
        self._drop_key()
        self.key_allowed = False

    def _directive(self) -> None:
        self._reset()
        start = self.mark()
        while self.text[self.at] not in ENDS:
            self.at += 1
        words = self.text[start.offset : self.at].partition("#")[0].split()
        if words != ["%YAML", "1.1"]:
            raise self.fault("this directive is not supported; remove the line", start)
        self._add(Kind.YAML_DIRECTIVE, start)
        if self.text[self.at] in BREAKS:
            self.skip_line()

    def _token(self, sign: str) -> None:
        alone = self.text[self.at + 1] in SPACES
        if sign in "[{":
            self._save_key()
            self._keys.append(None)
            self.flow_level += 1
            self.key_allowed = True
            self._take(_FLOW[sign])
        elif sign in "]}":
            self._flow_end(sign)
        elif sign == ",":
            self._drop_key()
            self.key_allowed = True
            self._take(Kind.FLOW_ENTRY)
        elif sign == "-" and alone:
            self._entry()
        elif sign == "?" and (self.flow_level or alone):
            self._key()
        elif sign == ":" and (self.flow_level or alone):
            self._value()
        else:
            self._content(sign)

    def _content(self, sign: str) -> None:
        if sign in "|>" and not self.flow_level:
            self._drop_key()
            self.key_allowed = True
            self.tokens.append(scalars.scan_block(self))
            return
        scan = {
            "*": scalars.scan_name,
            "&": scalars.scan_name,
            "!": scalars.scan_tag,
            "'": scalars.scan_quoted,
            '"': scalars.scan_quoted,
        }.get(sign, scalars.scan_plain)
        if scan is scalars.scan_plain and not self._starts_plain(sign):
            raise self.fault(f"{sign!r} cannot start a value here; quote the text")
        self._save_key()
        self.key_allowed = False
        self.tokens.append(scan(self))

    def _starts_plain(self, sign: str) -> bool:
        follower = self.text[self.at + 1]
        if sign == "-":
            return follower not in BLANKS
        if sign in "?:":
            return not self.flow_level and follower not in SPACES
        return sign not in _NOT_PLAIN and sign not in SPACES

    def _flow_end(self, sign: str) -> None:
        self._drop_key()
        if self.flow_level:
            self.flow_level -= 1
            self._keys.pop()
        self.key_allowed = False
        self._take(_FLOW[sign])

    def _entry(self) -> None:
        if not self.flow_level:
            self._need_key_allowed("a list item")
            self._roll(self.mark(), Kind.SEQUENCE_START)
        self._drop_key()
        self.key_allowed = True
        self._take(Kind.ENTRY)

    def _key(self) -> None:
        if not self.flow_level:
            self._need_key_allowed("a key")
            self._roll(self.mark(), Kind.MAPPING_START)
        self._drop_key()
        self.key_allowed = not self.flow_level
        self._take(Kind.KEY)

    def _value(self) -> None:
        key = self._live_key(-1)
        if key:
            self.tokens.insert(key.token, Token(Kind.KEY, key.mark, key.mark.offset))
            self._roll(key.mark, Kind.MAPPING_START, at=key.token)
            self._keys[-1] = None
            self.key_allowed = False
        else:
            if not self.flow_level:
                self._need_key_allowed("':'")
                self._roll(self.mark(), Kind.MAPPING_START)
            self.key_allowed = not self.flow_level
        self._take(Kind.VALUE)

    def _need_key_allowed(self, what: str) -> None:
        if not self.key_allowed:
            raise self.fault(f"{what} is not allowed here; quote the text or check the indentation")

    def _save_key(self) -> None:
        if self.key_allowed:
            required = not self.flow_level and self.indent == self.column
            self._drop_key()
            self._keys[-1] = PossibleKey(len(self.tokens), self.mark(), required)

    def _drop_key(self) -> None:
        self._refuse_required(self._keys[-1])
        self._keys[-1] = None

    def _roll(self, mark: Mark, kind: Kind, at: int | None = None) -> None:
        """Open a block when the column is deeper than the present one."""
        if not self.flow_level and self.indent < mark.column:
            self._indents.append(self.indent)
            self.indent = mark.column
            self.tokens.insert(
                len(self.tokens) if at is None else at, Token(kind, mark, mark.offset)
            )

    def _unroll(self, column: int, before: Mark) -> None:
        """Close the blocks deeper than a column, above comments that belong to the outer ones."""
        place = Mark(before.offset - 1, before.line, before.column)
        while not self.flow_level and self.indent > column:
            place = comments.end_of_block(self, place)
            self.tokens.append(Token(Kind.BLOCK_END, place, place.offset))
            self.indent = self._indents.pop()

    def _take(self, kind: Kind, count: int = 1) -> None:
        start = self.mark()
        self.skip(count)
        self._add(kind, start)

    def _add(self, kind: Kind, start: Mark) -> None:
        self.tokens.append(Token(kind, start, self.at))

    def _to_next_token(self) -> None:
        before = self.mark()
        while True:
            while self.text[self.at] == " " or (
                self.text[self.at] == "\t" and (self.flow_level or not self.key_allowed)
            ):
                self.at += 1
            comments.lift_beside_entry(self)
            if self.text[self.at] == "#":
                comments.scan_own_lines(self, before)
            if self.text[self.at] not in BREAKS:
                return
            self.skip_line()
            self.key_allowed = self.key_allowed or not self.flow_level
