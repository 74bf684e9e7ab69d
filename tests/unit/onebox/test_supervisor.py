import os
import signal
import sys

import pytest

from onebox.console import Console
from onebox.processes import Program
from onebox.supervisor import (
    LONGEST_DELAY_SECONDS,
    SETTLED_SECONDS,
    StartError,
    Supervisor,
    signals_as_interrupt,
)


class Clock:
    """A clock that the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Puppet(Program):
    """A program that lives and dies by the test's word."""

    def __init__(self, name, tmp_path, journal=None):
        super().__init__(name, [], log=tmp_path / f"{name}.log")
        self.journal = journal if journal is not None else []
        self.starts = 0
        self.code = None
        self.start_error = None

    @property
    def is_running(self):
        return self.starts > 0 and self.code is None

    @property
    def exit_code(self):
        return self.code

    def start(self):
        self.starts += 1
        if self.start_error:
            self.code = 1
            raise self.start_error
        self.code = None

    def ask_to_stop(self, _signal=None):
        self.journal.append(f"ask {self.name}")

    def wait_until_stopped(self, **_limit):
        self.journal.append(f"wait {self.name}")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def supervisor(clock):
    return Supervisor(Console(), clock=clock)


def _python(tmp_path, code):
    return Program("step", [sys.executable, "-c", code], log=tmp_path / "step.log")


def _delay_after_death(supervisor, clock, puppet):
    puppet.code = 1
    supervisor.look()
    died_at, starts = clock.now, puppet.starts
    while puppet.starts == starts:
        clock.now += 0.25
        supervisor.look()
    return clock.now - died_at


def test_look_when_a_program_died_says_so_and_starts_it_again(supervisor, clock, tmp_path, capsys):
    web = Puppet("web", tmp_path)
    supervisor.start(web)
    web.code = -signal.SIGKILL

    supervisor.look()
    clock.now += 0.5
    supervisor.look()

    assert web.starts == 2
    out = capsys.readouterr().out
    assert "web ended (by SIGKILL); it starts again in 0.5 s" in out
    assert f"Log: {web.log}" in out
    assert "web runs again" in out


def test_look_when_a_program_keeps_dying_waits_longer_up_to_a_limit(supervisor, clock, tmp_path):
    web = Puppet("web", tmp_path)
    supervisor.start(web)

    delays = [_delay_after_death(supervisor, clock, web) for _ in range(9)]

    assert delays[:4] == [0.5, 1.0, 2.0, 4.0]
    assert delays[-1] == LONGEST_DELAY_SECONDS


def test_look_when_a_program_had_settled_starts_from_the_shortest_delay(
    supervisor, clock, tmp_path
):
    web = Puppet("web", tmp_path)
    supervisor.start(web)
    _delay_after_death(supervisor, clock, web)
    _delay_after_death(supervisor, clock, web)
    clock.now += SETTLED_SECONDS

    delay = _delay_after_death(supervisor, clock, web)

    assert delay == 0.5


def test_look_when_a_start_fails_tries_again(supervisor, clock, tmp_path, capsys):
    web = Puppet("web", tmp_path)
    supervisor.start(web)
    web.start_error = OSError("no such program")
    _delay_after_death(supervisor, clock, web)
    web.start_error = None

    _delay_after_death(supervisor, clock, web)

    assert web.is_running
    assert "web did not start: no such program" in capsys.readouterr().out


def test_look_when_all_live_says_nothing(supervisor, tmp_path, capsys):
    supervisor.start(Puppet("web", tmp_path))

    supervisor.look()

    assert capsys.readouterr().out == ""


def test_stop_ends_the_last_group_first_and_asks_a_whole_group_before_waiting(supervisor, tmp_path):
    journal = []
    supervisor.start(Puppet("postgres", tmp_path, journal))
    supervisor.start(Puppet("scan", tmp_path, journal), Puppet("execute", tmp_path, journal))
    supervisor.start(Puppet("beat", tmp_path, journal))

    supervisor.stop()

    assert journal == [
        "ask beat", "wait beat",
        "ask execute", "ask scan", "wait execute", "wait scan",
        "ask postgres", "wait postgres",
    ]  # fmt: skip


def test_run_when_the_program_fails_shows_the_end_of_its_log(tmp_path):
    step = _python(tmp_path, "raise SystemExit('column is missing')")

    with pytest.raises(StartError, match=r"(?s)step failed.*column is missing"):
        Supervisor(Console()).run(step)


def test_run_when_the_program_hangs_kills_it(tmp_path):
    step = _python(tmp_path, "import time; time.sleep(60)")

    with pytest.raises(StartError, match="step failed"):
        Supervisor(Console()).run(step, seconds=0.2)

    assert step.exit_code == -signal.SIGKILL


def test_run_when_the_program_succeeds_returns(tmp_path):
    step = _python(tmp_path, "pass")

    Supervisor(Console()).run(step)

    assert step.exit_code == 0


@pytest.mark.parametrize("answers", [False, True], ids=["nobody-answers", "somebody-else-does"])
def test_wait_for_when_the_program_ends_instead_says_so(supervisor, tmp_path, answers):
    web = Puppet("web", tmp_path)
    supervisor.start(web)
    web.code = 3

    with pytest.raises(StartError, match="web ended instead of starting"):
        supervisor.wait_for(web, lambda: answers)


def test_wait_for_when_never_ready_gives_up(supervisor, clock, tmp_path):
    web = Puppet("web", tmp_path)
    supervisor.start(web)

    def look():
        clock.now += 10
        return False

    with pytest.raises(StartError, match="web was not ready within 60 s"):
        supervisor.wait_for(web, look)


def _send(way):
    try:
        os.kill(os.getpid(), way)
    finally:
        os.kill(os.getpid(), way)  # a second one while stopping changes nothing


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_as_interrupt_turns_every_way_to_end_us_into_one_interrupt(way):
    before = signal.getsignal(way)

    with pytest.raises(KeyboardInterrupt), signals_as_interrupt():
        _send(way)

    assert signal.getsignal(way) == before
