"""Reads an edited file again and proves that nothing but the intended values changed."""

import warnings
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode

from updater.overrides.errors import OverrideError, YamlError
from updater.overrides.go_yaml import reading
from updater.overrides.go_yaml.nodes import Kind, Node, Style

Path: TypeAlias = tuple["str | int", ...]
_TEXT = "tag:yaml.org,2002:str"


def check(
    before: Node | None,
    text: str,
    intended: Mapping[Path, str | None],
    *,
    asks_other_reader: bool = True,
) -> None:
    """Refuse a text in which anything else changed; None intends that a path and all below may differ.

    Raises:
        OverrideError: another value changed too, an intended one did not, or readers disagree.
    """
    after = reading.read(text).root
    for path in _differences(before, after, ()):
        if not any(_covers(wanted, path, intended) for wanted in intended):
            raise OverrideError(f"the edit would also change {_shown(path)}; edit the file by hand")
    for path, value in intended.items():
        node = _at(after, path)
        if value is not None and (node is None or _leaf(node) != ("!!str", value)):
            raise OverrideError(f"{_shown(path)} cannot be written into this file")
    if asks_other_reader:
        texts = [path for path, value in intended.items() if value is not None]
        _check_other_reader(text, after, texts)


def _covers(wanted: Path, path: Path, intended: Mapping[Path, str | None]) -> bool:
    if intended[wanted] is None:
        return path[: len(wanted)] == wanted
    return path == wanted


def _differences(before: Node | None, after: Node | None, path: Path) -> Iterator[Path]:
    """Yield the paths of scalars that differ, or stand on one side only."""
    left, right = _children(before), _children(after)
    if before is None or after is None or left is None or right is None:
        if _leaf(before) != _leaf(after):
            yield from _leaves(before if after is None or right is None else after, path)
        return
    if before.content().kind is not after.content().kind:
        yield path
    for name in {**left, **right}:
        yield from _differences(left.get(name), right.get(name), (*path, name))


def _leaves(node: Node | None, path: Path) -> Iterator[Path]:
    children = _children(node)
    if not children:
        yield path
    for name, child in (children or {}).items():
        yield from _leaves(child, (*path, name))


def _children(node: Node | None) -> "dict[str | int, Node] | None":
    """Return the parts of a collection by key or index, None for anything else."""
    content = node.content() if node is not None else None
    if content is None or content.kind is Kind.SCALAR:
        return None
    if content.kind is Kind.MAPPING:
        return {key.content().value: value for key, value in content.pairs()}
    return dict(enumerate(content.children))


def _leaf(node: Node | None) -> tuple[str, str] | None:
    content = node.content() if node is not None else None
    if content is None:
        return None
    is_text = content.style is not Style.PLAIN and not content.is_tagged
    return "!!str" if is_text else content.tag, content.value


def _at(node: Node | None, path: Path) -> Node | None:
    for name in path:
        children = _children(node) or {}
        node = children.get(name)
    return node.content() if node is not None else None


def _check_other_reader(text: str, root: Node | None, texts: list[Path]) -> None:
    """Compare with a YAML 1.2 reader: the same structure, and text where text was written."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor that is used again is none of our business
            other = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise YamlError("a YAML 1.2 reader does not understand the file", line=line) from error
    if _plain(root) != _plain_other(other):
        raise YamlError("YAML readers disagree about this file", line=1)
    for path in texts:
        if _other_at(other, path).tag != _TEXT:
            raise OverrideError(f"{_shown(path)} would not be read as text by every reader")


def _plain(node: Node | None) -> object:
    content = node.content() if node is not None else None
    if content is None or content.kind is Kind.SCALAR:
        return content.value if content else ""
    if content.kind is Kind.MAPPING:
        return [(key.content().value, _plain(value)) for key, value in content.pairs()]
    return [_plain(item) for item in content.children]


def _plain_other(node: object) -> object:
    if isinstance(node, MappingNode):
        return [(key.value, _plain_other(value)) for key, value in node.value]
    if isinstance(node, SequenceNode):
        return [_plain_other(item) for item in node.value]
    return node.value if isinstance(node, ScalarNode) else ""


def _other_at(node: YamlNode, path: Path) -> YamlNode:
    for name in path:
        if isinstance(node, MappingNode):
            node = next(value for key, value in node.value if key.value == name)
        else:
            node = node.value[name]
    return node


def _shown(path: Path) -> str:
    return ".".join(str(name) for name in path) or "the whole file"
