"""Logins and rules for registries: from Kubernetes Secrets, the operator's file and settings."""

import os
import subprocess
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from updater.configuration import credentials as references
from updater.configuration import docker_config
from updater.configuration.credentials import CredentialReference, Login
from updater.configuration.registries import Endpoint, Registries
from updater.errors import PermanentError
from updater.images import ImageReference
from updater.integrations import registry

if TYPE_CHECKING:
    from updater.integrations.kubernetes.client import ClusterClient

PROGRAM_SECONDS = 10  # specification 1.4


class CredentialsMissingError(PermanentError):
    """A credential reference leads nowhere; the message names the place, never its content."""

    code = "credentials_missing"


@cache
def access() -> registry.Access:
    """Return how this process talks to registries; tokens and pings live as long as it does."""
    rules = registry.NetworkRules(
        allow_insecure_hosts=frozenset(settings.ALLOW_INSECURE_REGISTRIES),
        private_hosts=frozenset(settings.PRIVATE_REGISTRIES),
        token_hosts=frozenset(settings.REGISTRY_TOKEN_HOSTS),
        blob_hosts=frozenset(settings.REGISTRY_BLOB_HOSTS),
    )
    return registry.Access(rules=rules)


def endpoint(registries: Registries, reference: ImageReference) -> Endpoint:
    """Return the registry of an image; a host listed as insecure is spoken to in plain HTTP."""
    found = registries.endpoint(reference)
    if found.inferred and found.host in settings.ALLOW_INSECURE_REGISTRIES:
        return replace(found, api_url=f"http://{found.host}")
    return found


def credentials(
    cluster: "ClusterClient",
    endpoint: Endpoint,
    *,
    pull_secret: str | None,
    namespace: str,
) -> registry.Credentials | None:
    """Return the login that a pull secret, or else the registry's own entry, refers to."""
    if pull_secret:
        reference = references.parse_own(pull_secret, namespace=namespace)
    elif endpoint.credentials:
        reference = references.parse(endpoint.credentials)
    else:
        return None
    login = _login(cluster, reference, host=endpoint.host)
    return registry.Credentials(login.username, login.password)


def _login(cluster: "ClusterClient", reference: CredentialReference, *, host: str) -> Login:
    if reference.is_operator_only:
        return references.parse_login(_from_operator(reference))
    secret = cluster.get_secret(reference.namespace, reference.name)
    value = secret.get(reference.field)
    if value is None:
        raise CredentialsMissingError(
            f"Secret {reference.namespace}/{reference.name} has no key {reference.field}."
        )
    if reference.kind == references.PULL_SECRET:
        return docker_config.find_login(value, host=host)
    return references.parse_login(value.decode("utf-8", "replace"))


def _from_operator(reference: CredentialReference) -> str:
    """Read an environment variable or run a program: registries.conf only, and only if switched on."""
    if not settings.ALLOW_OPERATOR_CREDENTIALS:
        raise CredentialsMissingError(
            "env: and ext: credentials are off; set ALLOW_OPERATOR_CREDENTIALS=true to use them."
        )
    if reference.kind == references.ENVIRONMENT:
        return os.environ.get(reference.name, "")
    done = subprocess.run(
        [reference.name], check=False, capture_output=True, text=True, timeout=PROGRAM_SECONDS
    )
    return done.stdout.strip() if done.returncode == 0 else ""
