"""A proxy between the product and a server (TCP or Unix socket): refuses, cuts answers, or drops them.

A dropped answer is the worst cut: the request arrived and was carried out, and nobody is told.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 64 * 1024
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Address:
    """Where a server listens: a port of loopback, or a socket file."""

    port: int = 0
    socket: Path | None = None

    async def connect(self) -> _Streams:
        """Connect to it."""
        if self.socket is not None:
            return await asyncio.open_unix_connection(str(self.socket))
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def listen(self, serve: Callable[..., Awaitable[None]]) -> asyncio.Server:
        """Listen on it."""
        if self.socket is not None:
            return await asyncio.start_unix_server(serve, str(self.socket), backlog=200)
        return await asyncio.start_server(serve, "127.0.0.1", self.port, backlog=200)


@dataclass
class Proxy:
    """One proxy in a thread of its own; its faults are switches that each connection looks at."""

    server: Address
    here: Address = Address()
    refuses: bool = False
    is_mute: bool = False  # answers are dropped, and the connection with them
    cuts_after: int | None = None  # bytes of answers
    hits: int = 0  # how often a fault took effect
    port: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None
    _listening: asyncio.Server | None = None

    def start(self) -> "Proxy":
        """Listen, and carry connections until `stop`."""
        self._listening = self._loop.run_until_complete(self.here.listen(self._serve))
        if self.here.socket is None:
            self.port = self._listening.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def refuse(self) -> None:
        """Cut everything that is open and take nothing new until `heal`."""
        self.refuses = True
        self._loop.call_soon_threadsafe(self._abort_all)

    def heal(self) -> None:
        """Carry everything faithfully again."""
        self.refuses, self.is_mute, self.cuts_after = False, False, None

    def stop(self) -> None:
        """Cut everything and end."""
        self.refuse()
        self._loop.call_soon_threadsafe(self._cancel_all)
        if self._thread is not None:
            self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            self.hits += 1
            writer.transport.abort()
            return
        try:
            server_reader, server_writer = await self.server.connect()
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, server_writer}
        self._open |= ends
        try:
            with suppress(OSError, asyncio.CancelledError):
                await asyncio.gather(
                    self._carry(reader, server_writer),
                    self._answer(server_reader, writer, server_writer),
                )
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server: asyncio.StreamWriter,
    ) -> None:
        sent = 0
        while data := await reader.read(CHUNK):
            if self.is_mute or self._is_over(sent + len(data)):
                self.hits += 1
                room = 0 if self.is_mute else max(0, (self.cuts_after or 0) - sent)
                writer.write(data[:room])
                await writer.drain()
                server.transport.abort()
                break
            writer.write(data)
            await writer.drain()
            sent += len(data)
        writer.close()

    def _is_over(self, sent: int) -> bool:
        return self.cuts_after is not None and sent > self.cuts_after

    def _abort_all(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def _cancel_all(self) -> None:
        if self._listening is not None:
            self._listening.close()
        self._abort_all()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.call_later(0.05, self._loop.stop)
