"""Signs a JSON Web Token with RS256 by the openssl program: no arithmetic on private keys in our own code."""

import base64
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from updater.integrations.git import process

_LIMITS: Final = process.Limits(seconds=10, output_bytes=64 * 1024, file_bytes=process.MIB)


class KeyUnusableError(ValueError):
    """Not an RSA private key in PEM form without a passphrase."""


def sign(claims: Mapping[str, str | int], private_key: str) -> str:
    """Return the signed token.

    Raises:
        KeyUnusableError, process.ProgramMissingError, process.ProgramTimeoutError.
    """
    signed = ".".join(_part(text) for text in ({"alg": "RS256", "typ": "JWT"}, claims))
    with tempfile.TemporaryDirectory() as folder:  # mode 0700
        path = Path(folder) / "key"
        path.touch(mode=0o600)
        path.write_text(private_key.replace("\r\n", "\n").strip() + "\n", encoding="utf-8")
        done = process.run(
            ["openssl", "dgst", "-sha256", "-passin", "pass:", "-sign", str(path)],
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            limits=_LIMITS,
            stdin=signed.encode(),
        )
    if done.code != 0 or not done.output:
        raise KeyUnusableError("it is not an RSA private key in PEM form without a passphrase")
    return f"{signed}.{_encode(done.output)}"


def _part(claims: Mapping[str, str | int]) -> str:
    return _encode(json.dumps(claims, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
