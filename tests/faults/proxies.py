"""TCP proxies in front of every service: each question that goes through has a number, and one of them goes wrong.

A question is what a client says until the server answers, so the same code counts HTTP requests, queries of PostgreSQL
and commands of Redis. What goes wrong is what networks do; the product's own clients are on one side, the real
servers on the other.
"""

import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from onebox.postgres import Postgres
from onebox.valkey import Valkey
from onebox.world.cluster import ClusterServer
from onebox.world.git_host import GitHost
from onebox.world.registry import RegistryServer
from tests.faults.applications import Addresses

HTTP = ("git", "registry", "cluster")
HOLD_SECONDS = 0.5
SETTLED_SECONDS = 0.05  # so long a server is silent when its answer is whole
_UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"
)
_GARBAGE = b"\x00\xff\x13\x37not a protocol\r\n\r\n" * 8

# Each kind: is the question passed on, and what becomes of the answer
KINDS = {
    "refused": "the connection is closed before the question is passed on",
    "time-out": "the question is swallowed, and the connection closed after a while",
    "reset": "the question is passed on, the connection breaks in the middle of the answer",
    "5xx": "HTTP: 503 without passing it on",
    "lost": "the question is passed on and has its effect, the answer never comes",
    "garbage": "bytes of no protocol instead of an answer, the question is not passed on",
}


@dataclass
class Script:
    """Which question goes wrong, how, and whether it has happened; one for all proxies."""

    kind: str = ""
    number: int = 0  # 0: none
    services: frozenset[str] = frozenset()  # only these are counted
    count: int = 0
    fired: str = ""  # the service it happened at
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def order(self, kind: str, number: int, services: frozenset[str]) -> None:
        """Let this question of these services go wrong next."""
        with self._lock:
            self.kind, self.number, self.services = kind, number, services
            self.count, self.fired = 0, ""

    def rest(self) -> None:
        """Let everything through."""
        with self._lock:
            self.number = 0

    def ask(self, service: str) -> str:
        """Count a question; return how it goes wrong, "" when it does not."""
        with self._lock:
            if not self.number or service not in self.services:
                return ""
            self.count += 1
            if self.count != self.number or (self.kind == "5xx" and service not in HTTP):
                return ""
            self.fired = service
            return self.kind


class Proxy:
    """One service behind a port of its own."""

    def __init__(self, service: str, upstream: "tuple[str, int] | Path", script: Script) -> None:
        self.service = service
        self._upstream = upstream
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            link = _Link(client, self._connect, lambda: self._script.ask(self.service))
            threading.Thread(target=link.run, daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self._upstream, Path):
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._upstream))
            return server
        return socket.create_connection(self._upstream)


class _Link:
    """One connection and what becomes of it."""

    def __init__(
        self, client: socket.socket, connect: Callable[[], socket.socket], ask: Callable[[], str]
    ) -> None:
        self._client = client
        self._connect = connect
        self._ask = ask
        self._server: socket.socket | None = None
        self._is_asking = False
        self._wrong = ""

    def run(self) -> None:
        """Pass bytes until one side ends, or the question comes that goes wrong."""
        try:
            with suppress(OSError):
                while self._step():
                    pass
        finally:
            _cut(self._client)
            if self._server is not None:
                _cut(self._server)

    def _step(self) -> bool:
        sides = [side for side in (self._client, self._server) if side is not None]
        ready, _, _ = select.select(sides, [], [])
        if self._client in ready:
            return self._from_client()
        return self._from_server()

    def _from_client(self) -> bool:
        data = self._client.recv(65536)
        if not data:
            return False
        if not self._is_asking:
            self._is_asking = True
            self._wrong = self._ask()
        if self._wrong in ("refused", "time-out", "5xx", "garbage"):
            self._fail_at_once()
            return False
        if self._server is None:
            self._server = self._connect()
        self._server.sendall(data)
        return True

    def _fail_at_once(self) -> None:
        if self._wrong == "time-out":
            time.sleep(HOLD_SECONDS)
        elif self._wrong in ("5xx", "garbage"):
            self._client.sendall(_UNAVAILABLE if self._wrong == "5xx" else _GARBAGE)
            self._client.shutdown(socket.SHUT_WR)
            time.sleep(SETTLED_SECONDS)

    def _from_server(self) -> bool:
        assert self._server is not None
        data = self._server.recv(65536)
        if not data:
            return False
        self._is_asking = False
        if self._wrong == "lost":
            while select.select([self._server], [], [], SETTLED_SECONDS)[0]:
                if not self._server.recv(65536):
                    break
            return False
        if self._wrong == "reset":
            self._client.sendall(data[: max(1, len(data) // 2)])
            return False
        self._client.sendall(data)
        return True


@dataclass
class Proxies:
    """A proxy in front of every service, under one script."""

    script: Script
    by_service: dict[str, Proxy]

    @classmethod
    def start(
        cls,
        postgres: Postgres,
        valkey: Valkey,
        git: GitHost,
        registry: RegistryServer,
        cluster: ClusterServer,
    ) -> "Proxies":
        """Stand in front of these servers."""
        database = unquote(urlsplit(postgres.url).netloc.rpartition("@")[2])
        redis = urlsplit(valkey.url).path
        places: dict[str, tuple[str, int] | Path] = {
            "database": Path(database) / ".s.PGSQL.5432",
            "redis": Path(redis),
            "git": _place(git.url),
            "registry": _place(registry.url),
            "cluster": _place(cluster.url),
        }
        script = Script()
        return cls(script, {name: Proxy(name, place, script) for name, place in places.items()})

    @property
    def addresses(self) -> Addresses:
        """Where the product finds Git and the registry."""
        ports = {name: proxy.port for name, proxy in self.by_service.items()}
        return Addresses(f"http://127.0.0.1:{ports['git']}", f"127.0.0.1:{ports['registry']}")

    @property
    def cluster(self) -> str:
        """The URL of the cluster."""
        return f"http://127.0.0.1:{self.by_service['cluster'].port}"

    def close(self) -> None:
        """Take no more connections."""
        for proxy in self.by_service.values():
            proxy.close()


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


def _cut(side: socket.socket) -> None:
    # Without lingering: the other side is told that the connection broke, not that it ended.
    with suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    side.close()
