"""Scans one image repository: list, choose, ask for what is missing, choose again. Errors are the caller's."""

import asyncio

from updater.errors import UpdaterError
from updater.integrations import registry
from updater.scanning import ledger
from updater.scanning.batching import Batcher
from updater.scanning.fetching import Fetcher, pieces
from updater.scanning.ledger import Step
from updater.scanning.planning import Errand, Harvest, Listed
from updater.scanning.tuning import Surroundings, in_database

MAX_ROUNDS = 10  # of asking and choosing again; more is left to the next scan

Beginnings = Batcher[Listed, Step]


class RepositoryScan:
    """One scan of one repository; tag lists are taken together with those of other repositories."""

    def __init__(self, fetcher: Fetcher, beginnings: Beginnings, around: Surroundings) -> None:
        self.offers = 0
        self._fetcher = fetcher
        self._beginnings = beginnings
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
        requests = sum(self._fetcher.requests.values())
        step = await self._beginnings.submit(Listed(self._job, listing, requests))
        if step.errand.is_empty:
            self.offers += step.offers
            return True
        if not await self._continue(step):
            return False
        requests = sum(self._fetcher.requests.values())
        await in_database(
            ledger.finish,
            self._job,
            tags=len(listing.names),
            requests=requests,
            now=self._around.now,
        )
        return True

    async def recheck(self, tag: str) -> str:
        """Ask for the digest behind one tag, write down what follows from it, and return it."""
        digest = await self._fetcher.head_digest(tag)
        now = self._around.now
        await in_database(ledger.keep, self._job, Harvest(digests={tag: digest}), now=now)
        await self._continue(await in_database(ledger.advance, self._job, {}, now=now))
        return digest

    async def read(self, tag: str) -> str:
        """Do the same, and read the manifest behind the tag unless it is known.

        Raises:
            UpdaterError: also when the manifest itself cannot be had.
        """
        digest = await self.recheck(tag)
        known = await in_database(ledger.known_digests, self._job)
        if digest not in known:
            await self._run(Errand(reads={tag: digest}, known=known))
        if tag in self._failures:
            raise self._failures[tag]
        return digest

    async def _continue(self, step: Step) -> bool:
        """Run errands until nothing is missing; return False if the time was over first."""
        now = self._around.now
        self.offers += step.offers
        for _ in range(MAX_ROUNDS):
            if step.errand.is_empty:
                break
            if not await self._run(step.errand):
                return False
            step = await in_database(ledger.advance, self._job, self._failures, now=now)
            self.offers += step.offers
        return step.errand.is_empty

    async def _run(self, errand: Errand) -> bool:
        for number, piece in enumerate(pieces(errand)):
            if (
                number and self._clock() > self._ends_at
            ):  # the first is always run: no scan is in vain
                return False
            harvest = await self._fetcher.run(piece)
            await in_database(ledger.keep, self._job, harvest, now=self._around.now)
            self._failures |= harvest.failures
            if harvest.fatal is not None:
                raise harvest.fatal
        return True
