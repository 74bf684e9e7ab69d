"""Watch streams: one JSON object per line, from a version on, with bookmarks, until the time is up."""

import asyncio
import json
import math
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from onebox.world.cluster.documents import Json
from onebox.world.cluster.listing import Question
from onebox.world.cluster.resources import Resource
from onebox.world.cluster.statuses import ApiError
from onebox.world.cluster.store import Change, Store


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What is watched, from where, for how long."""

    question: Question
    since: str
    seconds: float
    bookmark_seconds: float = math.inf  # infinite: the client wants none

    @property
    def starts_with_everything(self) -> bool:
        """Without a version a watch begins with an ADDED event for all that exists."""
        return self.since in ("", "0")


def default_seconds() -> float:
    """How long a stream lives when the client does not say: half an hour to an hour."""
    return random.uniform(1800, 3600)  # noqa: S311  spreads reconnections, no secret


async def lines(store: Store, request: WatchRequest, ended: asyncio.Event) -> AsyncIterator[bytes]:
    """Yield event lines until time is up, the client is gone (`ended`), or the version is too old."""
    waker = asyncio.Event()
    store.add_waker(waker)
    try:
        async for line in _follow(store, request, waker, ended):
            yield line
    except ApiError as error:
        yield _line("ERROR", error.body)
    finally:
        store.remove_waker(waker)


async def _follow(
    store: Store, request: WatchRequest, waker: asyncio.Event, ended: asyncio.Event
) -> AsyncIterator[bytes]:
    now = asyncio.get_running_loop().time
    deadline, next_bookmark = now() + request.seconds, now() + request.bookmark_seconds
    version = store.version if request.starts_with_everything else int(request.since)
    if request.starts_with_everything:
        for manifest in _existing(store, request.question):
            yield _line("ADDED", manifest)
    while not (ended.is_set() or store.closed.is_set()) and now() < deadline:
        waker.clear()
        for change in store.changes_since(version):
            version = change.version
            for event in _events(change, request.question):
                yield event
        if now() >= next_bookmark:
            next_bookmark = now() + request.bookmark_seconds
            yield _line("BOOKMARK", _bookmark(request.question.resource, version))
        await _wait(waker, min(deadline, next_bookmark) - now())


async def _wait(waker: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(waker.wait(), max(0.001, seconds))
    except TimeoutError:
        return


def _existing(store: Store, question: Question) -> list[Json]:
    return store.select(question.resource, question.namespace, question.matches)


def _events(change: Change, question: Question) -> Iterator[bytes]:
    """Yield events as the selector sees them: leaving it looks deleted, entering it added."""
    is_elsewhere = question.namespace not in ("", change.latest["metadata"]["namespace"])
    if change.resource is not question.resource or is_elsewhere:
        return
    was = change.before is not None and question.matches(change.before)
    is_now = change.after is not None and question.matches(change.after)
    if is_now:
        yield _line("MODIFIED" if was else "ADDED", change.latest)
    elif was:
        yield _line("DELETED", change.latest)


def _bookmark(resource: Resource, version: int) -> Json:
    metadata = {"resourceVersion": str(version), "creationTimestamp": None}
    return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}


def _line(kind: str, manifest: Json) -> bytes:
    return json.dumps({"type": kind, "object": manifest}).encode() + b"\n"
