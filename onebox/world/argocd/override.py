"""Override files: the Application's source merged with `.argocd-source*.yaml`, decoded as Go decodes (3.3); pure.

Go decodes the merged JSON into a struct that already holds the spec, which has three visible effects: `null`
deletes nothing, list items inherit from the spec's item at the same index, key names ignore case.
"""

import json
from collections.abc import Iterable

from onebox.world.argocd import yaml_text
from onebox.world.cluster.documents import Json, JsonValue
from onebox.world.cluster.patches import merge
from onebox.world.cluster.schema import Anything, ListOf, MapOf, Node, Scalar, Struct
from onebox.world.cluster.source_schema import SOURCE

_RESET = ("repoURL", "path", "targetRevision", "chart")


class OverrideError(ValueError):
    """An override file does not fit the source."""


def file_names(instance: str) -> tuple[str, str]:
    """Return the two names that count, in the order they are applied."""
    return ".argocd-source.yaml", f".argocd-source-{instance}.yaml"


def instance_name(namespace: str, name: str, controller_namespace: str) -> str:
    """Return the name Argo CD knows an Application by: qualified outside its own namespace."""
    return name if namespace in ("", controller_namespace) else f"{namespace}_{name}"


def effective_source(source: Json, files: Iterable[bytes | None]) -> Json:
    """Return the source as it is rendered; absent files are None.

    Raises: OverrideError.
    """
    merged: JsonValue = source
    for content in files:
        if content is not None:
            merged = _merge_file(merged, content)
    decoded: Json = _decode(SOURCE, source, merged, "")
    kept = {key: source[key] for key in _RESET if key in source}
    return {**{key: value for key, value in decoded.items() if key not in _RESET}, **kept}


def _merge_file(source: JsonValue, content: bytes) -> JsonValue:
    try:
        patch = yaml_text.load(content.decode("utf-8"))
    except (yaml_text.YAMLTextError, UnicodeDecodeError) as error:
        raise OverrideError(f"error while parsing source parameters: {error}") from error
    return source if patch is None else merge(source, patch)


def _decode(node: Node, current: JsonValue, data: JsonValue, path: str) -> JsonValue:
    """Put JSON data over a current value, the way Go fills a struct that is not empty."""
    match node:
        case _ if data is None:
            return current
        case Struct():
            return _decode_struct(node, current, data, path)
        case ListOf():
            return _decode_list(node, current, data, path)
        case MapOf():
            return _decode_map(node, current, data, path)
        case Scalar():
            return _decode_scalar(node, data, path)
        case Anything():
            return data


def _decode_struct(node: Struct, current: JsonValue, data: JsonValue, path: str) -> JsonValue:
    _expect(isinstance(data, dict), data, "an object", path)
    filled = dict(current) if isinstance(current, dict) else {}
    spellings = {name.lower(): name for name in node.fields}
    for key, value in data.items():
        name = spellings.get(str(key).lower())  # unknown keys are ignored
        if name is not None:
            found = _decode(node.fields[name], filled.get(name), value, f"{path}.{name}")
            if found is not None:
                filled[name] = found
    return filled


def _decode_list(node: ListOf, current: JsonValue, data: JsonValue, path: str) -> JsonValue:
    _expect(isinstance(data, list), data, "a list", path)
    old = current if isinstance(current, list) else []
    inherited = [*old, *([None] * len(data))]
    return [
        _decode(node.item, before, item, f"{path}[{index}]")
        for index, (before, item) in enumerate(zip(inherited, data, strict=False))
    ]


def _decode_map(node: MapOf, current: JsonValue, data: JsonValue, path: str) -> JsonValue:
    _expect(isinstance(data, dict), data, "an object", path)
    old = current if isinstance(current, dict) else {}
    new = {key: _decode(node.item, None, item, f"{path}.{key}") for key, item in data.items()}
    return {**old, **new}


def _decode_scalar(node: Scalar, data: JsonValue, path: str) -> JsonValue:
    is_boolean_for_integer = isinstance(data, bool) and bool not in node.types
    fits = isinstance(data, node.types) and not is_boolean_for_integer
    _expect(fits, data, node.name, path)
    return data


def _expect(fits: bool, data: JsonValue, wanted: str, path: str) -> None:  # noqa: FBT001  an assertion
    if not fits:
        shown = json.dumps(data, default=str)[:40]
        raise OverrideError(
            f"error while parsing source parameters: json: cannot unmarshal {shown}"
            f" into field {path.lstrip('.')} of type {wanted}"
        )
