"""Worker processes as the rig holds them: started, killed, stopped and let go on, each with its whole group."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

READY = "ready."


@dataclass(frozen=True)
class Process:
    """One process group that the nursery started."""

    nursery: "Nursery"
    pid: int
    log: Path
    born: int  # in ticks since the machine's start: pids are given out again

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by a signal), None while it lives."""
        return self.nursery.ask({"do": "status", "pid": self.pid})["status"]

    def send(self, sig: int) -> None:
        """Send a signal to the whole group."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, sig)

    def send_to_leader(self, sig: int) -> None:
        """Send a signal to the process itself, not to its children."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it as `kill -9` does, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, *, seconds: float = 20) -> int:
        """Wait for its end and return how it ended."""
        until = time.monotonic() + seconds
        while (code := self.exit_code) is None:
            if time.monotonic() > until:
                raise AssertionError(f"process {self.pid} did not end; see {self.log}")
            time.sleep(0.02)
        return code

    def is_stopped(self) -> bool:
        """Whether it stands still."""
        with suppress(OSError):
            return read(self.pid).state == "T"
        return False

    def group(self) -> list[int]:
        """Return the processes of its group that are still there.

        A number is given out again only when nobody is left of its group: a leader born later leads another one.
        """
        found = [one for one in _running() if one.group == self.pid]
        if any(one.pid == self.pid and one.born != self.born for one in found):
            return []
        return [one.pid for one in found]

    def wait_until_ready(self, *, seconds: float = 30) -> None:
        """Wait until the worker takes tasks."""
        until = time.monotonic() + seconds
        if "beat-" in self.log.name:
            return
        while READY not in self.log.read_text(encoding="utf-8", errors="replace"):
            if time.monotonic() > until or self.exit_code is not None:
                raise AssertionError(f"no worker: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)


class Nursery:
    """The process that forks workers; it has loaded the product once."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self._count = 0
        self._started: list[Process] = []
        with (folder / "nursery.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=dict(env),
                text=True,
                bufsize=1,
            )

    def wait_until_ready(self) -> None:
        """Wait until it has loaded the product and migrated the database."""
        if '"ready"' not in self._process.stdout.readline():
            raise AssertionError((self.folder / "nursery.log").read_text()[-3000:])

    def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Give one order and return the answer."""
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(self, what: str, settings: Mapping[str, Any], **told: str) -> Process:
        """Fork a process of this kind."""
        self._count += 1
        name = f"{what}-{self._count}"
        log = self.folder / f"{name}.log"
        log.touch()
        order = {"do": what, "log": str(log), "name": name, "settings": dict(settings), **told}
        pid = self.ask(order)["pid"]
        process = Process(self, pid, log, read(pid).born)
        self._started.append(process)
        return process

    def stop(self) -> None:
        """End everything that it started, and itself."""
        for process in self._started:
            if process.group():
                process.send(signal.SIGKILL)
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.kill()
        self._process.wait()

    @property
    def processes(self) -> list[Process]:
        """Everything that it ever started."""
        return list(self._started)


class _Running(NamedTuple):
    pid: int
    state: str
    group: int
    born: int


def _running() -> list[_Running]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                found.append(read(int(entry.name)))
    return [one for one in found if one.state != "Z"]


def read(pid: int) -> _Running:
    """Return a process as the kernel tells it; OSError when there is none."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    fields = text.rpartition(")")[2].split()
    return _Running(pid, fields[0], int(fields[2]), int(fields[19]))
