"""Helm values without a template engine: merging, `--set`, and the images that a chart's values name; pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from onebox.world.cluster.documents import Json, JsonValue

_STEP = re.compile(r"((?:\\.|[^.\\\[])*)((?:\[\d+\])*)(?:\.|$)")


@dataclass(frozen=True, slots=True)
class Workload:
    """One image a chart runs: where in the values it stands, and how many pods."""

    path: tuple[str, ...]
    image: str
    replicas: int


def overlay(base: JsonValue, top: JsonValue) -> JsonValue:
    """Return Helm values with others on top; a null takes a key away."""
    if not isinstance(base, dict) or not isinstance(top, dict):
        return top
    merged = {key: value for key, value in base.items() if top.get(key, "") is not None}
    for key, value in top.items():
        if value is not None:
            merged[key] = overlay(base.get(key), value)
    return merged


def set_parameters(values: Json, parameters: Sequence[Json]) -> Json:
    """Return the values with `--set` and then `--set-string` parameters; the last of a name wins."""
    for forces_text in (False, True):
        chosen = {
            item.get("name", ""): item.get("value", "")
            for item in parameters
            if bool(item.get("forceString")) is forces_text
        }
        for name, value in chosen.items():
            values = _set(values, _steps(name), value if forces_text else _typed(value))
    return values


def text(value: JsonValue) -> str:
    """Return a value as a Go template prints it: a large number from a file becomes 1.234567e+06."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, _SetNumber) or not isinstance(value, int | float):
        return str(value)
    mantissa, _, exponent = f"{float(value):.17e}".partition("e")
    if -5 < int(exponent) < 6:
        return repr(float(value)).removesuffix(".0")
    shortest = repr(float(mantissa)).removesuffix(".0")
    return f"{shortest}e{int(exponent):+03d}"


def workloads(values: JsonValue, path: tuple[str, ...] = ()) -> Iterator[Workload]:
    """Yield the images the values name: `image` with `tag`, or `repository` with `tag`, at any depth."""
    if not isinstance(values, dict):
        return
    image = _image(values)
    if image:
        place = path[:-1] if path and path[-1] == "image" else path
        count = _count(values)
        yield Workload(place, image, 1 if count is None else count)
        return
    count = _count(values)
    for key, value in values.items():
        for found in workloads(value, (*path, str(key))):
            if count is not None and found.path == path:
                yield replace(found, replicas=count)
            else:
                yield found


class _SetNumber(int):
    """A number from `--set`: Helm keeps it whole, unlike one from a file."""


def _typed(value: str) -> JsonValue:
    if value in ("true", "false"):
        return value == "true"
    if value == "null":
        return None
    if re.fullmatch(r"0|-?[1-9]\d{0,17}", value):
        return _SetNumber(value)
    return value


def _steps(name: str) -> list[str | int]:
    steps: list[str | int] = []
    for found in _STEP.finditer(name):
        if found.group(0):
            steps.append(re.sub(r"\\(.)", r"\1", found.group(1)))
            steps += [int(index) for index in re.findall(r"\d+", found.group(2))]
    return steps


def _set(container: JsonValue, steps: Sequence[str | int], value: JsonValue) -> JsonValue:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        items = list(container) if isinstance(container, list) else []
        items += [None] * (step + 1 - len(items))
        items[step] = _set(items[step], rest, value)
        return items
    filled = dict(container) if isinstance(container, dict) else {}
    filled[step] = _set(filled.get(step), rest, value)
    return filled


def _image(values: Json) -> str:
    name = values.get("image", values.get("repository"))
    if not isinstance(name, str) or not name:
        return ""
    registry = values.get("registry")
    full = f"{registry}/{name}" if isinstance(registry, str) and registry else name
    tag, digest = values.get("tag"), values.get("digest")
    if tag not in (None, ""):
        full = f"{full}:{text(tag)}"
    if isinstance(digest, str) and digest:
        full = f"{full}@{digest}"
    return full if "repository" not in values or full != name else ""


def _count(values: Json) -> int | None:
    counts = (values.get(key) for key in ("replicas", "replicaCount"))
    return next((n for n in counts if isinstance(n, int) and not isinstance(n, bool)), None)
