"""Puts characters, indentation and comments on the page, with yaml.v3's bookkeeping of white space."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Page:
    """The text so far and where the pen stands. Comments wait here until their place is reached."""

    indent: int = -1
    column: int = 0
    is_after_blank: bool = True  # white space, or nothing, stands before the pen
    is_indentation: bool = True  # only indentation stands before the pen on its line
    foot_indent: int = -1  # the column of a foot comment just written: an empty line must follow
    head: str = ""
    beside: str = ""
    foot: str = ""
    tail: str = ""  # the foot of the entry before
    key_beside: str = ""
    _parts: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return everything written."""
        return "".join(self._parts)

    def add_comments(
        self, *, head: str = "", beside: str = "", foot: str = "", tail: str = ""
    ) -> None:
        """Take the comments of the next piece; those still waiting stay where none is given."""
        self.head = head or self.head
        self.beside = beside or self.beside
        self.foot = foot or self.foot
        self.tail = tail or self.tail

    def has_trailing_comments(self) -> bool:
        """Tell whether a comment waits to be written behind the present piece."""
        return bool(self.beside or self.foot or self.tail)

    def put(self, text: str) -> None:
        """Write text without line breaks."""
        self._parts.append(text)
        self.column += len(text)

    def put_break(self, sign: str = "\n") -> None:
        """End the line."""
        self._parts.append(sign)
        self.column = 0
        self.is_indentation = True

    def write(self, text: str) -> None:
        """Write text that ends white space and indentation."""
        self.put(text)
        self.is_after_blank = self.is_indentation = False

    def write_indent(self) -> None:
        """Go to the present indentation, on a new line unless the pen stands there."""
        indent = max(self.indent, 0)
        is_beyond = self.column > indent or (self.column == indent and not self.is_after_blank)
        if not self.is_indentation or is_beyond:
            self.put_break()
        if self.foot_indent == indent:
            self.put_break()
        if self.column < indent:
            self.put(" " * (indent - self.column))
        self.is_after_blank = True
        self.foot_indent = -1

    def write_indicator(
        self, sign: str, *, spaced: bool = True, is_blank: bool = False, indents: bool = False
    ) -> None:
        """Write an indicator, a space before it where one is needed."""
        if spaced and not self.is_after_blank:
            self.put(" ")
        self.put(sign)
        self.is_after_blank = is_blank
        self.is_indentation = self.is_indentation and indents

    def write_head(self) -> None:
        """Write the foot of the entry before and the head of the present one."""
        if self.tail:
            self.write_indent()
            self._comment(self.tail)
            self.tail = ""
            self.foot_indent = max(self.indent, 0)
        if self.head:
            self.write_indent()
            self._comment(self.head)
            self.head = ""

    def write_beside(self, *, breaks_line: bool = False) -> None:
        """Write the comment beside; without one, end the line if asked to."""
        if not self.beside:
            if breaks_line:
                self.put_break()
            return
        if not self.is_after_blank:
            self.put(" ")
        self._comment(self.beside)
        self.beside = ""

    def write_foot(self) -> None:
        """Write the comment below."""
        if self.foot:
            self.write_indent()
            self._comment(self.foot)
            self.foot = ""
            self.foot_indent = max(self.indent, 0)

    def _comment(self, text: str) -> None:
        is_line_start = False
        for line in text.split("\n"):
            if is_line_start:
                self.put_break()
            self._comment_line(line, indents=is_line_start)
            is_line_start = True
        if line:
            self.put_break()
        self.is_after_blank = True

    def _comment_line(self, line: str, *, indents: bool) -> None:
        if not line:
            return
        if indents:
            self.write_indent()
        self.put(line if line.startswith("#") else f"# {line}")
        self.is_indentation = False
