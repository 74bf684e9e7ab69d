"""One call of `scan_due`: claims what is due and scans all registries side by side.

A registry that is done is looked at again until nothing of it is due, so no registry waits for another, and a
large one is scanned in shares.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from asgiref.sync import async_to_sync
from django.conf import settings

from updater import clock
from updater.audit import Actor
from updater.configuration.registries import Endpoint, Registries
from updater.connections import registry_access
from updater.integrations import registry
from updater.models import Registry
from updater.scanning import claiming, shared_rate
from updater.scanning.host_scan import HostScan
from updater.scanning.planning import Job, ScanSummary
from updater.scanning.preparing import CredentialsFor, JobMaker
from updater.scanning.throttle import BURST, Bucket, FallbackBucket, HostThrottle, LocalBucket
from updater.scanning.tuning import Moment, Surroundings, Tuning, in_database

logger = logging.getLogger(__name__)


def scan_due(
    *,
    endpoints: Registries,
    credentials_for: CredentialsFor,
    at: datetime,
    by: Actor,
    access: registry.Access | None = None,
    tuning: Tuning | None = None,
) -> ScanSummary:
    """Scan the image repositories that are due; what fails is written down and never stops the others."""
    cycle = _Cycle(
        jobs=JobMaker(endpoints, credentials_for),
        access=access or registry_access.access(),
        tuning=tuning or Tuning(interval_seconds=settings.SCAN_SECONDS),
        now=Moment(at, by),
    )
    return async_to_sync(cycle.run)()


class _Cycle:
    def __init__(
        self, *, jobs: JobMaker, access: registry.Access, tuning: Tuning, now: Moment
    ) -> None:
        self._job_maker = jobs
        self._access = access
        self._tuning = tuning
        self._now = now
        self._running: dict[asyncio.Task[ScanSummary], str] = {}
        self._summary = ScanSummary()

    async def run(self) -> ScanSummary:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._tuning.pass_seconds
        async with shared_rate.connect(settings.CELERY_BROKER_URL) as shared:
            throttle_of = _throttles(shared, loop.time)
            around = Surroundings(self._access, throttle_of, self._tuning, self._now, ends_at)
            await self._start_due(around)
            while self._running:
                await self._wait()
                if loop.time() < ends_at:  # more may be due: large registries, unfinished ones
                    now = replace(self._now, at=await in_database(clock.now))
                    await self._start_due(replace(around, now=now))
        return self._summary

    async def _start_due(self, around: Surroundings) -> None:
        claimed = await in_database(self._claim, around.now.at, set(self._running.values()))
        for row, jobs in claimed:
            scan = HostScan(row.host, jobs, around, was_failing=bool(row.error_code))
            self._running[asyncio.create_task(scan.run())] = row.host

    def _claim(self, at: datetime, busy: set[str]) -> list[tuple[Registry, list[Job]]]:
        claimed = []
        for row in claiming.hosts_due(at=at, busy=busy):
            ids = claiming.claim(row, at=at, interval_seconds=self._tuning.interval_seconds)
            claimed.append((row, self._job_maker.jobs(ids)))
        return claimed

    async def _wait(self) -> None:
        done, _ = await asyncio.wait(
            self._running,
            timeout=self._tuning.reclaim_seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in done:
            host = self._running.pop(task)
            error = task.exception()
            if error is None:
                self._summary.take(task.result())
            else:
                logger.error("scan of a registry broke", extra={"host": host}, exc_info=error)


def _throttles(
    shared: shared_rate.Client | None, now: Callable[[], float]
) -> Callable[[Endpoint], HostThrottle]:
    def _throttle_of(endpoint: Endpoint) -> HostThrottle:
        rate = endpoint.limit_per_second
        if not rate:
            return HostThrottle(None, now)
        burst = max(1.0, min(BURST, rate))
        bucket: Bucket = LocalBucket(rate, burst, now)
        if shared is not None:
            there = shared_rate.bucket(shared, endpoint.host, rate=rate, burst=burst)
            bucket = FallbackBucket(there, bucket)
        return HostThrottle(bucket, now)

    return _throttle_of
