"""Image registries: our own thin client of the OCI distribution API, its dataclasses and its errors."""

from updater.integrations.registry.api import Access, Endpoint
from updater.integrations.registry.authentication import Authorities, Credentials
from updater.integrations.registry.client import Connection, RegistryClient, connect, resolve_digest
from updater.integrations.registry.digests import Question, resolve_digests
from updater.integrations.registry.errors import (
    AddressRefusedError,
    AmbiguousManifestError,
    AuthenticationFailedError,
    BadAnswerError,
    DigestMismatchError,
    ForbiddenError,
    InsecureRegistryError,
    InvalidNameError,
    ManifestNotFoundError,
    RateLimitedError,
    RealmNotAllowedError,
    RegistryTimeoutError,
    RegistryUnavailableError,
    RepositoryNotFoundError,
    TagListIncompleteError,
    TooLargeError,
    UnexpectedAnswerError,
    UnsupportedManifestError,
)
from updater.integrations.registry.limits import Limits
from updater.integrations.registry.manifests import Manifest, PlatformImage
from updater.integrations.registry.network import http_client
from updater.integrations.registry.pacing import Budget, Throttle
from updater.integrations.registry.rules import NetworkRules
from updater.integrations.registry.tag_pages import TagList

__all__ = [
    "Access",
    "AddressRefusedError",
    "AmbiguousManifestError",
    "AuthenticationFailedError",
    "Authorities",
    "BadAnswerError",
    "Budget",
    "Connection",
    "Credentials",
    "DigestMismatchError",
    "Endpoint",
    "ForbiddenError",
    "InsecureRegistryError",
    "InvalidNameError",
    "Limits",
    "Manifest",
    "ManifestNotFoundError",
    "NetworkRules",
    "PlatformImage",
    "Question",
    "RateLimitedError",
    "RealmNotAllowedError",
    "RegistryClient",
    "RegistryTimeoutError",
    "RegistryUnavailableError",
    "RepositoryNotFoundError",
    "TagList",
    "TagListIncompleteError",
    "Throttle",
    "TooLargeError",
    "UnexpectedAnswerError",
    "UnsupportedManifestError",
    "connect",
    "http_client",
    "resolve_digest",
    "resolve_digests",
]
