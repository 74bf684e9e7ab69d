"""What goes wrong, by the names that a schedule uses; each fault undoes itself after a while."""

import heapq
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.faults.crew import BEAT, EXECUTE, SCAN, Crew
from tests.faults.history import History
from tests.faults.proxy import Proxy
from tests.faults.rig import Rig
from tests.faults.schedule import Step

BEYOND_SECONDS = 0.7


@dataclass
class Nemesis:
    """Does faults from the main thread, and what undoes them when its time has come."""

    rig: Rig
    crew: Crew
    git: Proxy
    database: Proxy
    history: History
    _later: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def act(self, step: Step) -> None:
        """Do one fault."""
        self.history.fault(step.do, on=step.on, **step.about)
        getattr(self, step.do)(step)

    def undo_due(self) -> None:
        """Undo what has lasted long enough."""
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()

    def heal(self) -> None:
        """Let every fault last as long as it was to last, then see to it that nothing is left of any."""
        while self._later:
            self.undo_due()
            time.sleep(0.05)
        self.git.heal()
        self.database.heal()
        self.crew.heal()

    def _in(self, seconds: float, undo: Callable[[], object]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), undo))

    # Processes

    def kill(self, step: Step) -> None:
        """Kill a worker that executes; another is started at once."""
        self.crew.replace(self.crew.one(EXECUTE, step.on))

    def kill_scan(self, step: Step) -> None:
        """Kill the worker that scans, and beat."""
        self.crew.replace(self.crew.one(SCAN, step.on))
        self.crew.replace(self.crew.one(BEAT, 0))

    def pause(self, step: Step) -> None:
        """Let a worker stand still for longer than its lease, then go on as if nothing had been."""
        process = self.crew.one(EXECUTE, step.on)
        process.send(signal.SIGSTOP)
        self._in(settings.LEASE_SECONDS + BEYOND_SECONDS, lambda: process.send(signal.SIGCONT))

    def clock(self, step: Step) -> None:
        """Put a worker whose clock is an hour wrong in the place of a right one."""
        self.crew.replace(self.crew.one(EXECUTE, step.on), clock_ahead=step.about["ahead"])

    # Connections

    def git_cut(self, step: Step) -> None:
        """Cut what the Git host answers after some bytes."""
        self.git.cuts_after = step.about["bytes"]
        self._in(step.about["seconds"], self.git.heal)

    def git_mute(self, step: Step) -> None:
        """Let the Git host do what it is asked and drop its answers."""
        self.git.is_mute = True
        self._in(step.about["seconds"], self.git.heal)

    def git_down(self, step: Step) -> None:
        """Let the Git host be away."""
        self.git.refuse()
        self._in(step.about["seconds"] * 2, self.git.heal)

    def database_cut(self, step: Step) -> None:
        """Cut the workers' connections to PostgreSQL."""
        self.database.refuse()
        self._in(step.about["seconds"] / 2, self.database.heal)

    def database_mute(self, _: Step) -> None:
        """Let PostgreSQL do what workers ask, COMMIT for one, and drop its answers."""
        self.database.is_mute = True
        self._in(0.05, self.database.heal)

    # Servers

    def postgres(self, _: Step) -> None:
        """Restart PostgreSQL in immediate mode: no farewell, recovery from its log."""
        self.rig.postgres.stop(signal.SIGQUIT)
        self.rig.postgres.start()
        connection.close()  # this thread's own is gone, too

    def valkey(self, _: Step) -> None:
        """Stop Valkey with everything that was queued, and start it empty."""
        self.rig.valkey.stop(signal.SIGKILL)
        for folder in Path(self.rig.folder / "valkey").glob("appendonlydir*"):
            shutil.rmtree(folder)
        self.rig.valkey.start()
