"""The API server as a running thing: a loopback socket, uvicorn, and a thread when it is embedded."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self, TypeVar

import uvicorn

from onebox.world.cluster import kubeconfig
from onebox.world.cluster.access import Account, Accounts
from onebox.world.cluster.application import ClusterApplication
from onebox.world.cluster.faults import Faults
from onebox.world.cluster.store import Store

Result = TypeVar("Result")

# Longer than any client keeps an idle connection: a PATCH on a connection closed under it has no known outcome.
_KEEP_ALIVE_SECONDS = 600


class ClusterServer:
    """A Kubernetes API server for the world's kinds, on loopback."""

    def __init__(
        self,
        accounts: Iterable[Account],
        *,
        folder: Path | None = None,
        port: int = 0,
        bookmark_seconds: float = 60,
        keep_changes: int = 5000,
    ) -> None:
        self.accounts = Accounts(accounts)
        self.faults = Faults()
        self.store = Store(folder=folder, keep_changes=keep_changes)
        self.application = ClusterApplication(
            self.store, self.accounts, self.faults, bookmark_seconds
        )
        self._socket = _listen(port)
        self._server = _Server(self.application)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        """The address clients use."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def serve(self) -> None:
        """Serve in this thread until the process is asked to end."""
        asyncio.run(self._run())

    def start(self) -> Self:
        """Serve in a thread of its own; connections wait in the socket until it is ready."""
        self._thread = threading.Thread(target=self.serve, name="cluster", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the watches, then the server."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def do(self, action: Callable[[], Result]) -> Result:
        """Run something on the store in the server's own thread and return its result."""
        if self._loop is None:
            return action()

        async def _act() -> Result:
            return action()

        return asyncio.run_coroutine_threadsafe(_act(), self._loop).result(10)

    def write_kubeconfig(self, path: Path, account: Account) -> Path:
        """Write a kubeconfig for one of the accounts."""
        return kubeconfig.write(path, url=self.url, account=account)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._socket])


class _Server(uvicorn.Server):
    """Ends the watches first, as it would wait for them."""

    def __init__(self, application: ClusterApplication) -> None:
        super().__init__(_settings(application))
        self._store = application.store

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let everything under way end."""
        self._store.close()
        await super().shutdown(sockets)


def _listen(port: int) -> socket.socket:
    # asyncio switches Nagle off only where the protocol is stated, else each answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def _settings(application: ClusterApplication) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http="h11",
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
