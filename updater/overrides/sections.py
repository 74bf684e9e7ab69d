"""The one list inside an override file that is ours: `helm.parameters`, `kustomize.images`, `plugin.env`."""

from dataclasses import dataclass, field

from updater.overrides import patching
from updater.overrides.errors import KeyPathError, OverrideError
from updater.overrides.go_yaml import reading
from updater.overrides.go_yaml.nodes import Document, Kind, Node
from updater.overrides.patching import Patch, Piece


@dataclass(slots=True)
class Section:
    """A file that is being edited, and where in it the list `outer.inner` stands."""

    outer: str
    inner: str
    text: str
    document: Document = field(init=False)

    def __post_init__(self) -> None:
        self._read()

    def items(self) -> list[Node]:
        """Return the items of the list, none when it is not there.

        Raises:
            OverrideError: something else stands in its place.
        """
        _, sequence = self._list()
        return sequence.children if sequence is not None else []

    def is_flow(self) -> bool:
        """Tell whether the list is written in brackets."""
        holder = self._holder()
        _, sequence = self._list()
        return bool(holder and holder.is_flow) or bool(sequence and sequence.is_flow)

    def patch(self, patches: list[Patch]) -> None:
        """Change the text and read it again."""
        if patches:
            self.text = patching.apply(self.text, patches)
            self._read()

    def insert(self, piece: Piece, *, after: int) -> None:
        """Put an item behind `after` others, and make the list where there is none."""
        key, sequence = self._list()
        if sequence is not None and sequence.kind is Kind.SEQUENCE and key is not None:
            self._insert(key, sequence, piece, after)
        elif key is not None and sequence is not None:
            self._fill_empty(key, sequence, [piece])
        else:
            self._make(piece)

    def _insert(self, key: Node, sequence: Node, piece: Piece, after: int) -> None:
        if not sequence.children and not self._is_inside_flow():
            self._break_open(key, sequence, [piece])
            return
        patch = patching.add_item(
            self.text, sequence, piece, after=after, opening=key.end, is_flow=self.is_flow()
        )
        self.patch([patch])

    def _break_open(self, key: Node, empty: Node, piece: Piece) -> None:
        """Put content in block style in the place of `[]` or `{}`."""
        indent = key.column + (0 if isinstance(piece, list) else 2)
        lines = patching.block(piece, indent, 2)
        start = self.text.rfind(":", 0, empty.start) + 1
        written = "".join(patching.newline(self.text) + line for line in lines)
        self.patch([Patch(start, empty.end, written)])

    def _is_inside_flow(self) -> bool:
        holder = self._holder()
        return bool(holder and holder.is_flow)

    def _fill_empty(self, key: Node, value: Node, piece: Piece) -> None:
        """Put content below a key that has none."""
        if value.value or value.anchor or value.is_tagged:
            raise OverrideError(f"line {value.line + 1}: remove what stands behind {key.value}")
        if self.document.root is not None and self.document.root.is_flow:
            self.patch([Patch(value.start, value.end, " " + patching.flow(piece))])
            return
        indent = key.column + (0 if isinstance(piece, list) else 2)
        self.patch([patching.add_lines(self.text, key.end, patching.block(piece, indent, 2))])

    def _make(self, piece: Piece) -> None:
        root, new = self.document.root, {self.inner: [piece]}
        pair = self._outer_pair()
        if root is None:
            self._append({self.outer: new})
        elif pair is None:
            self.patch([patching.add_pair(self.text, root, self.outer, new, is_flow=root.is_flow)])
        elif self._holder() is None:
            self._fill_empty(*pair, new)
        elif not pair[1].children and not root.is_flow:
            self._break_open(*pair, new)
        else:
            is_flow = pair[1].is_flow or root.is_flow
            patch = patching.add_pair(self.text, pair[1], self.inner, [piece], is_flow=is_flow)
            self.patch([patch])

    def _outer_pair(self) -> tuple[Node, Node] | None:
        pairs = self.document.root.pairs() if self.document.root is not None else []
        return next((pair for pair in pairs if pair[0].content().value == self.outer), None)

    def _append(self, piece: Piece) -> None:
        sign = patching.newline(self.text)
        gap = sign if self.text and not self.text.endswith(("\n", "\r")) else ""
        lines = patching.block(piece, 0, 2)
        self.text += gap + "".join(line + sign for line in lines)
        self._read()

    def _read(self) -> None:
        self.document = reading.read(self.text)
        root = self.document.root
        if self.document.has_more:
            raise OverrideError("the file holds several documents; keep one")
        if root is not None and root.kind is Kind.SCALAR and not root.value:
            self.document.root = root = None
        if root is not None and root.kind is not Kind.MAPPING:
            raise OverrideError("line 1: the file is not a mapping")

    def _holder(self) -> Node | None:
        """Return the mapping that holds the list, None where it is absent or empty."""
        root = self.document.root
        found = root.find(self.outer) if root is not None else None
        return found if found is not None and self._checked(found, Kind.MAPPING) else None

    def _list(self) -> tuple[Node | None, Node | None]:
        """Return the list's key and the list; an empty value in its place counts as found."""
        holder = self._holder()
        pairs = holder.pairs() if holder is not None else []
        for key, value in pairs:
            if key.content().value == self.inner:
                self._checked(value, Kind.SEQUENCE)
                return key, value
        return None, None

    def _checked(self, node: Node, kind: Kind) -> bool:
        """Tell whether the node is of the kind (True) or empty (False); refuse anything else."""
        if node.kind is kind:
            return True
        if node.kind is Kind.SCALAR and node.tag == "!!null":
            return False
        what = "an alias" if node.kind is Kind.ALIAS else "something else"
        place = f"{self.outer}.{self.inner}"
        raise KeyPathError(f"line {node.line + 1}: {place} is expected here, not {what}")
