"""Names of Kubernetes objects, checked before they get into an address (DNS-1123)."""

import re

from updater.integrations.kubernetes.errors import InvalidNameError

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def check_name(name: str) -> str:
    """Return the name of an object, or raise InvalidNameError."""
    if len(name) > 253 or not _SUBDOMAIN.fullmatch(name):
        raise InvalidNameError(_sentence("name", name, 253, "dots, "))
    return name


def check_namespace(namespace: str) -> str:
    """Return the name of a namespace, or raise InvalidNameError."""
    if len(namespace) > 63 or not _LABEL.fullmatch(namespace):
        raise InvalidNameError(_sentence("namespace", namespace, 63, ""))
    return namespace


def _sentence(what: str, value: str, limit: int, also: str) -> str:
    return (
        f"{value[:80]!r} is not a Kubernetes {what}: use lower-case letters, digits, {also}"
        f"hyphens inside, at most {limit} characters."
    )
