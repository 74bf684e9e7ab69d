"""Works on many targets side by side in threads, so that a slow host holds up its own targets only.

While something still runs, what became due meanwhile is started beside it; one host never takes all lanes.
A lane keeps its connection to the database over the sweep: opening one costs as much as a small target's work.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # between looks for more, while something runs
REST_SECONDS = (
    0.1  # the least between two looks: where targets end quickly, a look costs more than it finds
)
START_SECONDS = 150.0  # nothing is started later than this: a sweep must come to its end
_Work = TypeVar("_Work")


@dataclass(frozen=True, slots=True)
class Task(Generic[_Work]):
    """The work on one target; the same `key` is not begun twice in a sweep."""

    host: str
    key: Hashable
    work: _Work


@dataclass
class Lanes(Generic[_Work]):
    """One sweep over targets: `find` names what is due, `do` works on one of them and never raises."""

    find: Callable[[], Mapping[str, Task[_Work]]]
    do: Callable[[str, _Work], None]
    count: int = 8
    start_seconds: float = START_SECONDS
    _running: dict["Future[None]", tuple[str, str]] = field(default_factory=dict)
    _begun: set[Hashable] = field(default_factory=set)
    _opened: set[BaseDatabaseWrapper] = field(default_factory=set)

    def run(self) -> int:
        """Work until nothing is due and nothing runs; return how many targets were worked on."""
        ends_at = time.monotonic() + self.start_seconds
        try:
            with ThreadPoolExecutor(self.count, thread_name_prefix="lane") as pool:
                self._start(pool)
                while self._running:
                    self._await()
                    if time.monotonic() < ends_at:
                        self._start(pool)
        finally:
            self._close()
        return len(self._begun)

    def _await(self) -> None:
        """Wait until a lane is free, and while others run, a moment for them to end, too."""
        self._gather(LOOK_SECONDS)
        rested = time.monotonic() + REST_SECONDS
        while self._running and (left := rested - time.monotonic()) > 0:
            self._gather(left)

    def _gather(self, seconds: float) -> None:
        done, _ = wait(self._running, timeout=seconds, return_when=FIRST_COMPLETED)
        for future in done:
            self._end(future)

    def _start(self, pool: ThreadPoolExecutor) -> None:
        busy = {target for target, _ in self._running.values()}
        hosts = Counter(host for _, host in self._running.values())
        for target, task in self.find().items():
            if len(self._running) >= self.count:
                return
            is_new = (target, task.key) not in self._begun and target not in busy
            if is_new and hosts[task.host] < self._per_host:
                self._begun.add((target, task.key))
                hosts[task.host] += 1
                future = pool.submit(self._in_thread, target, task.work)
                self._running[future] = (target, task.host)

    @property
    def _per_host(self) -> int:
        return max(1, self.count // 2)

    def _in_thread(self, target: str, work: _Work) -> None:
        wrapper = connections["default"]
        if wrapper not in self._opened:
            wrapper.inc_thread_sharing()  # the sweep closes it when the lane is gone
            self._opened.add(wrapper)
        try:
            self.do(target, work)
        finally:
            if wrapper.errors_occurred:
                wrapper.close()  # the next target gets a sound one

    def _close(self) -> None:
        for wrapper in self._opened:
            wrapper.close()

    def _end(self, future: "Future[None]") -> None:
        target, _ = self._running.pop(future)
        if error := future.exception():
            logger.error("target crashed", extra={"target": target}, exc_info=error)
