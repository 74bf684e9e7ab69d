"""Starting children that die with their parent, and the identity PostgreSQL accepts when we are root."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1


def _die_with_parent(death_signal: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)


def start(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    death_signal: int = signal.SIGTERM,
) -> "subprocess.Popen[bytes]":
    """Start a child in its own session, output appended to `log`; `death_signal` ends it with us."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            preexec_fn=partial(_die_with_parent, death_signal),  # noqa: PLW1509  one prctl call
            start_new_session=True,
        )


def stop(
    process: "subprocess.Popen[bytes]", *, sig: int = signal.SIGTERM, seconds: float = 10
) -> None:
    """Ask a child to end, wait, and kill its whole group if it does not."""
    if process.poll() is None:
        process.send_signal(sig)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def not_root_prefix() -> list[str]:
    """Return the command prefix under which root is nobody: PostgreSQL refuses to run as uid 0."""
    if os.geteuid() != 0:
        return []
    return ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
