"""Label and field selectors of lists and watches; pure."""

import re
from collections.abc import Callable

from onebox.world.cluster.documents import Json, JsonValue
from onebox.world.cluster.resources import Resource
from onebox.world.cluster.statuses import bad_request

Matcher = Callable[[Json], bool]

_SET_TERM = re.compile(r"([^\s!=,()]+)\s+(in|notin)\s+\(([^()]*)\)")
_EQUALITY_TERM = re.compile(r"([^\s!=,()]+)\s*(==|!=|=)\s*([^\s!=,()]*)")
_EXISTENCE_TERM = re.compile(r"(!?)\s*([^\s!=,()]+)")
_FIELDS = {
    "secrets": ("type",),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "reason",
        "type",
    ),
}


def matcher(resource: Resource, labels: str, fields: str) -> Matcher:
    """Return a test for both selectors; an empty text matches everything."""
    tests = [_label_test(term) for term in _split(labels)]
    tests += [_field_test(resource, term) for term in _split(fields)]
    return lambda manifest: all(test(manifest) for test in tests)


def _split(text: str) -> list[str]:
    terms = re.split(r",(?![^()]*\))", text)
    return [term.strip() for term in terms if term.strip()]


def _labels(manifest: Json) -> Json:
    labels: Json = manifest["metadata"].get("labels", {})
    return labels


def _label_test(term: str) -> Matcher:
    if found := _SET_TERM.fullmatch(term):
        key, operator, values = found.groups()
        wanted = {value.strip() for value in values.split(",")}
        is_in: Matcher = lambda manifest: _labels(manifest).get(key) in wanted  # noqa: E731  a closure over the term
        return is_in if operator == "in" else lambda manifest: not is_in(manifest)
    if found := _EQUALITY_TERM.fullmatch(term):
        key, operator, value = found.groups()
        return lambda manifest: (_labels(manifest).get(key) == value) == (operator != "!=")
    if found := _EXISTENCE_TERM.fullmatch(term):
        negation, key = found.groups()
        return lambda manifest: (key in _labels(manifest)) != bool(negation)
    raise bad_request(f"unable to parse requirement: {term!r}")


def _field_test(resource: Resource, term: str) -> Matcher:
    found = _EQUALITY_TERM.fullmatch(term)
    supported = ("metadata.name", "metadata.namespace", *_FIELDS.get(resource.plural, ()))
    if found is None or found.group(1) not in supported:
        raise bad_request(f"field label not supported: {term!r}")
    path, operator, value = found.groups()
    return lambda manifest: (_value_at(manifest, path) == value) == (operator != "!=")


def _value_at(manifest: JsonValue, path: str) -> str:
    for key in path.split("."):
        manifest = manifest.get(key, "") if isinstance(manifest, dict) else ""
    return str(manifest)
