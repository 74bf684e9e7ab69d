"""The controller: it watches, queues what changed, and works it off with a few threads (section 2.1)."""

import logging
import threading
from collections.abc import Callable

import httpx

from onebox.world.argocd import (
    application_sets,
    children,
    deleting,
    hydrating,
    levels,
    operations,
    refreshing,
    sources,
    status_writing,
)
from onebox.world.argocd.api import APPLICATION_SETS, APPLICATIONS, ApiError, Changed
from onebox.world.argocd.installation import Installation, Memory, key_of
from onebox.world.argocd.work_queue import WorkQueue
from onebox.world.cluster.documents import Json
from onebox.world.cluster.patches import difference
from onebox.world.cluster.resources import Resource

logger = logging.getLogger(__name__)

SKIP = "argocd.argoproj.io/skip-reconcile"
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_WATCH_SECONDS = 300
_PAUSE_AFTER_ERROR_SECONDS = 1.0
_SHORTEST_PAUSE_SECONDS = 0.01
_LAST_EVENT_SECONDS = 0.5


class Controller:
    """Runs one installation until it is stopped."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self._applications, self._sets = WorkQueue(), WorkQueue()
        self._instances: dict[str, str] = {}  # instance name to key, for parents of children
        self._stopping = threading.Event()
        self._workers: list[threading.Thread] = []
        self._watchers: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to watch and work."""
        watched = ((APPLICATIONS, self._notice_application), (APPLICATION_SETS, self._notice_set))
        self._watchers = [_run(self._watch_for_ever, kind, notice) for kind, notice in watched]
        work = [
            (self._applications, self._reconcile_application)
        ] * self.installation.settings.workers
        for queue, reconcile_one in [*work, (self._sets, self._reconcile_set)]:
            self._workers.append(_run(self._work_for_ever, queue, reconcile_one))

    def stop(self) -> None:
        """Let the work in hand be finished; a watch ends with its next event or bookmark."""
        self._stopping.set()
        self._applications.close()
        self._sets.close()
        for worker in self._workers:
            worker.join(5)
        for watcher in self._watchers:
            watcher.join(_LAST_EVENT_SECONDS)
        # Never under a thread that still reads: its socket's number could be given to somebody else.
        if not any(watcher.is_alive() for watcher in self._watchers):
            self.installation.api.close()

    def _watch_for_ever(self, kind: Resource, notice: Callable[[Json], None]) -> None:
        while not self._stopping.is_set():
            try:
                self._watch(kind, notice)
            except (
                ApiError,
                httpx.HTTPError,
                RuntimeError,
            ) as error:  # a closed client is a RuntimeError
                if not self._stopping.is_set():
                    logger.info("watch ended", extra={"kind": kind.kind, "error": str(error)})
                    self._stopping.wait(_PAUSE_AFTER_ERROR_SECONDS)

    def _watch(self, kind: Resource, notice: Callable[[Json], None]) -> None:
        items, version = self.installation.api.list_objects(kind)
        for item in items:
            notice(item)
        while not self._stopping.is_set():
            event: Changed
            for event in self.installation.api.watch(kind, version, _WATCH_SECONDS):
                if self._stopping.is_set():
                    return
                version = event.manifest["metadata"]["resourceVersion"]
                if event.kind != "BOOKMARK":
                    notice(event.manifest)

    def _notice_application(self, app: Json) -> None:
        key = key_of(app)
        self._instances[self.installation.instance(app)] = key
        self._applications.add(key)
        parent = self._instances.get(children.parent_of(app), "")
        if parent:
            self.installation.nudge(parent, levels.KNOWN)
            self._applications.add(parent)
        if owner := application_sets.owner_key(app):
            self._sets.add(owner)

    def _notice_set(self, application_set: Json) -> None:
        self._sets.add(key_of(application_set))

    def _work_for_ever(self, queue: WorkQueue, reconcile: Callable[[str], float | None]) -> None:
        while (key := queue.take()) is not None:
            try:
                again_at = reconcile(key)
                if again_at is not None:
                    pause = again_at - self.installation.clock()
                    queue.add_after(key, max(_SHORTEST_PAUSE_SECONDS, pause))
            except Exception as error:  # noqa: BLE001  one bad Application never stops the others
                self._report(key, error)
                queue.add_after(key, _PAUSE_AFTER_ERROR_SECONDS)
            finally:
                queue.done(key)

    def _report(self, key: str, error: Exception) -> None:
        is_deleted = isinstance(error, ApiError) and error.code == 404
        if not self._stopping.is_set() and not is_deleted:
            logger.warning("reconciling failed", extra={"key": key}, exc_info=error)

    def _reconcile_set(self, key: str) -> float | None:
        found = self.installation.api.find(APPLICATION_SETS, *key.split("/"))
        if found is None:
            return None
        application_sets.reconcile(self.installation, found)
        return self.installation.clock() + self.installation.settings.application_set_seconds

    def _reconcile_application(self, key: str) -> float | None:
        app = self.installation.find(key)
        if app is None or not self.installation.is_watched(app) or is_skipped(app):
            return None
        return reconcile(self.installation, app)


def is_skipped(app: Json) -> bool:
    """Whether the Application asks to be left alone altogether."""
    return app["metadata"].get("annotations", {}).get(SKIP) in _TRUE


def reconcile(installation: Installation, app: Json) -> float | None:
    """Do what is due for one Application; return when to look again."""
    memory = installation.memory(app)
    moments: list[float | None] = []
    if "operation" in app:
        operations.advance(installation, app, memory)
        app = installation.find(key_of(app)) or app
    elif memory.run is not None:
        memory.run = None
    if "deletionTimestamp" in app["metadata"]:
        if memory.run is None:
            deleting.finish(installation, app)
        return _earliest([memory.run.next_at if memory.run else None])
    if (spec := sources.normalized(app["spec"])) != app["spec"]:
        app = installation.patch(app, {"spec": difference(app["spec"], spec)})
    if "sourceHydrator" in app["spec"]:
        moments.append(hydrating.advance(installation, app, memory))
    moments += _compare(installation, app, memory)
    moments.append(memory.run.next_at if memory.run else None)
    return _earliest(moments)


def _compare(installation: Installation, app: Json, memory: Memory) -> list[float | None]:
    level = levels.wanted_level(installation, app, memory)
    if memory.heal_at is not None and installation.clock() >= memory.heal_at:
        level = max(level, levels.KNOWN)
    if level:
        refreshing.refresh(installation, app, memory, level)
        app = installation.find(key_of(app)) or app
    next_tick = status_writing.tick(installation, app)
    return [next_tick, memory.heal_at, levels.next_resync(installation, memory)]


def _earliest(moments: list[float | None]) -> float | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _run(function: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread
