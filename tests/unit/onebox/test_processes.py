import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from onebox import processes
from onebox.processes import Program


def _python(tmp_path: Path, code: str, **options) -> Program:
    return Program("child", [sys.executable, "-c", code], log=tmp_path / "child.log", **options)


def _wait_for_log(program: Program, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in program.last_words():
        assert time.monotonic() < deadline, program.last_words()
        time.sleep(0.01)


def _is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z"
    return False


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 5
    while _is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


def test_start_logs_what_the_child_prints(tmp_path):
    program = _python(tmp_path, "import sys; print('out'); print('err', file=sys.stderr)")

    program.start()
    program.wait_until_stopped()

    assert sorted(program.last_words().splitlines()) == ["err", "out"]
    assert program.exit_code == 0


def test_start_gives_only_the_named_environment(tmp_path):
    program = _python(tmp_path, "import os; print(sorted(os.environ))", env={"ONLY": "this"})

    program.start()
    program.wait_until_stopped()

    assert "'ONLY'" in program.last_words()
    assert "'HOME'" not in program.last_words()


def test_exit_code_before_the_first_start_is_unknown(tmp_path):
    program = _python(tmp_path, "pass")

    assert program.exit_code is None
    assert not program.is_running
    assert program.last_words() == ""


def test_stop_when_the_child_ignores_the_signal_kills_it(tmp_path):
    ignore = "import signal; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
    program = _python(tmp_path, ignore)
    program.start()
    _wait_for_log(program, "ready")

    program.ask_to_stop()
    program.wait_until_stopped(seconds=0.2)

    assert program.exit_code == -signal.SIGKILL


def test_stop_uses_the_signal_of_the_program(tmp_path):
    program = _python(
        tmp_path,
        "import signal; print('ready', flush=True); signal.pause()",
        end_signal=signal.SIGQUIT,
    )
    program.start()
    _wait_for_log(program, "ready")

    program.stop()

    assert program.exit_code == -signal.SIGQUIT


def test_start_after_a_death_ends_what_the_dead_child_left_behind(tmp_path):
    code = (
        "import subprocess, sys, time\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('left', left.pid, flush=True)\n"
        "time.sleep(60)"
    )
    program = _python(tmp_path, code)
    program.start()
    _wait_for_log(program, "left")
    left_behind = int(program.last_words().split()[1])
    program.stop(signal.SIGKILL)
    assert _is_alive(left_behind)

    program.start()

    _wait_for_end(left_behind)
    program.stop(signal.SIGKILL)
    program._end_stragglers()


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is a Linux feature")
def test_start_when_the_parent_is_killed_takes_the_child_along(tmp_path):
    parent_code = (
        "import sys, time; from pathlib import Path; from onebox.processes import Program\n"
        "child = Program('c', [sys.executable, '-c', 'import time; time.sleep(60)'],"
        " log=Path(sys.argv[1]))\n"
        "child.start(); print(child._process.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", parent_code, str(tmp_path / "log")]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert _is_alive(child)

    parent.kill()
    parent.communicate()

    _wait_for_end(child)


@pytest.mark.parametrize(
    ("name", "is_own"),
    [("state", True), ("x" * 100, False), ("with blank", False), ("ümlaut", False)],
    ids=["short", "long", "blank", "not-ascii"],
)
def test_socket_folder_is_the_state_only_if_everyone_can_spell_it(tmp_path, name, is_own):
    state = tmp_path / name
    state.mkdir()

    folder = processes.socket_folder(state)

    assert (folder == state.resolve()) == is_own
    assert len(str(folder)) <= processes.MAX_SOCKET_FOLDER
    assert is_own or folder.stat().st_mode & 0o777 == 0o700
