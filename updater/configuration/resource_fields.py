"""Typed fields of an ImageUpdater resource as settings; null and absent are the same, as in the cluster."""

from collections.abc import Callable

from updater.configuration import untrusted
from updater.configuration.written import Setting


def text(place: str, document: object, name: str) -> Setting | None:
    """Return a text field."""
    return _field(place, document, name, lambda value: isinstance(value, str), "must be a text")


def boolean(place: str, document: object, name: str) -> Setting | None:
    """Return a boolean field, spelled as an annotation would spell it."""
    found = _field(
        place, document, name, lambda value: isinstance(value, bool), "must be true or false"
    )
    return Setting(found.key, found.text.lower(), fault=found.fault) if found else None


def texts(place: str, document: object, name: str) -> Setting | None:
    """Return a list of texts."""
    found = _field(place, document, name, _is_texts, "must be a list of texts")
    if found is None or found.fault:
        return found
    items = tuple(str(item) for item in untrusted.items(document, name))
    return Setting(found.key, ", ".join(items), items)


def _field(
    place: str, document: object, name: str, is_fit: Callable[[object], bool], fault: str
) -> Setting | None:
    value = untrusted.find(document, name)
    if value is None:
        return None
    problem = "" if is_fit(value) else f"This field {fault}."
    return Setting(f"{place}.{name}", untrusted.shown(value), fault=problem)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
