"""Batches: together what waits, each with its own result."""

import asyncio

import pytest

from updater.scanning import batching
from updater.scanning.batching import Batcher


@pytest.fixture(autouse=True)
def _without_threads(monkeypatch):
    async def in_database(act, items):
        await asyncio.sleep(0)
        return act(items)

    monkeypatch.setattr(batching, "in_database", in_database)


def run(batcher, items):
    async def _run():
        return await asyncio.gather(*map(batcher.submit, items), return_exceptions=True)

    return asyncio.run(_run())


def test_submit_gives_each_its_own_result_in_few_batches():
    batches = []

    def double(items):
        batches.append(len(items))
        return [item * 2 for item in items]

    assert run(Batcher(double), range(120)) == [number * 2 for number in range(120)]
    assert batches == [50, 50, 20]


def test_submit_of_heavy_items_makes_small_batches():
    batches = []

    def note(items):
        batches.append(list(items))
        return items

    run(Batcher(note, weigh=lambda item: item), [9000, 9000, 9000, 50_000, 1])

    assert batches == [[9000, 9000], [9000], [50_000], [1]]


def test_submit_with_one_bad_item_fails_that_one():
    results = run(
        Batcher(lambda items: [ValueError() if item == 2 else item for item in items]), [1, 2, 3]
    )

    assert [type(result) for result in results] == [int, ValueError, int]


def test_submit_with_a_broken_database_fails_all_of_the_batch_and_goes_on():
    calls = []

    def once(items):
        calls.append(items)
        if len(calls) == 1:
            raise OSError
        return items

    batcher = Batcher(once)

    async def _twice():
        first = await asyncio.gather(batcher.submit(1), batcher.submit(2), return_exceptions=True)
        return first, await batcher.submit(3)

    (one, two), three = asyncio.run(_twice())
    assert isinstance(one, OSError)
    assert isinstance(two, OSError)
    assert three == 3
