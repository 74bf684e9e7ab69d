"""The registry as a running thing: a loopback socket, uvicorn, and a thread when it is embedded."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Self

import uvicorn

from onebox.world.registry.world import Receive, RegistryWorld, Scope, Send


class RegistryServer:
    """Serves one registry on loopback."""

    def __init__(self, world: RegistryWorld, *, port: int = 0) -> None:
        self.world = world
        self._socket = _listen(port)
        self._server = uvicorn.Server(_settings(self._answer))
        self._thread: threading.Thread | None = None

    @property
    def host(self) -> str:
        """`127.0.0.1:port`, as image names spell it."""
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def url(self) -> str:
        """The base of the API."""
        return f"http://{self.host}"

    def serve(self) -> None:
        """Serve in this thread until the process is asked to end."""
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def start(self) -> Self:
        """Serve in a thread of its own; connections wait in the socket until it is ready."""
        self._thread = threading.Thread(target=self.serve, name="registry", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the server; connections that hang are cut."""
        self._server.should_exit = True
        self._server.force_exit = True
        if self._thread is not None:
            self._thread.join(5)
        self._socket.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.world(scope, receive, send)  # looked up each time: tests put in a fresh one

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _listen(port: int) -> socket.socket:
    # asyncio switches Nagle off only where the protocol is stated, else each answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def _settings(answer: Callable[[Scope, Receive, Send], Awaitable[None]]) -> uvicorn.Config:
    return uvicorn.Config(
        answer,
        interface="asgi3",
        http="h11",
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_level="critical",  # ordered resets would be logged as failures
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )
