"""The pace for one host, with a clock of our own."""

import asyncio

import pytest

from updater.integrations.registry import Budget, RateLimitedError
from updater.scanning.throttle import BudgetUsedUpError, FallbackBucket, HostThrottle, LocalBucket


class Clock:
    def __init__(self):
        self.now = 1000.0
        self.slept = 0.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.slept += seconds
        self.now += seconds


def throttle(clock, rate=5.0, burst=10.0):
    return HostThrottle(LocalBucket(rate, burst, clock), clock, clock.sleep)


def ask(one, times, kind="tags"):
    async def _ask():
        for _ in range(times):
            await one.acquire(kind)

    asyncio.run(_ask())


def test_acquire_r28_lets_a_burst_through_and_then_the_rate():
    clock = Clock()
    one = throttle(clock)

    ask(one, 10)
    assert clock.slept < 1e-6
    ask(one, 50)

    assert clock.slept == pytest.approx(10.0)


def test_acquire_after_a_rest_lets_the_burst_through_again():
    clock = Clock()
    one = throttle(clock)
    ask(one, 20)
    slept = clock.slept
    clock.now += 60

    ask(one, 10)

    assert clock.slept == pytest.approx(slept)


@pytest.mark.parametrize(("rate", "burst"), [(0.5, 1.0), (1.0, 1.0), (20.0, 10.0), (1000.0, 10.0)])
def test_acquire_never_exceeds_the_rate_over_a_minute(rate, burst):
    clock = Clock()
    one = throttle(clock, rate, burst)
    sent = 0

    async def _ask():
        nonlocal sent
        while clock.now < 1060:
            await one.acquire("tags")
            sent += 1

    asyncio.run(_ask())

    assert sent <= 60 * rate + burst + 1


def test_acquire_without_a_bucket_waits_for_nobody():
    clock = Clock()

    ask(HostThrottle(None, clock, clock.sleep), 1000)

    assert clock.slept == 0


def test_acquire_of_a_kind_that_is_used_up_is_refused_until_its_reset():
    clock = Clock()
    one = throttle(clock)
    one.observe("manifest", Budget(0, 30))

    with pytest.raises(BudgetUsedUpError) as caught:
        ask(one, 1, "manifest")
    assert caught.value.retry_after_seconds == 30
    ask(one, 1, "tags")
    clock.now += 31
    ask(one, 1, "manifest")


def test_observe_of_a_budget_that_is_left_changes_nothing():
    clock = Clock()
    one = throttle(clock)

    one.observe("manifest", Budget(1, 30))

    ask(one, 1, "manifest")


def test_acquire_after_shut_raises_the_error_that_shut_it():
    one = throttle(Clock())
    error = RateLimitedError("too many", retry_after_seconds=60)
    one.shut(error)

    with pytest.raises(RateLimitedError) as caught:
        ask(one, 1)

    assert caught.value is error


def test_fallback_bucket_without_redis_keeps_the_pace_alone(caplog):
    class Away:
        async def reserve(self):
            raise ConnectionError("no redis")

    clock = Clock()
    one = HostThrottle(FallbackBucket(Away(), LocalBucket(5.0, 10.0, clock)), clock, clock.sleep)

    ask(one, 60)

    assert clock.slept == pytest.approx(10.0)
    assert "rate limit not shared" in caplog.text
