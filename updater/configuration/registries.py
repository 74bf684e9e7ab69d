"""Which registry serves an image: registries.conf, the built-in Docker Hub, or the host itself (2.2).

By default a prefix ends at a slash, names without a registry go to the entry for docker.io, and a
configured registry without a limit gets 20 requests a second; `exact` follows upstream in all three.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from updater import images
from updater.configuration import registries_file
from updater.configuration.registries_file import ReadFile, RegistriesConfigurationError
from updater.configuration.registry_entry import RegistryEntry
from updater.images import ImageReference

__all__ = ["Endpoint", "Registries", "RegistriesConfigurationError", "RegistryEntry", "load"]

_DEFAULT_LIMIT = 20.0  # requests a second
_DOCKER_HUB = "docker.io"
_DOCKER_HUB_APIS = frozenset(["docker.io", "index.docker.io", "registry-1.docker.io"])
_BUILT_IN = RegistryEntry(
    name="Docker Hub",
    api_url="https://registry-1.docker.io",
    prefix=_DOCKER_HUB,
    default_namespace="library",
    limit=10.0,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registry as the client needs it; without a limit (None) nothing slows it down."""

    prefix: str
    api_url: str
    host: str  # name or name:port
    credentials: str | None = None  # literal, valid credential reference
    credentials_expire_seconds: float | None = None  # None: never
    sort_mode: str = ""  # "", "latest-first", "latest-last"
    insecure: bool = False
    ca_pem: str | None = None
    default_namespace: str = ""
    limit_per_second: float | None = _DEFAULT_LIMIT
    inferred: bool = False

    def repository_path(self, reference: ImageReference) -> str:
        """Return the repository as the API wants it, with the default namespace if it needs one."""
        if self.default_namespace and "/" not in reference.repository:
            return f"{self.default_namespace}/{reference.repository}"
        return reference.repository


@dataclass(frozen=True, slots=True)
class Registries:
    """All known registries."""

    entries: tuple[RegistryEntry, ...] = ()
    exact: bool = False

    def endpoint(self, reference: ImageReference) -> Endpoint:
        """Return the registry that serves this image."""
        if not reference.registry:
            return self._endpoint(self._default())
        entry = self._named(reference.registry) or self._longest_prefix(reference)
        return self._endpoint(entry) if entry else _inferred(reference.registry)

    def _default(self) -> RegistryEntry:
        chosen = next((entry for entry in self.entries if entry.is_default), None)
        # Upstream keeps Docker Hub twice, so credentials for docker.io never reach plain "nginx".
        configured = None if self.exact else self._named(_DOCKER_HUB)
        return chosen or configured or _BUILT_IN

    def _table(self) -> Sequence[RegistryEntry]:
        is_replaced = any(entry.prefix == _DOCKER_HUB for entry in self.entries)
        return self.entries if is_replaced else (_BUILT_IN, *self.entries)

    def _named(self, registry: str) -> RegistryEntry | None:
        # The last one wins in upstream's table; by default no prefix is there twice.
        return next((entry for entry in reversed(self._table()) if entry.prefix == registry), None)

    def _longest_prefix(self, reference: ImageReference) -> RegistryEntry | None:
        name = images.full_name(reference)
        matching = [entry for entry in self._table() if self._serves(entry.prefix, name)]
        return max(matching, key=lambda entry: len(entry.prefix), default=None)

    def _serves(self, prefix: str, name: str) -> bool:
        if self.exact or not prefix:
            return name.startswith(prefix)
        return name == prefix or name.startswith(f"{prefix.rstrip('/')}/")

    def _endpoint(self, entry: RegistryEntry) -> Endpoint:
        return Endpoint(
            prefix=entry.prefix,
            api_url=entry.api_url,
            host=_host(entry.api_url),
            credentials=entry.credentials,
            credentials_expire_seconds=entry.credentials_expire_seconds,
            sort_mode=entry.sort_mode,
            insecure=entry.insecure,
            ca_pem=entry.ca_pem,
            default_namespace=self._namespace(entry),
            limit_per_second=entry.limit or (None if self.exact else _DEFAULT_LIMIT),
        )

    def _namespace(self, entry: RegistryEntry) -> str:
        # Docker Hub has no one-component repositories: without "library" none could be found.
        is_docker_hub = _host(entry.api_url) in _DOCKER_HUB_APIS and not self.exact
        return entry.default_namespace or ("library" if is_docker_hub else "")


def load(text: str, *, read_file: ReadFile | None = None, exact: bool = False) -> Registries:
    """Return the registries of a registries.conf.

    `read_file` returns the text of a CA file or raises OSError; without it no such file is looked for.

    Raises:
        RegistriesConfigurationError: one sentence for each thing that is wrong; nothing is usable then.
    """
    entries = registries_file.parse(text, exact=exact)
    if read_file is None:
        return Registries(entries, exact)
    return Registries(tuple(_with_certificates(entry, read_file) for entry in entries), exact)


def _with_certificates(entry: RegistryEntry, read_file: ReadFile) -> RegistryEntry:
    host = _host(entry.api_url)
    pem = registries_file.certificates(entry, host=host, read_file=read_file)
    return replace(entry, ca_pem=pem)


def _inferred(registry: str) -> Endpoint:
    return Endpoint(registry, f"https://{registry}", registry, inferred=True)


def _host(api_url: str) -> str:
    return urlsplit(api_url).netloc.lower()
