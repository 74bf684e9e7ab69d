"""Looks again which digest stands behind one tag: a tag that was pushed again makes an approval void."""

import asyncio
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
    jobs = JobMaker(endpoints, credentials_for).jobs([image.image_repository_id or 0])
    if not jobs:
        raise NothingToAskError(f"{image.alias} is not configured any more, or unusable.")
    known = ImageTag.objects.filter(
        image_repository=image.image_repository_id, name=tag, removed_at=None
    )
    before = known.values_list("digest", flat=True).first() or ""
    ask = partial(_ask, jobs[0], tag, registry_access.access(), Moment(at, by))
    return Recheck(tag, async_to_sync(ask)(), before)


async def _ask(job: Job, tag: str, access: registry.Access, now: Moment) -> str:
    clock = asyncio.get_running_loop().time
    throttle = HostThrottle(None, clock)
    tuning = Tuning()
    access = replace(access, throttle=throttle)
    around = Surroundings(access, lambda _: throttle, tuning, now, clock() + tuning.pass_seconds)
    async with registry.connect(job.endpoint, access=around.access) as connection:
        fetcher = Fetcher(connection, job, asyncio.Semaphore(tuning.parallel))
        begin = partial(ledger.begin, now=now, guard_seconds=tuning.guard_seconds)
        return await RepositoryScan(fetcher, Batcher(begin), around).recheck(tag)
