"""Names and values in the override file `.argocd-source-<application>.yaml` (specification 3.5).

By default everything that is not ours stays byte for byte; `exact` decodes and writes the file anew, as
upstream does, and loses comments and foreign keys with it. A file of ours comes out the same either way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from updater.overrides import checking, exact_source, patching, scalars
from updater.overrides.edit import Edit, Edited
from updater.overrides.errors import KeyPathError
from updater.overrides.exact_source import Decoded
from updater.overrides.go_yaml import reading
from updater.overrides.go_yaml.nodes import Kind, Node
from updater.overrides.patching import Patch
from updater.overrides.sections import Section


@dataclass(frozen=True, slots=True)
class Entry:
    """A Helm parameter or plugin variable to be written."""

    name: str
    value: str
    image: str = ""  # the key of the image it is for


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the two lists of names and values."""

    outer: str
    inner: str
    has_force: bool  # entries carry forcestring, and stand sorted by name


_HELM = _Kind("helm", "parameters", has_force=True)
_PLUGIN = _Kind("plugin", "env", has_force=False)


def write_helm(before: bytes | None, entries: Sequence[Entry], *, exact: bool = False) -> Edited:
    """Return the file with these Helm parameters.

    Raises:
        OverrideError: the file cannot be edited safely.
    """
    return _write(before, entries, _HELM, exact=exact)


def write_plugin(before: bytes | None, entries: Sequence[Entry], *, exact: bool = False) -> Edited:
    """Return the file with these plugin variables.

    Raises:
        OverrideError: the file cannot be edited safely.
    """
    return _write(before, entries, _PLUGIN, exact=exact)


def helm_values(before: bytes | None) -> dict[str, str]:
    """Return the Helm parameters that the file holds, by name."""
    return _values(before, _HELM)


def plugin_values(before: bytes | None) -> dict[str, str]:
    """Return the plugin variables that the file holds, by name."""
    return _values(before, _PLUGIN)


def _values(before: bytes | None, kind: _Kind) -> dict[str, str]:
    if before is None:
        return {}
    section = Section(kind.outer, kind.inner, reading.decode(before))
    return {_name(item): _text(item, "value") for item in section.items()}


def _write(before: bytes | None, entries: Sequence[Entry], kind: _Kind, *, exact: bool) -> Edited:
    for entry in entries:
        _refuse_name(entry.name)
    if exact:
        return _write_exactly(before, entries, kind)
    editor = _Editor(before, kind)
    for entry in entries:
        editor.write(entry)
    return editor.finished()


def _write_exactly(before: bytes | None, entries: Sequence[Entry], kind: _Kind) -> Edited:
    place = {"outer": kind.outer, "inner": kind.inner}
    old = {entry.name: entry.value for entry in exact_source.entries(before, **place)}
    wanted = [Decoded(entry.name, entry.value, is_forced=True) for entry in entries]
    return Edited(exact_source.write_entries(before, wanted, **place), _edits(entries, old, kind))


def _edits(entries: Sequence[Entry], old: dict[str, str], kind: _Kind) -> tuple[Edit, ...]:
    prefix = f"{kind.outer}.{kind.inner}."
    changed = [entry for entry in entries if old.get(entry.name) != entry.value]
    return tuple(
        Edit(prefix + entry.name, old.get(entry.name), entry.value, entry.image)
        for entry in changed
    )


