"""TCP and TLS for httpcore on plain asyncio streams, to an address that was checked before.

httpcore's own backend asks the kernel a dozen questions about each idle connection before every request.
"""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

CLOSE_SECONDS = 1.0


async def dial(address: str, port: int, seconds: float | None) -> httpcore.AsyncNetworkStream:
    """Open a TCP connection."""
    with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
        async with asyncio.timeout(seconds):
            return _Stream(*await asyncio.open_connection(address, port))


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _translated(httpcore.ReadTimeout, httpcore.ReadError):
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _translated(httpcore.WriteTimeout, httpcore.WriteError):
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()

    async def aclose(self) -> None:
        self._writer.close()
        with _translated(httpcore.WriteTimeout, httpcore.WriteError):
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._writer.wait_closed()
            except (TimeoutError, OSError):  # who does not say goodbye is left standing
                self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  httpcore's signature
        if info == "is_readable":  # an idle connection that has something to say is over
            return self._reader.at_eof() or self._writer.is_closing()
        return self._writer.get_extra_info(_NAMES.get(info, info))


_NAMES = {"client_addr": "sockname", "server_addr": "peername"}


@contextmanager
def _translated(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError) as error:
        raise broken(str(error)) from error
