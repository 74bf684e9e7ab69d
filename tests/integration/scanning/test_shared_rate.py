"""The rate that all workers share, against a real Valkey; and the pace without one."""

import asyncio

import pytest

from onebox.valkey import Valkey
from updater.scanning import shared_rate


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


async def reservations(url, times, *, rate, workers=2, host="registry.example"):
    """What several workers, each with a connection of its own, are told to wait in all."""
    waits = []

    async def _work():
        async with shared_rate.connect(url) as client:
            bucket = shared_rate.bucket(client, host, rate=rate, burst=10)
            waits.extend([await bucket.reserve() for _ in range(times)])

    await asyncio.gather(*(_work() for _ in range(workers)))
    return waits


def test_reserve_by_two_workers_keeps_one_rate_between_them(valkey):
    waits = asyncio.run(reservations(valkey.url, 30, rate=10.0))

    assert sum(wait == 0 for wait in waits) <= 12
    assert 4.0 < max(waits) < 5.1  # sixty requests at ten a second, ten of them at once


def test_reserve_of_another_host_is_its_own(valkey):
    waits = asyncio.run(reservations(valkey.url, 3, rate=10.0, host="other.example"))

    assert set(waits) == {0.0}


def test_reserve_leaves_nothing_behind_for_ever(valkey):
    async def _lifetimes():
        async with shared_rate.connect(valkey.url) as client:
            return [await client.pttl(key) for key in await client.keys("countersign:*")]

    asyncio.run(reservations(valkey.url, 1, rate=10.0))

    assert all(0 < left < 10_000 for left in asyncio.run(_lifetimes()))


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere/valkey.sock?virtual_host=0"]
)
def test_reserve_without_redis_says_so_at_once(url):
    with pytest.raises(ConnectionError):
        asyncio.run(reservations(url, 1, rate=10.0, workers=1))


def test_connect_with_another_broker_shares_nothing():
    async def _connect():
        async with shared_rate.connect("memory://") as client:
            return client

    assert asyncio.run(_connect()) is None
