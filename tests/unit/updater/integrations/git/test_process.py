"""The runner of outside programs: limits hold and nothing is left behind."""

import os
import time
from pathlib import Path

import pytest

from updater.integrations.git import process
from updater.integrations.git.process import Limits

ENV = {"PATH": os.environ["PATH"]}


def sh(script, *, stdin=b"", guarded=False, **limits):
    command = ["sh", "-c", script]
    return process.run(command, env=ENV, limits=Limits(**limits), stdin=stdin, guarded=guarded)


@pytest.mark.parametrize("guarded", [False, True])
def test_run_program_returns_code_output_and_complaint(guarded):
    done = sh("cat; echo no >&2; exit 3", stdin=b"yes", guarded=guarded)

    assert (done.code, done.output, done.complaint) == (3, b"yes", "no\n")


def test_run_missing_program_is_named():
    with pytest.raises(process.ProgramMissingError, match="no-such-program"):
        process.run(["no-such-program"], env=ENV, limits=Limits())


@pytest.mark.parametrize("guarded", [False, True])
def test_run_program_beyond_its_time_is_ended_with_its_children(tmp_path, guarded):
    started = time.monotonic()

    with pytest.raises(process.ProgramTimeoutError):
        sh(f"sleep 60 & echo $! > {tmp_path}/child; sleep 60", seconds=0.3, guarded=guarded)

    assert time.monotonic() - started < 5
    child = int((tmp_path / "child").read_text())
    assert not _is_running(child)


def test_run_program_that_closes_its_output_and_stays_is_ended():
    with pytest.raises(process.ProgramTimeoutError):
        sh("exec >&- 2>&-; sleep 60", seconds=0.3)


def test_run_endless_output_is_ended():
    with pytest.raises(process.OutputTooLargeError):
        sh("yes", output_bytes=100_000)


def test_run_endless_complaint_is_cut():
    done = sh("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo done")

    assert done.output == b"done\n"
    assert len(done.complaint) == process.COMPLAINT_SIZE


def test_run_large_file_is_stopped(tmp_path):
    done = sh(f"head -c 100000 /dev/zero > {tmp_path}/f", file_bytes=10_240)

    assert done.code != 0
    assert (tmp_path / "f").stat().st_size <= 10_240


def test_run_environment_is_only_what_was_given(monkeypatch):
    monkeypatch.setenv("GIT_TRACE", "1")

    assert b"GIT_TRACE" not in sh("env").output


def test_run_kept_descriptor_is_open_in_the_program(tmp_path):
    with (tmp_path / "lock").open("w") as lock:
        done = process.run(
            ["sh", "-c", f"test -e /dev/fd/{lock.fileno()}"],
            env=ENV,
            limits=Limits(),
            keep_open=(lock.fileno(),),
        )

    assert done.code == 0


def _is_running(pid):
    for _ in range(50):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return False
        except FileNotFoundError:
            return False
        time.sleep(0.02)
    return True
