"""Signs commit objects with an OpenPGP or an SSH key, so that the same commit gives the same signature.

An OpenPGP signature holds its time: it is told the commit's own. Keys that sign with chance (ECDSA over SSH) give a new
SHA each time; use Ed25519 or RSA.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from updater.integrations.git import outcomes, process
from updater.integrations.git.errors import GitProgramMissingError, SigningFailedError

METHODS = ("openpgp", "ssh")
LIMITS = process.Limits(seconds=30, output_bytes=process.MIB, file_bytes=process.MIB)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`method` openpgp: `key` is the id of a key in GnuPG's key ring; ssh: the path of a private key file."""

    method: str
    key: str


def sign(payload: bytes, key: SigningKey, *, private: Path, repository: str, at: datetime) -> str:
    """Return the armored signature of a commit object; `private` is a folder nobody else can enter."""
    try:
        done = _run(_command(key, private, at), payload)
    except process.ProgramMissingError as missing:
        raise GitProgramMissingError.of(repository, str(missing)) from missing
    except (process.ProgramTimeoutError, process.OutputTooLargeError) as late:
        raise SigningFailedError.of(repository, "the program did not end as it should") from late
    except (OSError, ValueError) as unusable:
        raise SigningFailedError.of(repository, str(unusable)) from unusable
    if done.code != 0 or not done.output.startswith(b"-----BEGIN "):
        raise SigningFailedError.of(repository, outcomes.spoken(done.complaint))
    return done.output.decode("ascii")


def _command(key: SigningKey, private: Path, at: datetime) -> list[str]:
    if key.method == "openpgp":
        return [
            "gpg", "--batch", "--no-tty", "--quiet", "--armor", "--detach-sign",
            "--faked-system-time", f"{int(at.timestamp())}!", "--local-user", key.key,
        ]  # fmt: skip
    if key.method == "ssh":
        return ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", str(_key_file(key, private))]
    raise ValueError(f"{key.method!r} is not one of {', '.join(METHODS)}")


def _key_file(key: SigningKey, private: Path) -> Path:
    # A copy: a mounted Secret is often readable for all, and ssh-keygen refuses that.
    text = Path(key.key).read_text(encoding="utf-8")
    path = private / "signing_key"
    path.touch(mode=0o600)
    path.write_text(text.replace("\r\n", "\n").rstrip("\n") + "\n", encoding="utf-8")
    return path


def _run(command: Sequence[str], payload: bytes) -> process.Finished:
    names = ("PATH", "HOME", "GNUPGHOME")
    env = {name: os.environ[name] for name in names if name in os.environ}
    env |= {"LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
    return process.run(command, env=env, limits=LIMITS, stdin=payload)
