"""Kustomize images in the override file `.argocd-source-<application>.yaml` (specification 3.5)."""

from collections.abc import Sequence

from updater import images
from updater.overrides import checking, exact_source, image_strings, patching, scalars
from updater.overrides.edit import Edit, Edited
from updater.overrides.errors import KeyPathError
from updater.overrides.go_yaml import reading
from updater.overrides.go_yaml.nodes import Kind, Node
from updater.overrides.image_strings import ImageString
from updater.overrides.sections import Section


def write(before: bytes | None, wanted: Sequence[ImageString], *, exact: bool = False) -> Edited:
    """Return the file with these image strings.

    Raises:
        OverrideError: the file cannot be edited safely.
    """
    if exact:
        return _write_exactly(before, wanted)
    editor = _Editor(before)
    for new in wanted:
        editor.write(new)
    return editor.finished()


def strings(before: bytes | None) -> list[str]:
    """Return the image strings that the file holds."""
    section = Section("kustomize", "images", reading.decode(before or b""))
    return [_text(item) for item in section.items()]


def _write_exactly(before: bytes | None, wanted: Sequence[ImageString]) -> Edited:
    found, edits = exact_source.images(before), []
    for new in wanted:
        same = image_strings.find_same(found, new, exact=True)
        for place in same:
            if image_strings.replaces(found[place], new, exact=True):
                edits.append(_edit(found[place], new))
                found[place] = new.text
        if not same:
            edits.append(_edit(None, new))
            found.append(new.text)
    return Edited(exact_source.write_images(before, found), tuple(edits))


def _edit(old: str | None, new: ImageString) -> Edit:
    return Edit(f"kustomize.images.{images.full_name(new.reference)}", old, new.text, new.image)


class _Editor:
    """Writes image strings one after the other, each in the place of the one about the same image."""

    def __init__(self, before: bytes | None) -> None:
        self._section = Section("kustomize", "images", reading.decode(before or b""))
        self._before = self._section.document.root
        self._wanted = [_text(item) for item in self._section.items()]
        self._edits: list[Edit] = []

    def write(self, new: ImageString) -> None:
        """Replace the strings about the same image, or append the new one."""
        same = image_strings.find_same(self._wanted, new, exact=False)
        stale = [
            place for place in same if image_strings.replaces(self._wanted[place], new, exact=False)
        ]
        for place in stale:
            self._edits.append(_edit(self._wanted[place], new))
            self._wanted[place] = new.text
            self._replace(place, new.text)
        if not same:
            self._edits.append(_edit(None, new))
            self._section.insert(
                scalars.safe(new.text, is_flow=self._section.is_flow()), after=len(self._wanted)
            )
            self._wanted.append(new.text)

    def finished(self) -> Edited:
        """Return the file after a look at everything that changed.

        Raises:
            OverrideError: something else changed, or a string does not read as it should.
        """
        section = self._section
        written = {edit.new for edit in self._edits}
        places: dict[checking.Path, str | None] = {
            ("kustomize", "images", place): text
            for place, text in enumerate(self._wanted)
            if text in written
        }
        checking.check(self._before, section.text, {("kustomize", "images"): None, **places})
        if [_text(item) for item in section.items()] != self._wanted:
            raise KeyPathError("kustomize.images cannot be edited; write it one item a line")
        return Edited(section.text.encode(), tuple(self._edits))

    def _replace(self, place: int, text: str) -> None:
        section = self._section
        node = section.items()[place]
        patch = patching.set_scalar(section.text, node, text, is_flow=section.is_flow())
        section.patch([patch])


def _text(item: Node) -> str:
    if item.kind is not Kind.SCALAR:
        raise KeyPathError(f"line {item.line + 1}: an image string is expected here")
    return item.value
