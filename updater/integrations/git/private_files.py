"""Credentials as files only their owner can read, for the time of one call of the git program.

The `Authorization` header stands in a settings file that git includes, bound to the repository's host: nothing
secret is in an argument, an environment variable or a URL, no helper program is started, and the first request
already carries it (a credential helper costs two processes and a refused request per call).
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from updater.integrations.git.errors import CredentialsUnusableError
from updater.integrations.git.remotes import Credentials
from updater.integrations.git.urls import Address, redact

_HEADER_SAFE = re.compile(r"[\x20-\x7e]*")
_SSH = (
    "ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
    "-o", "GlobalKnownHostsFile=/dev/null", "-o", "UpdateHostKeys=no", "-o", "IdentitiesOnly=yes",
    "-o", "IdentityAgent=none", "-o", "ForwardAgent=no", "-o", "ProxyCommand=none",
    "-o", "ControlPath=none", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=10",
    "-o", "ServerAliveCountMax=3",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Access:
    """What one call of git is told: paths of files, never their content."""

    arguments: tuple[str, ...]
    environment: dict[str, str]


def write(folder: Path, address: Address, credentials: Credentials) -> Access:
    """Write what the host of `address` needs into `folder`, which must be private."""
    if address.scheme == "ssh":
        return Access((), {"GIT_SSH_COMMAND": _ssh(folder, credentials), "GIT_SSH_VARIANT": "ssh"})
    settings = _settings(folder, address, credentials)
    path = _file(folder, "settings", f'[http "{address.origin}/"]\n' + "".join(settings))
    return Access(("-c", f"include.path={path}"), {})


def _settings(folder: Path, address: Address, credentials: Credentials) -> Iterator[str]:
    if header := credentials.authorization:
        if not _HEADER_SAFE.fullmatch(header):
            raise CredentialsUnusableError.of(
                redact(address.location), "the token is not plain text"
            )
        yield _setting("extraHeader", f"Authorization: {header}")
    if credentials.proxy:
        yield _setting("proxy", credentials.proxy)
    for name, key, text in (
        ("ca.pem", "sslCAInfo", credentials.ca_pem),
        ("client.pem", "sslCert", credentials.client_certificate),
        ("client.key", "sslKey", credentials.client_key),
    ):
        if text:
            yield _setting(key, str(_file(folder, name, text)))


def _setting(key: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'\t{key} = "{quoted}"\n'


def _ssh(folder: Path, credentials: Credentials) -> str:
    known = _file(folder, "known_hosts", credentials.known_hosts)
    words = [*_SSH, "-o", f'UserKnownHostsFile="{known}"']
    if credentials.private_key:
        # OpenSSH refuses a key whose last line has no end, which is how Secrets are often pasted.
        text = credentials.private_key.replace("\r\n", "\n").rstrip("\n") + "\n"
        words += ["-i", str(_file(folder, "key", text))]
    else:
        words += ["-o", "IdentityFile=none"]
    return shlex.join(words)


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text, encoding="utf-8")
    return path
