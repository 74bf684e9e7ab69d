"""Finds comments and decides, as yaml.v3 does, whether each is the head, the side or the foot of a token."""

from typing import TYPE_CHECKING

from updater.overrides.go_yaml.characters import BLANKS, BREAKS, ENDS
from updater.overrides.go_yaml.tokens import Comment, Kind, Mark

if TYPE_CHECKING:
    from updater.overrides.go_yaml.scanning import Scanner

_REACH = 512  # blanks and breaks that yaml.v3 looks over before it gives a comment up


def scan_beside(scanner: "Scanner", owner: int) -> None:
    """Take the comment that stands on the line of the token at `owner`."""
    at = scanner.at
    while scanner.text[at] in BLANKS and at < scanner.at + _REACH:
        at += 1
    if scanner.newlines or scanner.text[at] != "#":
        return
    scanner.at = at
    start = scanner.mark()
    text = _read_line(scanner)
    scanner.comments.append(Comment(owner, start, beside=text))


def _read_line(scanner: "Scanner") -> str:
    start = scanner.at
    while scanner.text[scanner.at] not in ENDS:
        scanner.at += 1
    scanner.newlines = 0
    return scanner.text[start : scanner.at]


def lift_beside_entry(scanner: "Scanner") -> None:
    """Make the comment beside the first '-' of a list the head of what follows on the next line."""
    if not scanner.comments or len(scanner.tokens) < 2:
        return
    comment = scanner.comments[-1]
    kinds = [token.kind for token in scanner.tokens[-2:]]
    if kinds != [Kind.SEQUENCE_START, Kind.ENTRY] or not comment.beside:
        return
    if scanner.text[scanner.at] not in BREAKS:
        comment.head, comment.beside = comment.beside, ""
        if comment.start.line == scanner.line - 1:
            comment.token = scanner.at


def end_of_block(scanner: "Scanner", place: Mark) -> Mark:
    """Return where the ending block ends: above the comments that stand at its own column."""
    stop = place.offset
    for comment in reversed(scanner.comments):
        if comment.end < stop:
            break
        if comment.start.column == scanner.indent + 1:
            place = comment.start
        stop = comment.scan
    return place


def scan_own_lines(scanner: "Scanner", before: Mark) -> None:
    """Take the comment lines that begin here, up to the next token."""
    _Search(scanner, before).run()


class _Search:
    """One search over comment lines; cuts them where a foot ends and a head begins."""

    def __init__(self, scanner: "Scanner", before: Mark) -> None:
        self._scanner = scanner
        owner = scanner.tokens[-1]
        if owner.kind is Kind.FLOW_ENTRY and len(scanner.tokens) > 1:
            owner = scanner.tokens[-2]
        self._after_value = owner.kind is Kind.VALUE
        self._owner = owner.start.offset
        self._scan = before.offset
        self._start = Mark(0, 0, 0)
        self._lines: list[str] = []
        self._peek = 0
        self._line, self._column = scanner.line, scanner.column
        self._next_indent = max(scanner.indent, 0)
        self._is_after_empty = False
        self._may_be_foot = scanner.newlines <= 1
        self._foot_line = self._first_foot_line(before)

    def _first_foot_line(self, before: Mark) -> int:
        """Return the line on which a comment is still a foot: the one below the last content."""
        if before.line == 0:
            return -1
        scanner = self._scanner
        line = scanner.line - scanner.newlines + 1
        return line + 1 if scanner.newlines == 0 and scanner.column > 1 else line

    def run(self) -> None:
        while self._peek < _REACH and self._step():
            self._peek += 1
        if self._lines:
            self._keep(head="\n".join(self._lines), owner=self._start.offset, end=self._here - 1)

    @property
    def _here(self) -> int:
        return self._scanner.at + self._peek

    def _step(self) -> bool:
        """Look at one character; tell whether to go on."""
        self._column += 1
        # beyond the end of the text stands as much NUL as anyone asks for
        sign = self._scanner.text[self._here : self._here + 1] or "\0"
        if sign in BLANKS:
            return True
        closes = self._scanner.flow_level > 0 and sign in "]}"
        if closes or sign in ENDS:
            return self._line_end(sign, closes=closes)
        if (
            self._lines
            and self._column - 1 < self._next_indent
            and self._column != self._start.column
        ):
            self._cut()
        if sign != "#":
            return False
        self._comment_line()
        return True

    def _line_end(self, sign: str, *, closes: bool) -> bool:
        if closes or not self._is_after_empty:
            if closes or self._is_foot():
                self._cut_foot()
            elif self._lines and sign != "\0":
                self._lines.append("")
        if sign not in BREAKS:
            return False
        self._may_be_foot = False
        self._is_after_empty = True
        self._column = 0
        self._line += 1
        return True

    def _is_foot(self) -> bool:
        below_content = self._start.line == self._foot_line and not self._after_value
        return self._may_be_foot and (below_content or self._is_dedented())

    def _is_dedented(self) -> bool:
        return self._start.column - 1 < self._next_indent

    def _cut_foot(self) -> None:
        if self._lines:
            if self._is_dedented():
                self._owner = self._start.offset  # it has nothing to do with the token before
            self._cut()

    def _cut(self) -> None:
        self._keep(foot="\n".join(self._lines), owner=self._owner, end=self._here)
        self._scan = self._owner = self._here
        self._lines = []

    def _keep(self, *, owner: int, end: int, head: str = "", foot: str = "") -> None:
        comment = Comment(owner, self._start, scan=self._scan, end=end, head=head, foot=foot)
        self._scanner.comments.append(comment)

    def _comment_line(self) -> None:
        scanner = self._scanner
        if not self._lines:
            self._start = Mark(self._here, self._line, self._column)
        self._is_after_empty = False
        begin = self._here
        while scanner.at < begin:
            if scanner.text[scanner.at] in BREAKS:
                scanner.skip_line()
            else:
                scanner.at += 1
        self._lines.append(_read_line(scanner))
        self._peek = self._column = 0
        self._line = scanner.line
        self._next_indent = max(scanner.indent, 0)
