"""A child process that dies with its parent, and the identity PostgreSQL accepts when we are root."""

import atexit
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1
MAX_SOCKET_FOLDER = 90  # the kernel allows 107 bytes, PostgreSQL adds "/.s.PGSQL.5432"
# Loaded here, once: the child must not load a library between fork and exec.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Program:
    """One child: how it is started, logged and stopped. It can be started again after its end."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        end_signal: int = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._env = env
        self._end_signal = end_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the process ended; None while it runs and before its first start."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start the process in a session of its own, and wait for nothing.

        Call it from the main thread: Linux takes the end of the starting thread for the parent's death.
        """
        self._end_stragglers()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if self._env is None else dict(self._env),
                preexec_fn=partial(_die_with_parent, self._end_signal, os.getpid()),  # noqa: PLW1509  system calls only
                start_new_session=True,
            )

    def _end_stragglers(self) -> None:
        # A killed parent's own children (pool workers, backends) may outlive it and hold its locks.
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def ask_to_stop(self, sig: int | None = None) -> None:
        """Send the signal that ends it in order, and return at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self._end_signal if sig is None else sig)

    def wait_until_stopped(self, *, seconds: float = 10) -> None:
        """Wait for the end, and kill the process with all its children if that takes too long."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._end_stragglers()
            self._process.wait()

    def stop(self, sig: int | None = None) -> None:
        """Ask it to stop and wait until it has."""
        self.ask_to_stop(sig)
        self.wait_until_stopped()

    def last_words(self, lines: int = 12) -> str:
        """Return the end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


def _die_with_parent(end_signal: int, parent: int) -> None:
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, end_signal)
        if os.getppid() != parent:  # it died before the line above: no signal will come
            os.kill(os.getpid(), signal.SIGKILL)


def not_root_prefix() -> list[str]:
    """Return the command prefix under which root is nobody: PostgreSQL refuses to run as uid 0."""
    if os.geteuid() != 0:
        return []
    return ["unshare", "--user", "--map-user=65534", "--map-group=65534"]


def socket_folder(state: Path) -> Path:
    """Return a private folder for sockets: the state itself if the kernel and a URL can spell it."""
    folder = state.resolve()
    if len(str(folder)) <= MAX_SOCKET_FOLDER and re.fullmatch(r"[\w./-]+", str(folder), re.ASCII):
        return folder
    short = Path(tempfile.mkdtemp(prefix="cs-"))
    atexit.register(shutil.rmtree, short, ignore_errors=True)
    return short