class _Editor:
    """Writes entries one after the other, each at its place."""

    def __init__(self, before: bytes | None, kind: _Kind) -> None:
        self._kind = kind
        self._section = Section(kind.outer, kind.inner, reading.decode(before or b""))
        self._before = self._section.document.root
        self._wanted = {_name(item): _fields(item) for item in self._section.items()}
        self._edits: list[Edit] = []

    def write(self, entry: Entry) -> None:
        """Replace the entry's value, or insert it."""
        found = [item for item in self._section.items() if _name(item) == entry.name]
        if found:
            self._section.patch([patch for item in found for patch in self._replace(item, entry)])
        else:
            self._insert(entry)
        self._wanted[entry.name] = self._wanted.get(entry.name, {}) | self._piece(entry)

    def finished(self) -> Edited:
        """Return the file after a look at everything that changed.

        Raises:
            OverrideError: something else changed, or an entry does not read as it should.
        """
        kind, section = self._kind, self._section
        places: dict[checking.Path, str | None] = {
            (kind.outer, kind.inner, place, _key(item, "value")): _text(item, "value")
            for place, item in enumerate(section.items())
            if any(edit.key.endswith(f".{_name(item)}") for edit in self._edits)
        }
        checking.check(self._before, section.text, {(kind.outer, kind.inner): None, **places})
        if {_name(item): _fields(item) for item in section.items()} != self._wanted:
            raise KeyPathError(
                f"{kind.outer}.{kind.inner} cannot be edited; write it one item a line"
            )
        return Edited(section.text.encode(), tuple(self._edits))

    def _note(self, name: str, old: str | None, new: str, image: str) -> None:
        self._edits.append(Edit(f"{self._kind.outer}.{self._kind.inner}.{name}", old, new, image))

    def _piece(self, entry: Entry) -> dict[str, str]:
        force = {"forcestring": "true"} if self._kind.has_force else {}
        return {"name": entry.name, "value": entry.value, **force}

    def _insert(self, entry: Entry) -> None:
        names = [_name(item) for item in self._section.items()]
        after = len(names)
        if self._kind.has_force and names == sorted(names, key=str.encode):
            after = sum(name.encode() < entry.name.encode() for name in names)
        is_flow = self._section.is_flow()
        piece = {
            key: value if key == "forcestring" else scalars.safe(value, is_flow=is_flow)
            for key, value in self._piece(entry).items()
        }
        self._section.insert(piece, after=after)
        self._note(entry.name, None, entry.value, entry.image)

    def _replace(self, item: Node, entry: Entry) -> list[Patch]:
        patches = []
        value = _field(item, "value")
        if value is None or not scalars.reads_back(value, entry.value):
            patches.append(self._set(item, "value", entry.value))
            self._note(entry.name, value.value if value else None, entry.value, entry.image)
        force = _field(item, "forcestring")
        if self._kind.has_force and (force is None or force.value.lower() != "true"):
            patches.append(self._set(item, "forcestring", "true"))
            if force is not None:
                self._note(f"{entry.name}.forcestring", force.value, "true", entry.image)
        return self._joined(patches)

    @staticmethod
    def _joined(patches: list[Patch]) -> list[Patch]:
        """Make one of two patches that both add at the end of the entry."""
        if len(patches) == 2 and patches[0].start == patches[1].start:
            return [Patch(patches[0].start, patches[0].end, patches[0].text + patches[1].text)]
        return patches

    def _set(self, item: Node, name: str, value: str) -> Patch:
        node, text = _field(item, name), self._section.text
        is_flow = item.is_flow or self._section.is_flow()
        if node is None:
            written = value if name == "forcestring" else scalars.safe(value, is_flow=is_flow)
            return patching.add_pair(text, item, name, written, is_flow=is_flow)
        if name == "forcestring":
            return Patch(node.start, node.end, value if node.end > node.start else f" {value}")
        return patching.set_scalar(text, node, value, is_flow=is_flow)


def _refuse_name(name: str) -> None:
    if not name or len(name) > 512 or not name.isprintable():
        raise KeyPathError(f"the parameter name {name[:80]!r} is not usable; write a plain name")


def _name(item: Node) -> str:
    if item.kind is not Kind.MAPPING:
        raise KeyPathError(f"line {item.line + 1}: an entry with a name is expected here")
    return _text(item, "name")


def _fields(item: Node) -> dict[str, str]:
    return {key.value.lower(): value.content().value for key, value in item.pairs()}


def _text(item: Node, name: str) -> str:
    node = _field(item, name)
    return node.value if node is not None else ""


def _key(item: Node, name: str) -> str:
    return next(key.value for key, _ in item.pairs() if key.value.lower() == name)


def _field(item: Node, name: str) -> Node | None:
    """Return a field's value; Argo CD reads the names of fields in any case."""
    for key, value in item.pairs():
        if key.content().value.lower() == name:
            if value.kind is not Kind.SCALAR:
                raise KeyPathError(f"line {value.line + 1}: {name} is not a plain value")
            return value
    return None
