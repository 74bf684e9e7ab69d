"""Lists in pages: every page of one list shows the same moment, until its token expires."""

import base64
import bisect
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from onebox.world.cluster.documents import Json
from onebox.world.cluster.resources import Resource
from onebox.world.cluster.selectors import Matcher
from onebox.world.cluster.statuses import ApiError, bad_request, expired
from onebox.world.cluster.store import Store

_SNAPSHOTS_KEPT = 64


@dataclass(frozen=True, slots=True)
class Question:
    """What is listed: one namespace or "" for all, and which objects."""

    resource: Resource
    namespace: str
    matches: Matcher


@dataclass(frozen=True, slots=True)
class Page:
    """One page; `token` is empty on the last."""

    items: list[Json]
    version: int
    token: str = ""
    remaining: int = 0


@dataclass(slots=True)
class _Snapshot:
    question: Question
    items: list[Json]
    version: int
    taken_at: float


@dataclass
class Listings:
    """The snapshots behind the list tokens."""

    store: Store
    token_seconds: float = 300
    clock: Callable[[], float] = time.monotonic
    _snapshots: dict[str, _Snapshot] = field(default_factory=dict)

    def first_page(self, question: Question, limit: int) -> Page:
        """Take a snapshot and return its first page; limit 0 is everything."""
        return self._cut(self._take(question), 0, limit)

    def next_page(self, token: str, limit: int) -> Page:
        """Return the page a token leads to; an old token raises 410 with a fresh one."""
        snapshot_id, start = _read_token(token)
        snapshot = self._snapshots.get(snapshot_id)
        if snapshot is None:
            raise expired("The provided continue parameter is too old.")
        if self.clock() - snapshot.taken_at > self.token_seconds:
            raise self._expired(snapshot, start)
        return self._cut(snapshot_id, start, limit)

    def expire_tokens(self) -> None:
        """Make every token given so far too old."""
        for snapshot in self._snapshots.values():
            snapshot.taken_at = float("-inf")

    def _take(self, question: Question) -> str:
        for oldest in list(self._snapshots)[: -_SNAPSHOTS_KEPT + 1]:
            del self._snapshots[oldest]
        items = self.store.select(question.resource, question.namespace, question.matches)
        snapshot_id = uuid.uuid4().hex
        self._snapshots[snapshot_id] = _Snapshot(question, items, self.store.version, self.clock())
        return snapshot_id

    def _cut(self, snapshot_id: str, start: int, limit: int) -> Page:
        snapshot = self._snapshots[snapshot_id]
        end = start + limit if limit else len(snapshot.items)
        if end >= len(snapshot.items):
            del self._snapshots[snapshot_id]
            return Page(snapshot.items[start:], snapshot.version)
        remaining = len(snapshot.items) - end
        return Page(
            snapshot.items[start:end], snapshot.version, _token(snapshot_id, end), remaining
        )

    def _expired(self, snapshot: _Snapshot, start: int) -> ApiError:
        fresh = self._take(snapshot.question)
        keys = [_key(item) for item in self._snapshots[fresh].items]
        place = bisect.bisect_right(keys, _key(snapshot.items[start - 1]))
        return expired(
            "The provided continue parameter is too old to display a consistent list result.",
            metadata={"continue": _token(fresh, place), "resourceVersion": str(self.store.version)},
        )


def _key(manifest: Json) -> tuple[str, str]:
    return manifest["metadata"]["namespace"], manifest["metadata"]["name"]


def _token(snapshot_id: str, start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([snapshot_id, start]).encode()).decode()


def _read_token(token: str) -> tuple[str, int]:
    try:
        snapshot_id, start = json.loads(base64.urlsafe_b64decode(token))
        return str(snapshot_id), int(start)
    except (ValueError, TypeError) as error:
        raise bad_request(f"continue key is not valid: {token!r}") from error
