"""The product's processes of a run: workers of both queues and beat, and what a nemesis does to them."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.workers import Nursery, Process

EXECUTE, SCAN, BEAT = "execute", "scan", "beat"


@dataclass
class Crew:
    """Who works now. Processes are started from the main thread only."""

    nursery: Nursery
    database_host: Path  # a folder of sockets, behind the proxy
    settings: dict[str, Any] = field(default_factory=dict)
    working: dict[str, list[Process]] = field(default_factory=dict)
    dead: list[Process] = field(default_factory=list)

    def start(self, *, execute: int = 2, scan: int = 1) -> None:
        """Start everything."""
        for queue, count in ((EXECUTE, execute), (SCAN, scan), (BEAT, 1)):
            self.working[queue] = [self._begin(queue) for _ in range(count)]
        for process in self._workers():
            process.wait_until_ready()

    def one(self, queue: str, number: int) -> Process:
        """Return one of the processes, counted around."""
        return self.working[queue][number % len(self.working[queue])]

    def kill(self, process: Process) -> None:
        """Kill a process group as `kill -9` does."""
        process.kill()

    def replace(self, process: Process, *, clock_ahead: int = 0) -> Process:
        """Kill a process group and start another in its place, perhaps with a wrong clock."""
        for queue, processes in self.working.items():
            if process in processes:
                process.kill()
                self.dead.append(process)
                fresh = self._begin(queue, clock_ahead=clock_ahead)
                processes[processes.index(process)] = fresh
                return fresh
        raise AssertionError(f"process {process.pid} is none of the crew")

    def heal(self) -> None:
        """Let go on what stands still, and start anew what ended."""
        for process in list(self.everybody()):
            process.send(signal.SIGCONT)
            if process.exit_code is not None:
                self.replace(process)

    def stop(self) -> None:
        """Ask everybody to end in order, beat first; kill who does not."""
        for queue in (BEAT, SCAN, EXECUTE):
            processes = self.working.pop(queue, [])
            for process in processes:
                process.send_to_leader(signal.SIGTERM)
            for process in processes:
                _end(process)
                self.dead.append(process)

    def everybody(self) -> Iterator[Process]:
        """Return every process that should work now."""
        for processes in self.working.values():
            yield from processes

    def _workers(self) -> Iterator[Process]:
        for queue in (EXECUTE, SCAN):
            yield from self.working.get(queue, [])

    def _begin(self, queue: str, *, clock_ahead: int = 0) -> Process:
        what = "beat" if queue == BEAT else "worker"
        told = {"queues": queue, "database_host": str(self.database_host)}
        return self.nursery.start(what, self.settings, **told, clock_ahead=str(clock_ahead))


def _end(process: Process) -> None:
    try:
        process.wait(seconds=15)
    except AssertionError:
        process.kill()
        raise
    process.send(signal.SIGKILL)  # a pool process that outlived its worker
