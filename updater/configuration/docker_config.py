"""Finds the login for one registry in the text of a `.dockerconfigjson` secret.

Hosts are compared whole, with the port: upstream compares beginnings, so the entry of `registry.example.com`
would be sent to `registry.example.co`.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NoReturn

from updater.configuration import untrusted
from updater.configuration.credentials import Login
from updater.errors import PermanentError

_MAX_LENGTH = 1024 * 1024  # what a Kubernetes Secret can hold
# kubectl and docker store Docker Hub under a name that no API answers at.
_DOCKER_HUB = frozenset(["docker.io", "index.docker.io", "registry-1.docker.io"])


class DockerConfigError(PermanentError):
    """The secret is not a usable Docker configuration, or knows no login for the registry."""

    code = "docker_config"


def find_login(text: str | bytes, *, host: str, exact: bool = False) -> Login:
    """Return the login for the host (`name` or `name:port`).

    `exact` follows upstream: only the `auth` member counts, and Docker Hub's names are all different.

    Raises:
        DockerConfigError: hostile or broken text, or no login for this host; names no secret value.
    """
    entries = untrusted.mapping(_decoded(text), "auths")
    matching = [key for key in entries if _is_same(key, host, exact=exact)]
    if not matching:
        raise DockerConfigError(f"The secret's auths have no entry for {host}.")
    # "host" before "https://host/v1/": the plainest key is the one people meant.
    return _login(entries[min(matching, key=len)], host=host, exact=exact)


def _decoded(text: str | bytes) -> Mapping[str, object]:
    if len(text) > _MAX_LENGTH:
        raise DockerConfigError(f"The secret is longer than {_MAX_LENGTH} bytes.")
    try:
        document: Any = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # Without the cause: it holds the secret's text.
        raise DockerConfigError("The secret's .dockerconfigjson is not JSON.") from None
    return untrusted.mapping(document)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _is_same(key: str, host: str, *, exact: bool) -> bool:
    names = {_host(key), _host(host)}
    return len(names) == 1 or (not exact and names <= _DOCKER_HUB)


def _host(key: str) -> str:
    without_scheme = key.lower().removeprefix("https://").removeprefix("http://")
    return without_scheme.split("/")[0].removesuffix(":443")


def _login(entry: object, *, host: str, exact: bool) -> Login:
    encoded = untrusted.text(entry, "auth")
    if encoded:
        return _from_auth(encoded, host)
    username, password = untrusted.text(entry, "username"), untrusted.text(entry, "password")
    if exact or not username or not password:
        raise DockerConfigError(f"The secret's entry for {host} holds no user and password.")
    return Login(username, password)


def _from_auth(encoded: str, host: str) -> Login:
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        decoded = ""
    username, _, password = decoded.partition(":")
    if not username or not password:
        raise DockerConfigError(f"The secret's auth for {host} is not base64 of user:password.")
    return Login(username, password)
