"""A number of a process is given out again in a long run: the soak took a new worker for a dead one."""

import subprocess
from dataclasses import replace
from pathlib import Path

from tests.faults.workers import Process, read


def test_group_of_a_number_that_was_given_out_again_is_empty():
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as running:
        leader = Process(None, running.pid, Path(), read(running.pid).born)
        before = replace(leader, born=leader.born - 1)

        assert leader.group() == [running.pid]
        assert before.group() == []
        running.kill()


def test_group_whose_leader_is_dead_names_who_is_left():
    script = "sleep 60 & echo $!; exec sleep 0"
    with subprocess.Popen(
        ["/bin/sh", "-c", script], start_new_session=True, stdout=subprocess.PIPE, text=True
    ) as running:
        leader = Process(None, running.pid, Path(), read(running.pid).born)
        left = int(running.stdout.readline())
        running.wait()

        assert leader.group() == [left]
        subprocess.run(["/bin/kill", str(left)], check=True)
