"""Gathers what many coroutines want of the database while it is busy, and does it together."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

from updater.scanning.tuning import in_database

Item = TypeVar("Item")
Result = TypeVar("Result")
LARGEST = 50  # items of one batch
HEAVIEST = 20_000  # what they may weigh together; a heavier one goes alone


class Batcher(Generic[Item, Result]):
    """Runs `act` over batches: it takes items and returns a result, or an error, for each in their order."""

    def __init__(
        self,
        act: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        weigh: Callable[[Item], int] = lambda _: 1,
    ) -> None:
        self._act = act
        self._weigh = weigh
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Return the result for one item, done together with whatever else is waiting."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return await future

    async def _flush(self) -> None:
        while self._waiting:
            size = self._size_of_next()
            batch, self._waiting = self._waiting[:size], self._waiting[size:]
            for (_, future), result in zip(batch, await self._results(batch), strict=True):
                if future.done():  # nobody waits for it any more
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    def _size_of_next(self) -> int:
        weights = accumulate(self._weigh(item) for item, _ in self._waiting[:LARGEST])
        return max(1, sum(weight <= HEAVIEST for weight in weights))

    async def _results(
        self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]
    ) -> Sequence[Result | Exception]:
        try:
            return await in_database(self._act, [item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  handed to everybody who waits
            return [error] * len(batch)
