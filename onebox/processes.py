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
# Loaded here, once: the child must not load a library between fork and exec.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent(death_signal: int, parent: int) -> None:
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # it died before the line above: no signal will come
            os.kill(os.getpid(), signal.SIGKILL)


def start(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    death_signal: int = signal.SIGTERM,
) -> "subprocess.Popen[bytes]":
    """Start a child in its own session, output appended to `log`; `death_signal` ends it with us.

    Call it from the main thread: Linux counts the end of the starting thread as the parent's death.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            preexec_fn=partial(_die_with_parent, death_signal, os.getpid()),  # noqa: PLW1509  two system calls
            start_new_session=True,
        )


def stop(
    process: "subprocess.Popen[bytes]", *, sig: int = signal.SIGTERM, seconds: float = 10
) -> None:
    """Ask a child to end, wait, and kill its whole group if it does not."""
    if process.poll() is None:
        process.send_signal(sig)
        wait(process, seconds=seconds)


def wait(process: "subprocess.Popen[bytes]", *, seconds: float) -> None:
    """Wait for a child that was asked to end, and kill its whole group if it does not."""
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
