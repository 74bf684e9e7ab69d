"""One PostgreSQL LISTEN connection a process, many open pages: who hears that a promotion changed.

Notifications carry a promotion id and nothing else. They are not stored, so whenever one may have been
missed (the connection was lost, a page was slow) the page hears EVERYTHING and fetches anew.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.conninfo import make_conninfo

CHANNEL = "countersign"
EVERYTHING = ""
MAX_WAITING = 100  # ids a slow page may have open; then it hears EVERYTHING instead
MAX_PAGES = 500  # open streams of one process
RECONNECT_SECONDS = 1.0

logger = logging.getLogger(__name__)
Page = asyncio.Queue[str]


class TooManyPagesError(Exception):
    """This process holds as many streams as it may; the page polls instead."""


class Hub:
    """The open pages of this process, and the one task that listens for them."""

    def __init__(self) -> None:
        self.pages: set[Page] = set()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """Give a page its queue for as long as it is open; the last one stops the listening.

        Raises:
            TooManyPagesError: the process is full.
        """
        if len(self.pages) >= MAX_PAGES:
            raise TooManyPagesError
        page: Page = asyncio.Queue(MAX_WAITING)
        self.pages.add(page)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen())
        try:
            yield page
        finally:
            self.pages.discard(page)
            if not self.pages and self._task is not None:
                self._task.cancel()
                self._task = None

    def tell(self, promotion_id: str) -> None:
        """Put the id before every page."""
        for page in self.pages:
            if page.full():
                _empty(page)
                page.put_nowait(EVERYTHING)
            else:
                page.put_nowait(promotion_id)

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (psycopg.Error, OSError):
                logger.warning("listening for changes was interrupted", exc_info=True)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _hear(self) -> None:
        async with await psycopg.AsyncConnection.connect(_conninfo(), autocommit=True) as heard:
            await heard.execute(f"LISTEN {CHANNEL}")
            self.tell(EVERYTHING)  # whatever happened before is not stored
            async for notice in heard.notifies():
                self.tell(notice.payload)


hub = Hub()


def _conninfo() -> str:
    given = connections[DEFAULT_DB_ALIAS].get_connection_params()
    # Django's adapters and cursor classes are for its own, synchronous connections.
    plain = {key: str(value) for key, value in given.items() if isinstance(value, str | int)}
    return make_conninfo(**plain)


def _empty(page: Page) -> None:
    while not page.empty():
        page.get_nowait()
