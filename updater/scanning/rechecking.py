"""Looks again which digest stands behind one tag: a tag that was pushed again makes an approval void.

A tag that a person asks for is also read, whichever strategy would have left it alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from asgiref.sync import async_to_sync

from updater.audit import Actor
from updater.configuration.registries import Registries
from updater.connections import registry_access
from updater.errors import PermanentError
from updater.integrations import registry
from updater.models import ImageTag, TrackedImage
from updater.scanning import ledger
from updater.scanning.batching import Batcher
from updater.scanning.fetching import Fetcher
from updater.scanning.planning import Job
from updater.scanning.preparing import CredentialsFor, JobMaker
from updater.scanning.repository_scan import RepositoryScan
from updater.scanning.throttle import HostThrottle
from updater.scanning.tuning import Moment, Surroundings, Tuning


class NothingToAskError(PermanentError):
    """The image is not one whose repository can be asked."""

    code = "nothing_to_ask"


@dataclass(frozen=True, slots=True)
class Recheck:
    """The digest behind a tag now, and the one known before ("": none)."""

    tag: str
    digest: str
    before: str

    @property
    def is_moved(self) -> bool:
        """Whether the tag was pushed again since."""
        return self.before not in ("", self.digest)


def recheck_digest(
    *,
    image: TrackedImage,
    tag: str,
    endpoints: Registries,
    credentials_for: CredentialsFor,
    at: datetime,
    by: Actor,
) -> Recheck:
    """Ask the registry for the digest behind a tag; a moved one is recorded, and offers follow it.

    Raises:
        UpdaterError: the registry's errors, and NothingToAskError; nothing is written then.
    """
    source = _Source(image, tag, endpoints, credentials_for)
    return source.look(RepositoryScan.recheck, Moment(at, by))


def read_tag(
    *,
    image: TrackedImage,
    tag: str,
    endpoints: Registries,
    credentials_for: CredentialsFor,
    at: datetime,
    by: Actor,
) -> Recheck:
    """Ask for the digest behind a tag, and read its manifest if nobody did: so it can be pulled, and is known.

    Raises:
        UpdaterError: the registry's errors, and NothingToAskError.
    """
    source = _Source(image, tag, endpoints, credentials_for)
    return source.look(RepositoryScan.read, Moment(at, by))


Look = Callable[[RepositoryScan, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class _Source:
    image: TrackedImage
    tag: str
    endpoints: Registries
    credentials_for: CredentialsFor

    def look(self, how: Look, now: Moment) -> Recheck:
        image = self.image
        jobs = JobMaker(self.endpoints, self.credentials_for).jobs([image.image_repository_id or 0])
        if not jobs:
            raise NothingToAskError(f"{image.alias} is not configured any more, or unusable.")
        known = ImageTag.objects.filter(
            image_repository=image.image_repository_id, name=self.tag, removed_at=None
        )
        before = known.values_list("digest", flat=True).first() or ""
        ask = partial(_ask, jobs[0], self.tag, how, registry_access.access(), now)
        return Recheck(self.tag, async_to_sync(ask)(), before)


async def _ask(job: Job, tag: str, how: Look, access: registry.Access, now: Moment) -> str:
    clock = asyncio.get_running_loop().time
    throttle = HostThrottle(None, clock)
    tuning = Tuning()
    access = replace(access, throttle=throttle)
    around = Surroundings(access, lambda _: throttle, tuning, now, clock() + tuning.pass_seconds)
    async with registry.connect(job.endpoint, access=around.access) as connection:
        fetcher = Fetcher(connection, job, asyncio.Semaphore(tuning.parallel))
        begin = partial(ledger.begin, now=now, tuning=tuning)
        return await how(RepositoryScan(fetcher, Batcher(begin), around), tag)
