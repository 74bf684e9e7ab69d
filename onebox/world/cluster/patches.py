"""JSON merge patch (RFC 7396) and JSON patch (RFC 6902) on plain JSON values; pure."""

from collections.abc import Sequence

from onebox.world.cluster.documents import Json, JsonValue


class PatchError(ValueError):
    """A patch that cannot be applied; `is_malformed` when it is no patch at all."""

    def __init__(self, message: str, *, is_malformed: bool = False) -> None:
        super().__init__(message)
        self.is_malformed = is_malformed


def merge(target: JsonValue, patch: JsonValue) -> JsonValue:
    """Return the target with a merge patch applied; neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def difference(before: Json, after: Json) -> Json:
    """Return the merge patch that turns `before` into `after`."""
    patch: Json = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            inner = difference(old, value)
            if inner:
                patch[key] = inner
        elif key not in before or old != value:
            patch[key] = value
    return patch


def apply_operations(target: JsonValue, operations: Sequence[JsonValue]) -> JsonValue:
    """Return the target with a JSON patch applied, all operations or none."""
    document: JsonValue = {"": target}
    for operation in operations:
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise PatchError("a JSON patch is a list of operations", is_malformed=True)
        document = _apply_one(document, operation)
    return document[""]


def _apply_one(document: JsonValue, operation: Json) -> JsonValue:
    path = _tokens(operation["path"])
    match operation.get("op"):
        case "test":
            if _get(document, path) != operation.get("value"):
                raise PatchError(f"testing value {operation['path']} failed: test failed")
            return document
        case "add":
            return _set(document, path, operation.get("value"), is_insert=True)
        case "replace":
            _get(document, path)
            return _set(document, path, operation.get("value"), is_insert=False)
        case "remove":
            return _remove(document, _below_root(path))
        case "move" | "copy":
            return _transfer(document, path, operation)
    raise PatchError(f"unexpected operation {operation.get('op')!r}", is_malformed=True)


def _transfer(document: JsonValue, path: list[str], operation: Json) -> JsonValue:
    origin = _tokens(str(operation.get("from", "")))
    value = _get(document, origin)
    if operation["op"] == "move":
        document = _remove(document, _below_root(origin))
    return _set(document, path, value, is_insert=True)


def _tokens(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise PatchError(f"not a JSON pointer: {pointer!r}", is_malformed=True)
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]


def _below_root(path: list[str]) -> list[str]:
    if len(path) == 1:
        raise PatchError("the whole document cannot be removed")
    return path


def _index(items: Sequence[JsonValue], token: str, *, may_append: bool) -> int:
    if token == "-" and may_append:  # noqa: S105  RFC 6902: the place after the last item
        return len(items)
    limit = len(items) + 1 if may_append else len(items)
    if not token.isdecimal() or int(token) >= limit:
        raise PatchError(f"no list item {token}")
    return int(token)


def _get(value: JsonValue, path: Sequence[str]) -> JsonValue:
    for token in path:
        if isinstance(value, list):
            value = value[_index(value, token, may_append=False)]
        elif isinstance(value, dict) and token in value:
            value = value[token]
        else:
            raise PatchError(f"the path does not exist: {'/'.join(path)}")
    return value


def _set(
    container: JsonValue, path: Sequence[str], value: JsonValue, *, is_insert: bool
) -> JsonValue:
    token, rest = path[0], path[1:]
    if rest:
        inner = _set(_get(container, [token]), rest, value, is_insert=is_insert)
        return _with_item(container, token, inner)
    if isinstance(container, list) and is_insert:
        index = _index(container, token, may_append=True)
        return [*container[:index], value, *container[index:]]
    return _with_item(container, token, value)


def _with_item(container: JsonValue, token: str, value: JsonValue) -> JsonValue:
    if isinstance(container, dict):
        return {**container, token: value}
    if isinstance(container, list):
        index = _index(container, token, may_append=False)
        return [*container[:index], value, *container[index + 1 :]]
    raise PatchError(f"the path does not exist: {token}")


def _remove(container: JsonValue, path: Sequence[str]) -> JsonValue:
    token, rest = path[0], path[1:]
    child = _get(container, [token])
    if rest:
        return _with_item(container, token, _remove(child, rest))
    if isinstance(container, dict):
        return {key: value for key, value in container.items() if key != token}
    index = int(token)
    return [*container[:index], *container[index + 1 :]]
