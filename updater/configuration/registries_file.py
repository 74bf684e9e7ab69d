"""The text of registries.conf as a whole: strict, and everything wrong is named at once (1.3)."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from updater.configuration import untrusted, yaml_text
from updater.configuration.registry_entry import (
    EntryReader,
    RegistryEntry,
    RegistryValueError,
    check_certificates,
)
from updater.errors import PermanentError

ReadFile: TypeAlias = Callable[[str], str]

_CA_DIRECTORY = "/app/config/tls"


class RegistriesConfigurationError(PermanentError):
    """registries.conf cannot be used; the message lists everything that is wrong."""

    code = "registries_configuration"


def parse(text: str, *, exact: bool = False) -> tuple[RegistryEntry, ...]:
    """Return the entries in their order.

    Raises:
        RegistriesConfigurationError: anything is wrong.
    """
    try:
        document = yaml_text.load_one(text)
    except yaml_text.YAMLTextError as error:
        raise RegistriesConfigurationError(f"registries.conf: {error}") from error
    faults: list[str] = []
    documents = _entry_documents(document, faults)
    entries = [EntryReader(place, item, faults).read() for place, item in documents]
    _check_together(entries, faults, exact=exact)
    if faults:
        raise RegistriesConfigurationError("registries.conf: " + " ".join(faults))
    return tuple(entries)


def certificates(entry: RegistryEntry, *, host: str, read_file: ReadFile) -> str | None:
    """Return an entry's extra CA certificates: `ca_data`, and `ca_file` or the file named after the host.

    Raises:
        RegistriesConfigurationError: a named file does not exist, or holds no certificate.
    """
    if entry.insecure:
        return None
    path = entry.ca_file or f"{_CA_DIRECTORY}/{host}"
    try:
        found = check_certificates(read_file(path))
    except FileNotFoundError as error:
        if entry.ca_file:
            raise _ca_fault(entry, path, "The file does not exist.") from error
        found = ""  # the file named after the host is there only where it is needed
    except (OSError, ValueError, RegistryValueError) as error:
        raise _ca_fault(entry, path, str(error)) from error
    return "\n".join(part for part in (found, entry.ca_pem) if part) or None


def _ca_fault(entry: RegistryEntry, path: str, message: str) -> RegistriesConfigurationError:
    return RegistriesConfigurationError(f"registries.conf: {entry.name}: ca_file {path}: {message}")


def _entry_documents(document: object, faults: list[str]) -> list[tuple[str, dict[str, object]]]:
    if document is None:
        return []
    if not isinstance(document, Mapping):
        faults.append("It must hold the key registries.")
        return []
    faults += [
        f"{untrusted.shown(key)!r} is not known: use registries."
        for key in document
        if key != "registries"
    ]
    listed = document.get("registries")
    if not isinstance(listed, list | None):
        faults.append("registries must be a list.")
        return []
    return _mappings(listed or [], faults)


def _mappings(listed: list[object], faults: list[str]) -> list[tuple[str, dict[str, object]]]:
    found = []
    for index, item in enumerate(listed):
        place = f"registries[{index}]"
        if isinstance(item, Mapping):
            found.append((place, {untrusted.shown(key): value for key, value in item.items()}))
        else:
            faults.append(f"{place} must be a mapping.")
    return found


def _check_together(entries: list[RegistryEntry], faults: list[str], *, exact: bool) -> None:
    defaults = [entry.name for entry in entries if entry.is_default]
    if len(defaults) > 1:
        faults.append(f"Only one entry may be the default, not {' and '.join(defaults)}.")
    prefixes = [entry.prefix for entry in entries]
    twice = sorted({prefix for prefix in prefixes if prefixes.count(prefix) > 1})
    # Upstream lets the last of two equal prefixes win; only two empty ones are an error there.
    faults += [
        f"The prefix {prefix!r} is used twice." for prefix in twice if not (exact and prefix)
    ]
