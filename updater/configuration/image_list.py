"""The `image-list` annotation, entry by entry: a bad entry is a finding, the good ones still work."""

from updater import images
from updater.configuration.findings import Findings, printable
from updater.configuration.written import Setting
from updater.images import Entry

MAX_IMAGES = 50
_NOTHING_AFTER_ALIAS = "An alias and an equals sign need an image after them."


def is_empty(listed: Setting, findings: Findings) -> bool:
    """Tell, with a warning, whether the list names nothing: the Application is not managed then."""
    if _texts(listed) or listed.fault:
        return False
    message = "The list names no image: write [alias=]image[:constraint], separated by commas."
    findings.warn(listed, code="NO_IMAGES", message=message)
    return True


def entries(listed: Setting, findings: Findings, *, exact: bool) -> list[Entry]:
    """Return the readable entries in their order, each key once."""
    texts = _texts(listed)
    if listed.fault:
        findings.refuse(listed, code="BAD_TYPE", message=listed.fault)
        return []
    if len(texts) > MAX_IMAGES:
        message = f"An Application may have {MAX_IMAGES} images, not {len(texts)}: split it."
        findings.refuse(listed, code="TOO_MANY_IMAGES", message=message)
        return []
    found = [_entry(Setting(listed.key, text), findings, exact=exact) for text in texts]
    return unique(listed.key, [entry for entry in found if entry], findings)


def read_entry(
    setting: Setting, text: str, findings: Findings, *, alias: str, exact: bool
) -> Entry | None:
    """Return one entry, or None with a finding."""
    try:
        entry = images.parse_entry(text, exact=exact)
    except images.ImageReferenceError as error:
        findings.refuse(setting, code="BAD_IMAGE", message=str(error), alias=alias)
        return None
    # Problems go by the printable key, so only such a key can be told from the others.
    if printable(name := entry.alias or entry.reference.repository) != name:
        message = "An alias holds printable characters, at most 200."
        findings.refuse(setting, code="BAD_IMAGE", message=message, alias=alias)
        return None
    return entry


def unique(key: str, found: list[Entry], findings: Findings) -> list[Entry]:
    """Return each image once; one that is listed twice cannot be used, because settings go by its key."""
    first: dict[str, Entry] = {}
    twice: set[str] = set()
    for entry in found:
        name = entry.alias or entry.reference.repository
        if first.setdefault(name, entry) is not entry:
            twice.add(name)
    for name in (name for name in first if name in twice):
        message = "Two entries have this name: give each image an alias of its own."
        findings.refuse(Setting(key, name), code="BAD_IMAGE", message=message, alias=name)
    return list(first.values())


def literal(entry: Entry) -> str:
    """Return the entry as text, for messages."""
    alias = f"{entry.alias}=" if entry.alias else ""
    constraint = f":{entry.constraint}" if entry.constraint else ""
    return f"{alias}{images.full_name(entry.reference)}{constraint}"


def _texts(listed: Setting) -> list[str]:
    return [text for part in listed.text.split(",") if (text := _trimmed(part))]


def _trimmed(part: str) -> str:
    before, equals, after = part.partition("=")
    return f"{before.strip()}{equals}{after.strip()}"


def _entry(setting: Setting, findings: Findings, *, exact: bool) -> Entry | None:
    alias, equals, image = setting.text.partition("=")
    if equals and not image:
        # Upstream gives up on the whole Application here.
        whose = None if exact else alias
        findings.refuse(setting, code="BAD_IMAGE", message=_NOTHING_AFTER_ALIAS, alias=whose)
        return None
    return read_entry(setting, setting.text, findings, alias=alias, exact=exact)
