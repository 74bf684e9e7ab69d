"""One entry of registries.conf: its keys, their types and their grammar (specification 1.3)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from updater.configuration import credentials, durations, untrusted
from updater.configuration.findings import SettingError, printable

Scalar = TypeVar("Scalar", str, bool, int)
Checked = TypeVar("Checked")

_TYPES: Mapping[str, type[str | bool | int]] = {
    "name": str,
    "api_url": str,
    "prefix": str,
    "ping": bool,
    "credentials": str,
    "credsexpire": str,
    "tagsortmode": str,
    "insecure": bool,
    "ca_file": str,
    "ca_data": str,
    "defaultns": str,
    "limit": int,
    "default": bool,
}
_WORDS = {str: "a text", bool: "true or false", int: "a whole number"}
# Go's YAML reader still takes the words of YAML 1.1 where it expects a boolean.
_OLD_BOOLEANS = {"y": True, "yes": True, "on": True, "n": False, "no": False, "off": False}
_SORT_MODES = {"latest-first": "latest-first", "latest-last": "latest-last", "none": "", "": ""}
_NAMESPACE = re.compile(r"([a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*)?")
_MAX_LIMIT = 10_000


class RegistryValueError(SettingError):
    """One value of an entry that cannot be."""

    code = "REGISTRY_VALUE"


@dataclass(frozen=True, slots=True)
class RegistryEntry:
    """One entry, checked; `ca_pem` also holds what `ca_file` named once the file was read."""

    name: str
    api_url: str
    prefix: str
    credentials: str | None = None  # literal
    credentials_expire_seconds: float | None = None
    sort_mode: str = ""
    insecure: bool = False
    ca_file: str = ""
    ca_pem: str | None = None
    default_namespace: str = ""
    limit: float = 0.0  # 0: not configured
    is_default: bool = False


class EntryReader:
    """Reads one entry; what is wrong with it goes to the shared list, a sentence each."""

    def __init__(self, place: str, document: Mapping[str, object], faults: list[str]) -> None:
        name = document.get("name")
        self._place = f"{place} ({name})" if isinstance(name, str) else place
        self._document = {key: _modern(key, value) for key, value in document.items()}
        self._faults = faults

    def read(self) -> RegistryEntry:
        """Return the entry; not to be used when anything was found wrong."""
        self._check_keys()
        return RegistryEntry(
            name=self._checked("name", str, _required, ""),
            api_url=self._checked("api_url", str, parse_api_url, ""),
            prefix=self._value("prefix", str),
            credentials=self._checked("credentials", str, _credentials, None),
            credentials_expire_seconds=self._checked(
                "credsexpire", str, durations.parse_seconds, None
            ),
            sort_mode=self._checked("tagsortmode", str, _sort_mode, ""),
            insecure=self._value("insecure", bool),
            ca_file=self._value("ca_file", str),
            ca_pem=self._checked("ca_data", str, check_certificates, "") or None,
            default_namespace=self._checked("defaultns", str, _namespace, ""),
            limit=self._checked("limit", int, _limit, 0.0),
            is_default=self._value("default", bool),
        )

    def _check_keys(self) -> None:
        for key, value in self._document.items():
            if key not in _TYPES:
                self._fault(f"{printable(key)!r} is not known: use one of {', '.join(_TYPES)}.")
            elif value is not None and type(value) is not _TYPES[key]:
                self._fault(
                    f"{key} must be {_WORDS[_TYPES[key]]}, not {printable(untrusted.shown(value))!r}."
                )

    def _value(self, key: str, kind: type[Scalar]) -> Scalar:
        value = self._document.get(key)
        return value if isinstance(value, kind) else kind()

    def _checked(
        self, key: str, kind: type[Scalar], check: Callable[[Scalar], Checked], otherwise: Checked
    ) -> Checked:
        value = self._value(key, kind)
        try:
            return check(value)
        except SettingError as error:
            self._fault(f"{key} {printable(untrusted.shown(value))!r}: {error}")
            return otherwise

    def _fault(self, sentence: str) -> None:
        self._faults.append(f"{self._place}: {sentence}")


def parse_api_url(text: str) -> str:
    """Return the base URL of a registry without its trailing slash."""
    url = _split(text)
    is_plain = url is not None and not (url.query or url.fragment or url.username or url.password)
    if url is None or url.scheme not in ("http", "https") or not url.hostname or not is_plain:
        raise RegistryValueError(
            "Write the base URL of the registry's API, like https://registry.example.com, "
            "without user, query or fragment."
        )
    return text.rstrip("/")


def check_certificates(text: str) -> str:
    """Return the text if it is empty or holds PEM certificates."""
    if text and "-----BEGIN CERTIFICATE-----" not in text:
        raise RegistryValueError("It holds no PEM certificate.")
    return text


def _split(text: str) -> SplitResult | None:
    if not text.isascii() or not text.isprintable() or " " in text:
        return None
    try:
        url = urlsplit(text)
        _ = url.port  # read here because a bad port raises only when it is asked for
    except ValueError:
        return None
    return url


def _modern(key: str, value: object) -> object:
    if _TYPES.get(key) is bool and isinstance(value, str):
        return _OLD_BOOLEANS.get(value.lower(), value)
    return value


def _required(text: str) -> str:
    if not text:
        raise RegistryValueError("It is required.")
    return text


def _credentials(text: str) -> str | None:
    if text:
        credentials.parse(text)
    return text or None


def _sort_mode(text: str) -> str:
    if text.lower() not in _SORT_MODES:
        raise RegistryValueError("Use latest-first, latest-last or none.")
    return _SORT_MODES[text.lower()]


def _namespace(text: str) -> str:
    if not _NAMESPACE.fullmatch(text):
        raise RegistryValueError("Use a repository prefix like library.")
    return text


def _limit(requests: int) -> float:
    if not 0 <= requests <= _MAX_LIMIT:
        raise RegistryValueError(f"Use 0 to {_MAX_LIMIT} requests a second.")
    return float(requests)
