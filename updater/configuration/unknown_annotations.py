"""Warns of annotations that do nothing, because people invent keys; each warning names the mend."""

import difflib
from collections.abc import Collection, Mapping
from itertools import islice

from updater.configuration import untrusted
from updater.configuration.annotation_keys import (
    APPLICATION_KEYS,
    APPLICATION_ONLY,
    IMAGE_KEYS,
    IMAGE_LIST,
    IMAGE_ONLY,
    OWN_KEYS,
    OWN_PREFIX,
    PREFIX,
)
from updater.configuration.findings import Findings
from updater.configuration.written import Setting

_MAX_WARNINGS = 20
_MAX_COMPARED = 100  # characters; a longer key is no slip of the pen


def report(annotations: Mapping[str, object], aliases: Collection[str], findings: Findings) -> None:
    """Warn of each key under our prefixes that nothing reads."""
    spellings = {alias for alias in aliases if alias}
    spellings |= {alias.replace("/", "_") for alias in spellings}
    mends = ((key, _mend(key, spellings)) for key in annotations)
    for key, mend in islice(((key, mend) for key, mend in mends if mend), _MAX_WARNINGS):
        setting = Setting(key, untrusted.shown(annotations[key]))
        findings.warn(setting, code="UNKNOWN_KEY", message=f"This key does nothing. {mend}")


def report_unlisted(annotations: Mapping[str, object], findings: Findings) -> None:
    """Warn once when there are settings and no image list."""
    for key in annotations:
        if key.startswith(PREFIX):
            message = f"Nothing is managed: the annotation {IMAGE_LIST} is missing."
            findings.warn(
                Setting(key, untrusted.shown(annotations[key])), code="NO_IMAGES", message=message
            )
            return


def _mend(key: str, aliases: Collection[str]) -> str | None:
    """Return what to write in place of the key, None for a key that is read or is not ours."""
    if key.startswith(OWN_PREFIX) and key not in OWN_KEYS:
        return f"Known: {', '.join(OWN_KEYS)}."
    name = key.removeprefix(PREFIX)
    if name == key or name in APPLICATION_KEYS:
        return None
    for setting in (*IMAGE_KEYS, *APPLICATION_ONLY, "image-list"):
        if name.endswith(f".{setting}"):
            return _misplaced(name.removesuffix(f".{setting}"), setting, aliases)
    return _invented(name)


def _misplaced(alias: str, setting: str, aliases: Collection[str]) -> str | None:
    if setting not in IMAGE_KEYS:
        return f"It holds for the whole Application: write {setting} without an alias."
    if alias in aliases:
        return None
    return f"No entry of image-list has the alias {alias[:_MAX_COMPARED]}: add it there."


def _invented(name: str) -> str:
    last = name.rpartition(".")[2][:_MAX_COMPARED]
    if name in IMAGE_ONLY:
        return f"It needs an alias: write <alias>.{name}."
    if last == "image-pull-secret":
        return "Write pull-secret."
    if "interval" in last:
        return "All Applications are checked at the same interval."
    if name.endswith("helm.values"):
        return "Write write-back-target: helmvalues:<file>, and helm.image-name and helm.image-tag."
    return _close(name)


def _close(name: str) -> str:
    known = sorted({*APPLICATION_KEYS, *IMAGE_KEYS})
    words = [name[:_MAX_COMPARED], name.partition(".")[2][:_MAX_COMPARED]]
    close = [match for word in words for match in difflib.get_close_matches(word, known, n=1)]
    return f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}."
