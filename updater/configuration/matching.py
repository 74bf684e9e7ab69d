"""Which application reference of an ImageUpdater resource holds for an Application (specification 1.2)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updater import patterns
from updater.configuration import untrusted
from updater.configuration.manifest import Manifest
from updater.errors import PermanentError

_BRACKETS = re.compile(r"\[[^\]]*\]")


class SelectionError(PermanentError):
    """A pattern or selector of a resource is malformed: all of its references are void."""

    code = "BAD_SELECTION"


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of `spec.applicationRefs` and the resource it stands in."""

    resource: str  # namespace/name
    spec: object
    index: int
    document: object

    @property
    def pattern(self) -> str:
        """The glob the Application's name is matched with."""
        return untrusted.text(self.document, "namePattern")

    @property
    def uses_annotations(self) -> bool:
        """Whether the Application's annotations are read in place of the resource's images."""
        return untrusted.find(self.document, "useAnnotations") is True

    @property
    def place(self) -> str:
        """Where the entry stands, for messages."""
        return f"ImageUpdater {self.resource}: spec.applicationRefs[{self.index}]"


def name_of(resource: object) -> str:
    """Return `namespace/name` of an ImageUpdater resource."""
    metadata = untrusted.mapping(resource, "metadata")
    return f"{untrusted.text(metadata, 'namespace')}/{untrusted.text(metadata, 'name')}"


def matching(resource: object, manifest: Manifest) -> list[Reference]:
    """Return the references that select the Application, the most specific first.

    Raises:
        SelectionError: it would select the Application, but one of its patterns is malformed.
    """
    if untrusted.text(resource, "metadata", "namespace") != manifest.namespace:
        return []
    spec = untrusted.mapping(resource, "spec")
    references = [
        Reference(name_of(resource), spec, index, document)
        for index, document in enumerate(untrusted.items(spec, "applicationRefs"))
    ]
    found, faults = _sorted_out(references, manifest)
    if found and faults:
        raise SelectionError(faults[0])
    return sorted(found, key=_score, reverse=True)


def selects(resource: object, manifest: Manifest) -> bool:
    """Whether the resource is for the Application, however well it can be read."""
    try:
        return bool(matching(resource, manifest))
    except SelectionError:
        return True


def score(*, pattern: str, selector: object) -> int:
    """Return how specific a reference is: an exact name, then literal characters, then the selector."""
    is_exact = not set(pattern) & set("*?[]")
    literals = _BRACKETS.sub("", pattern).replace("*", "").replace("?", "")
    labels = len(untrusted.mapping(selector, "matchLabels"))
    expressions = len(untrusted.items(selector, "matchExpressions"))
    has_selector = isinstance(selector, Mapping)
    return (
        1_000_000 * is_exact + len(literals) + 10_000 * has_selector + 100 * (labels + expressions)
    )


def _score(reference: Reference) -> int:
    selector = untrusted.find(reference.document, "labelSelectors")
    return score(pattern=reference.pattern, selector=selector)


def _sorted_out(
    references: Sequence[Reference], manifest: Manifest
) -> tuple[list[Reference], list[str]]:
    found, faults = [], []
    for reference in references:
        try:
            if _is_selected(reference, manifest):
                found.append(reference)
        except PermanentError as error:
            faults.append(f"{reference.place} is malformed: {error}")
    return found, faults


def _is_selected(reference: Reference, manifest: Manifest) -> bool:
    selector = untrusted.find(reference.document, "labelSelectors")
    return patterns.go_match(reference.pattern, manifest.name) and _has_labels(
        selector, manifest.labels
    )


def _has_labels(selector: object, labels: Mapping[str, str]) -> bool:
    wanted = untrusted.mapping(selector, "matchLabels")
    expressions = untrusted.items(selector, "matchExpressions")
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(expression, labels) for expression in expressions
    )


def _holds(expression: object, labels: Mapping[str, str]) -> bool:
    key, values = untrusted.text(expression, "key"), untrusted.items(expression, "values")
    match untrusted.text(expression, "operator"):
        case "In":
            return labels.get(key) in values and key in labels
        case "NotIn":
            return labels.get(key) not in values or key not in labels
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise SelectionError("a label selector's operator is In, NotIn, Exists or DoesNotExist.")
