"""Scans one image repository: list, choose, ask for what is missing, choose again. Errors are the caller's."""

import asyncio

from updater.errors import UpdaterError
from updater.integrations import registry
from updater.scanning import ledger, recording
from updater.scanning.fetching import Fetcher, pieces
from updater.scanning.planning import Errand
from updater.scanning.tuning import Surroundings, in_database

MAX_ROUNDS = 10  # of asking and choosing again; more is left to the next scan


class RepositoryScan:
    """One scan of one repository."""

    def __init__(self, fetcher: Fetcher, around: Surroundings) -> None:
        self.offers = 0
        self._fetcher = fetcher
        self._job = fetcher.job
        self._around = around
        self._failures: dict[str, UpdaterError] = {}
        self._clock = asyncio.get_running_loop().time
        self._ends_at = self._clock() + around.tuning.repository_seconds

    async def run(self) -> bool:
        """Scan; return False if the time was over before everything was read.

        Raises:
            UpdaterError: the registry's errors; what was read before is kept.
        """
        listing = await self._fetcher.list_tags()
        if not listing.is_complete:
            message = f"{self._job.full_name}: the tag list is incomplete. {listing.reason}"
            raise registry.TagListIncompleteError(message)
        if not await self._choose(listing):
            return False
        await self._succeed(len(listing.names))
        return True

    async def _choose(self, listing: registry.TagList) -> bool:
        now, guard = self._around.now, self._around.tuning.guard_seconds
        step = await in_database(ledger.begin, self._job, listing, now=now, guard_seconds=guard)
        self.offers += step.offers
        for _ in range(MAX_ROUNDS):
            if step.errand.is_empty:
                return True
            if not await self._run(step.errand):
                return False
            step = await in_database(ledger.advance, self._job, self._failures, now=now)
            self.offers += step.offers
        return step.errand.is_empty

    async def _run(self, errand: Errand) -> bool:
        for piece in pieces(errand):
            if self._clock() > self._ends_at:
                return False
            harvest = await self._fetcher.run(piece)
            await in_database(ledger.keep, self._job, harvest, now=self._around.now)
            self._failures |= harvest.failures
            if harvest.fatal is not None:
                raise harvest.fatal
        return True

    async def _succeed(self, tags: int) -> None:
        await in_database(
            recording.record_success,
            self._job.repository_id,
            now=self._around.now,
            tags=tags,
            requests=sum(self._fetcher.requests.values()),
        )
