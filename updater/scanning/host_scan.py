"""Scans what was claimed of one registry: several repositories at a time, until done, tripped or out of time."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

from updater.configuration.registries import Endpoint
from updater.errors import UpdaterError
from updater.integrations import registry
from updater.scanning import ledger
from updater.scanning.batching import Batcher
from updater.scanning.fetching import Fetcher
from updater.scanning.host_report import HostReport
from updater.scanning.planning import Job, ScanSummary
from updater.scanning.repository_scan import Beginnings, RepositoryScan
from updater.scanning.throttle import BudgetUsedUpError, HostThrottle
from updater.scanning.tuning import Surroundings, in_database

logger = logging.getLogger(__name__)

WORKERS = 2  # repositories under way for each request that may be sent at once


class HostScan:
    """One pass over the claimed repositories of one registry."""

    def __init__(
        self, host: str, jobs: Sequence[Job], around: Surroundings, *, was_failing: bool
    ) -> None:
        self._jobs = deque(jobs)
        self._around = around
        self._was_failing = was_failing
        self._report = HostReport(host, around.now)
        self._slots = asyncio.Semaphore(around.tuning.parallel)
        self._beginnings: Beginnings = Batcher(
            partial(ledger.begin, now=around.now, tuning=around.tuning),
            weigh=lambda listed: len(listed.listing.names),
        )
        self._clock = asyncio.get_running_loop().time
        self._stack = AsyncExitStack()
        self._connections: dict[tuple[str, bool, str | None], registry.Connection] = {}
        self._throttles: list[HostThrottle] = []

    async def run(self) -> ScanSummary:
        """Scan until nothing is left, the registry is down, or the time is over."""
        async with self._stack:
            if self._was_failing and self._jobs:
                # One probe; all others wait for its answer
                await self._scan(self._jobs.popleft(), is_probe=True)
            async with asyncio.TaskGroup() as workers:
                # More than may ask at once: some wait for the database meanwhile
                for _ in range(WORKERS * self._around.tuning.parallel):
                    workers.create_task(self._work())
        await in_database(self._report.conclude, self._jobs, was_failing=self._was_failing)
        return self._report.summary

    async def _work(self) -> None:
        while self._jobs and self._report.tripped is None and self._clock() < self._around.ends_at:
            await self._scan(self._jobs.popleft())

    async def _scan(self, job: Job, *, is_probe: bool = False) -> None:
        """Scan one repository; whatever happens to it happens to no other."""
        fetcher = Fetcher(await self._connection(job.endpoint), job, self._slots)
        scan = RepositoryScan(fetcher, self._beginnings, self._around)
        try:
            self._report.took(job, is_finished=await scan.run())
        except BudgetUsedUpError as error:
            await in_database(self._report.fail, job, error)
        except (registry.RegistryUnavailableError, registry.RateLimitedError) as error:
            if self._report.is_trouble(job, error, is_probe=is_probe):
                self._shut(error)
        except UpdaterError as error:
            if error is not job.login_error:
                self._report.answered()
            await in_database(self._report.fail, job, error)
        except Exception as error:
            logger.exception("scan broke", extra={"repository": job.full_name})
            await in_database(self._report.fail, job, error)
        self._report.summary.add(fetcher.requests, repositories=1, offers=scan.offers)

    async def _connection(self, endpoint: Endpoint) -> registry.Connection:
        key = (endpoint.api_url, endpoint.insecure, endpoint.ca_pem)
        if key not in self._connections:
            throttle = self._around.throttle_of(endpoint)
            self._throttles.append(throttle)
            access = replace(self._around.access, throttle=throttle)
            connections = self._around.tuning.parallel
            opening = registry.connect(endpoint, access=access, connections=connections)
            self._connections[key] = await self._stack.enter_async_context(opening)
        return self._connections[key]

    def _shut(self, error: registry.RegistryUnavailableError | registry.RateLimitedError) -> None:
        for throttle in self._throttles:
            throttle.shut(error)
