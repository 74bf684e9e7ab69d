"""The network side of one repository's scan: lists tags with the first login that may, and runs errands."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from updater import patterns
from updater.errors import UpdaterError
from updater.integrations import registry
from updater.scanning.planning import Errand, Harvest, Job

Result = TypeVar("Result")
PIECE = 50  # tags of one errand read before what is known is written down
# What another login may mend
DENIED = (
    registry.AuthenticationFailedError,
    registry.ForbiddenError,
    registry.RepositoryNotFoundError,
    registry.ManifestNotFoundError,
)


@dataclass(slots=True)
class Fetcher:
    """Asks one registry about one repository; `slots` bounds what all its repositories ask at once."""

    connection: registry.Connection
    job: Job
    slots: asyncio.Semaphore
    _clients: list[registry.RegistryClient] = field(default_factory=list)

    @property
    def requests(self) -> dict[str, int]:
        """How many requests were sent, by kind."""
        total: dict[str, int] = {}
        for client in self._clients:
            for kind, count in client.requests.items():
                total[kind] = total.get(kind, 0) + count
        return total

    async def list_tags(self) -> registry.TagList:
        """Return the tags, read with the first login that may read them."""
        # A registry that sorts by time must be left to its own order
        size = {"page_size": None} if self.job.endpoint.sort_mode else {}
        return await self._first(lambda client: client.list_tags(self.job.path, **size))

    async def head_digest(self, tag: str) -> str:
        """Return the digest behind a tag, read with the first login that may read it."""
        return await self._first(lambda client: client.head_digest(self.job.path, tag))

    async def _first(self, ask: Callable[[registry.RegistryClient], Awaitable[Result]]) -> Result:
        if self.job.login_error is not None and not self.job.logins:
            raise self.job.login_error
        for login in self.job.logins[:-1]:
            try:
                return await self._with(login, ask)
            except DENIED:
                continue
        return await self._with(self.job.logins[-1], ask)

    async def _with(
        self,
        login: registry.Credentials | None,
        ask: Callable[[registry.RegistryClient], Awaitable[Result]],
    ) -> Result:
        self._clients.append(self.connection.client(login))
        async with self.slots:
            return await ask(self._clients[-1])

    async def run(self, piece: Errand) -> Harvest:
        """Ask for one piece of an errand; all that came is in the harvest, even if something broke it off."""
        parts = await asyncio.gather(
            *(self._guarded(tag, self._head(tag)) for tag in piece.heads),
            *(
                self._guarded(tag, self._read(tag, digest, piece.known))
                for tag, digest in piece.reads.items()
            ),
        )
        whole = Harvest()
        for part in parts:
            whole.take(part)
        return whole

    async def _guarded(self, tag: str, asked: Awaitable[Harvest]) -> Harvest:
        async with self.slots:
            try:
                return await asked
            except registry.BadAnswerError as error:
                if error.digest is not None:
                    return Harvest(digests={tag: error.digest}, problems={error.digest: str(error)})
                return Harvest(failures={tag: error})
            except registry.ManifestNotFoundError as error:  # deleted since it was listed
                return Harvest(failures={tag: error})
            except UpdaterError as error:
                return Harvest(fatal=error)

    async def _head(self, tag: str) -> Harvest:
        return Harvest(digests={tag: await self._clients[-1].head_digest(self.job.path, tag)})

    async def _read(self, tag: str, digest: str, known: frozenset[str]) -> Harvest:
        found, manifest = await self._clients[-1].find_manifest(
            self.job.path, digest or tag, wanted=self._wants(), known=known
        )
        manifests = {found: manifest} if manifest is not None else {}
        return Harvest(digests={tag: found}, manifests=manifests)

    def _wants(self) -> Callable[[str], bool]:
        return lambda platform: patterns.platform_matches(self.job.platforms, platform)


def pieces(errand: Errand) -> Iterator[Errand]:
    """Cut an errand into pieces; the newest-looking tags (last in the list) are read first."""
    if errand.heads:
        yield Errand(heads=errand.heads)
    left = iter(reversed(list(errand.reads.items())))
    while part := dict(islice(left, PIECE)):
        yield Errand(reads=part, known=errand.known)
