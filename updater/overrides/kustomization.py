"""Images in a kustomization file (specification 3.7).

Everything but the image elements stays byte for byte. `exact` replaces an element completely, as upstream
does; by default keys of other people inside it stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updater import images
from updater.overrides import checking, patching, scalars
from updater.overrides.edit import Edit, Edited
from updater.overrides.errors import KeyPathError, OverrideError
from updater.overrides.go_yaml import reading
from updater.overrides.go_yaml.nodes import Kind, Node
from updater.overrides.image_strings import ImageString

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_FIELDS = ("name", "newName", "newTag", "digest")


@dataclass(frozen=True, slots=True)
class Element:
    """One image of the file: the name in the manifests, and what takes its place."""

    fields: Mapping[str, str]  # only those that are set; `name` always
    image: str = ""


def element(new: ImageString) -> Element:
    """Return the element that says what an image string says."""
    reference = new.reference
    wanted = {
        "name": new.name,
        "newName": images.full_name(reference) if new.replaced_name else "",
        "newTag": reference.tag or "",
        "digest": reference.digest or "",
    }
    return Element({name: value for name, value in wanted.items() if value}, new.image)


def names(before: bytes) -> list[str]:
    """Return the names of the images that the file sets.

    Raises:
        OverrideError: the file is not a kustomization.
    """
    return [_name(item) for item in _items(_root(reading.decode(before)))]


def write(before: bytes, elements: Sequence[Element], *, exact: bool = False) -> Edited:
    """Return the file with these images.

    Raises:
        OverrideError: the file is not one mapping, or cannot be edited safely.
    """
    editor = _Editor(reading.decode(before), exact=exact)
    for wanted in elements:
        editor.write(wanted)
    return editor.finished()


class _Editor:
    """Writes elements one after the other, field by field."""

    def __init__(self, text: str, *, exact: bool) -> None:
        self._text = text
        self._exact = exact
        self._root = self._before = _root(text)
        self._edits: list[Edit] = []
        self._intended: dict[checking.Path, str | None] = {}

    def write(self, wanted: Element) -> None:
        """Bring the element of this name to what is wanted, or append it."""
        name = wanted.fields["name"]
        places = [place for place, item in enumerate(self._items()) if _name(item) == name]
        for place in places:
            self._update(place, wanted)
        if not places:
            self._append(wanted)

    def finished(self) -> Edited:
        """Return the file after a look at everything that changed.

        Raises:
            OverrideError: something else changed, or readers disagree about the file.
        """
        checking.check(self._before, self._text, self._intended, asks_other_reader=not self._exact)
        return Edited(self._text.encode(), tuple(self._edits))

    def _items(self) -> list[Node]:
        return _items(self._root)

    def _update(self, place: int, wanted: Element) -> None:
        self._intended["images", place] = None
        for field in self._stale_fields(place, wanted):
            self._remove(place, field, wanted)
        for field, value in wanted.fields.items():
            self._set(place, field, value, wanted)
            self._intended["images", place, field] = value

    def _stale_fields(self, place: int, wanted: Element) -> list[str]:
        present = [key.value for key, _ in self._items()[place].pairs()]
        unwanted = [field for field in present if field not in wanted.fields]
        return unwanted if self._exact else [field for field in unwanted if field in _FIELDS]

    def _remove(self, place: int, field: str, wanted: Element) -> None:
        item = self._items()[place]
        number = [key.value for key, _ in item.pairs()].index(field)
        value = item.pairs()[number][1]
        self._note(wanted, field, value.value, "")
        self._apply(patching.remove_pair(self._text, item, number, is_flow=self._is_flow(item)))

    def _set(self, place: int, field: str, value: str, wanted: Element) -> None:
        item = self._items()[place]
        node, is_flow = item.find(field), self._is_flow(item)
        if node is None:
            piece = self._written(value, is_flow=is_flow)
            self._note(wanted, field, None, value)
            self._apply(patching.add_pair(self._text, item, field, piece, is_flow=is_flow))
        elif not scalars.reads_back(node, value):
            if node.kind is not Kind.SCALAR:
                raise KeyPathError(f"line {node.line + 1}: {field} is not a plain value")
            self._note(wanted, field, node.value, value)
            self._apply(self._replacement(node, value, is_flow=is_flow))

    def _replacement(self, node: Node, value: str, *, is_flow: bool) -> patching.Patch:
        patch = patching.set_scalar(self._text, node, value, is_flow=is_flow)
        if not self._exact:
            return patch
        space = " " if node.start == node.end else ""
        return patching.Patch(patch.start, patch.end, space + scalars.as_go(value))

    def _append(self, wanted: Element) -> None:
        pair = self._images()
        is_flow = self._root.is_flow or (pair is not None and pair[1].is_flow)
        fields = {
            name: self._written(value, is_flow=is_flow) for name, value in wanted.fields.items()
        }
        for name, value in wanted.fields.items():
            self._note(wanted, name, None, value)
            self._intended["images", len(self._items()), name] = value
        self._apply(self._addition(pair, fields, is_flow=is_flow))

    def _addition(
        self, pair: tuple[Node, Node] | None, fields: Mapping[str, str], *, is_flow: bool
    ) -> patching.Patch:
        step = patching.list_step_of(self._root)
        if pair is None and is_flow:
            return patching.add_pair(self._text, self._root, "images", [fields], is_flow=True)
        if pair is None:
            lines = patching.block({"images": [fields]}, self._root.children[0].column, 2, step)
            return patching.add_lines(self._text, self._root.end, lines)
        key, value = pair
        if value.children or self._root.is_flow:
            return patching.add_item(
                self._text,
                value,
                fields,
                after=len(value.children),
                opening=key.end,
                is_flow=is_flow,
            )
        return self._first(key, value, patching.block([fields], key.column + step, 2))

    def _first(self, key: Node, value: Node, lines: Sequence[str]) -> patching.Patch:
        """Put the first item below a key that has `[]` or nothing behind it."""
        if value.kind is not Kind.SEQUENCE:
            return patching.add_lines(self._text, key.end, lines)
        start = self._text.rfind(":", 0, value.start) + 1
        written = "".join(patching.newline(self._text) + line for line in lines)
        return patching.Patch(start, value.end, written)

    def _images(self) -> tuple[Node, Node] | None:
        return next((pair for pair in self._root.pairs() if pair[0].value == "images"), None)

    def _is_flow(self, item: Node) -> bool:
        pair = self._images()
        return item.is_flow or self._root.is_flow or (pair is not None and pair[1].is_flow)

    def _written(self, value: str, *, is_flow: bool) -> str:
        return scalars.as_go(value) if self._exact else scalars.safe(value, is_flow=is_flow)

    def _note(self, wanted: Element, field: str, old: str | None, new: str) -> None:
        if field != "name":
            key = f"images.{wanted.fields['name']}.{field}"
            self._edits.append(Edit(key, old, new, wanted.image))

    def _apply(self, patch: patching.Patch) -> None:
        self._text = patching.apply(self._text, [patch])
        self._root = _root(self._text)


def _root(text: str) -> Node:
    document = reading.read(text)
    if document.has_more:
        raise OverrideError("the kustomization holds several documents; keep one")
    root = document.root
    if root is None or root.kind is not Kind.MAPPING or not root.children:
        raise OverrideError("line 1: the kustomization is not a mapping")
    return root


def _items(root: Node) -> list[Node]:
    found = root.find("images")
    if found is None or (found.kind is Kind.SCALAR and found.tag == "!!null" and not found.value):
        return []
    if found.kind is not Kind.SEQUENCE:
        raise KeyPathError(f"line {found.line + 1}: images is not a list")
    return found.children


def _name(item: Node) -> str:
    found = item.find("name") if item.kind is Kind.MAPPING else None
    if found is None or found.kind is not Kind.SCALAR:
        raise KeyPathError(f"line {item.line + 1}: an image with a name is expected here")
    return found.value
