"""The objects, their versions and the log of changes; used by one event loop only, so without locks.

A stored manifest is never changed in place: every write puts a new one, so lists and snapshots share them.
"""

import asyncio
import bisect
from dataclasses import dataclass, field
from pathlib import Path

from onebox.world.cluster import persistence
from onebox.world.cluster.documents import Json
from onebox.world.cluster.resources import RESOURCES, Resource
from onebox.world.cluster.selectors import Matcher
from onebox.world.cluster.statuses import expired


@dataclass(frozen=True, slots=True)
class Change:
    """One write, with the object before and after it."""

    version: int
    resource: Resource
    before: Json | None
    after: Json | None

    @property
    def latest(self) -> Json:
        """The object after the write, or its last state."""
        manifest = self.after if self.after is not None else self.before
        return manifest or {}


@dataclass
class Store:
    """All objects of the cluster, optionally kept in a folder."""

    folder: Path | None = None
    keep_changes: int = 5000
    version: int = 0
    _objects: dict[Resource, dict[tuple[str, str], Json]] = field(default_factory=dict)
    _log: list[Change] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _wakers: set[asyncio.Event] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._objects = {resource: {} for resource in RESOURCES}
        if self.folder is not None:
            self.version = persistence.load(self.folder, self._objects)
        self.oldest = self.version

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """Return an object, or None."""
        return self._objects[resource].get((namespace, name))

    def select(self, resource: Resource, namespace: str, matches: Matcher) -> list[Json]:
        """Return matching objects of one namespace, or of all for "", by namespace and name."""
        found = sorted(self._objects[resource].items())
        return [item for key, item in found if namespace in ("", key[0]) and matches(item)]

    def put(self, resource: Resource, manifest: Json) -> Json:
        """Store an object under the next resourceVersion and tell the watchers."""
        metadata = manifest["metadata"]
        key = (metadata["namespace"], metadata["name"])
        self.version += 1
        stored = {**manifest, "metadata": {**metadata, "resourceVersion": str(self.version)}}
        before = self._objects[resource].get(key)
        self._objects[resource][key] = stored
        self._publish(Change(self.version, resource, before, stored))
        return stored

    def remove(self, resource: Resource, manifest: Json) -> Json:
        """Delete an object; its last state carries the new version, as DELETED events do."""
        metadata = manifest["metadata"]
        self.version += 1
        last = {**manifest, "metadata": {**metadata, "resourceVersion": str(self.version)}}
        del self._objects[resource][metadata["namespace"], metadata["name"]]
        self._publish(Change(self.version, resource, last, None))
        return last

    def dependents(self, uid: str) -> list[tuple[Resource, Json]]:
        """Return the objects that name this uid as owner."""
        return [
            (resource, item)
            for resource, objects in self._objects.items()
            for item in objects.values()
            if any(owner.get("uid") == uid for owner in item["metadata"].get("ownerReferences", []))
        ]

    def _publish(self, change: Change) -> None:
        self._log.append(change)
        if len(self._log) > 2 * self.keep_changes:
            self.forget_before(self._log[-self.keep_changes].version - 1)
        if self.folder is not None:
            persistence.save(
                self.folder, change.resource, change.latest, is_gone=change.after is None
            )
        self.wake()

    def wake(self) -> None:
        """Let every watcher look again."""
        for waker in self._wakers:
            waker.set()

    def close(self) -> None:
        """End every watch."""
        self.closed.set()
        self.wake()

    def add_waker(self, waker: asyncio.Event) -> None:
        """Have an event set at every change, until it is removed."""
        self._wakers.add(waker)

    def remove_waker(self, waker: asyncio.Event) -> None:
        """End what `add_waker` began."""
        self._wakers.discard(waker)

    def changes_since(self, version: int) -> list[Change]:
        """Return what happened after a version, or raise 410 when it is forgotten."""
        if version < self.oldest:
            raise expired(f"too old resource version: {version} ({self.oldest})")
        start = bisect.bisect_right(self._log, version, key=lambda change: change.version)
        return self._log[start:]

    def forget_before(self, version: int) -> None:
        """Compact the log: watches from this version or older end with 410."""
        self.oldest = version
        start = bisect.bisect_right(self._log, version, key=lambda change: change.version)
        del self._log[:start]
