"""The parent of the process tree: starts it in order, keeps it alive, stops it in the opposite order."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from onebox.console import Console
from onebox.processes import Program

LOOK_SECONDS = 0.05  # while something starts
WATCH_SECONDS = 0.2
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
SETTLED_SECONDS = 60.0  # alive for so long: the next death starts from the shortest delay again
WAYS_TO_END_US = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StartError(RuntimeError):
    """The tree did not come up; the message names the program and shows the end of its log."""


@dataclass(slots=True)
class _Watched:
    """A program of the tree, and how its last lives went."""

    program: Program
    started_at: float
    deaths: int = 0
    start_again_at: float | None = None


class Supervisor:
    """Groups of programs: started group by group, each stopped before the ones it was started after."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._groups: list[list[_Watched]] = []

    def start(self, *programs: Program) -> None:
        """Start a group of programs, to be kept alive until the end."""
        group: list[_Watched] = []
        self._groups.append(group)
        for program in programs:
            group.append(_Watched(program, self._clock()))
            program.start()

    def run(self, program: Program, *, seconds: float = 120) -> None:
        """Run a program to its end.

        Raises:
            StartError: it failed or did not end in time.
        """
        program.start()
        deadline = self._clock() + seconds
        while program.is_running and self._clock() < deadline:
            time.sleep(LOOK_SECONDS)
        if program.exit_code != 0:
            program.stop(signal.SIGKILL)
            raise StartError(_failure(program, "failed"))

    def wait_for(
        self, program: Program, is_ready: Callable[[], bool], *, seconds: float = 60
    ) -> None:
        """Wait until a started program is ready, by a look from outside.

        Raises:
            StartError: it ended, or was not ready in time.
        """
        deadline = self._clock() + seconds
        while not (is_ready() and program.is_running):  # somebody else may answer at its address
            if not program.is_running:
                raise StartError(_failure(program, "ended instead of starting"))
            if self._clock() > deadline:
                raise StartError(_failure(program, f"was not ready within {seconds:.0f} s"))
            time.sleep(LOOK_SECONDS)

    def watch(self) -> None:
        """Keep every program alive, for ever."""
        while True:
            self.look()
            time.sleep(WATCH_SECONDS)

    def look(self) -> None:
        """Look at every program once: note a death, and start again what has waited long enough."""
        for watched in self._all():
            if watched.start_again_at is not None:
                self._start_again_when_due(watched)
            elif not watched.program.is_running:
                self._note_death(watched)

    def stop(self) -> None:
        """Stop the groups, last started first; within a group all are asked at once."""
        for group in reversed(self._groups):
            for watched in reversed(group):
                watched.program.ask_to_stop()
            for watched in reversed(group):
                watched.program.wait_until_stopped()
        self._groups.clear()

    def _all(self) -> Iterator[_Watched]:
        return (watched for group in self._groups for watched in group)

    def _note_death(self, watched: _Watched) -> None:
        now = self._clock()
        if now - watched.started_at >= SETTLED_SECONDS:
            watched.deaths = 0
        delay = min(FIRST_DELAY_SECONDS * 2**watched.deaths, LONGEST_DELAY_SECONDS)
        watched.deaths += 1
        watched.start_again_at = now + delay
        program = watched.program
        self._console.say(
            f"{program.name} ended ({_ending(program.exit_code)});"
            f" it starts again in {delay:g} s. Log: {program.log}"
        )

    def _start_again_when_due(self, watched: _Watched) -> None:
        if watched.start_again_at is None or self._clock() < watched.start_again_at:
            return
        watched.start_again_at = None
        watched.started_at = self._clock()
        try:
            watched.program.start()
        except (OSError, RuntimeError) as error:
            self._console.say(f"{watched.program.name} did not start: {error}")
        else:
            self._console.say(f"{watched.program.name} runs again")


@contextmanager
def signals_as_interrupt() -> Iterator[None]:
    """Turn the ways to end us (Ctrl-C, kill, a closed terminal) into one KeyboardInterrupt."""
    ways = [way for way in WAYS_TO_END_US if signal.getsignal(way) is not signal.SIG_IGN]  # nohup

    def interrupt(*_: object) -> None:
        for way in ways:
            signal.signal(way, signal.SIG_IGN)  # stopping takes seconds and must not be cut short
        raise KeyboardInterrupt

    before = {way: signal.signal(way, interrupt) for way in ways}
    try:
        yield
    finally:
        for way, handler in before.items():
            signal.signal(way, handler)


def _failure(program: Program, what: str) -> str:
    return f"{program.name} {what}. The end of {program.log}:\n{program.last_words()}"


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"by {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
