"""Lanes keep a connection to the database over a sweep: sound for each target, and gone at the end."""

import threading
import time

import pytest
from django.db import OperationalError, connection, connections

from updater.lanes import Lanes, Task

pytestmark = pytest.mark.django_db(transaction=True)


def test_run_several_targets_in_one_lane_uses_one_connection():
    seen = []

    _one_lane(lambda _: seen.append(_backend()))

    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_run_connection_breaks_in_a_target_and_the_next_target_has_a_sound_one():
    answered = []

    def work(target: str) -> None:
        if target == "a":
            with pytest.raises(OperationalError):
                _execute("SELECT pg_terminate_backend(pg_backend_pid())")
        answered.append((target, _backend() if target != "a" else None))

    _one_lane(work)

    assert [target for target, backend in answered if backend] == ["b", "c"]


def test_run_ends_and_leaves_no_connection_open():
    seen = set()

    _one_lane(lambda _: seen.add(_backend()))

    until = time.monotonic() + 5  # the server takes a moment to see that a client has gone
    while (left := _still_there(seen)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not left


def _one_lane(work) -> None:
    tasks = {name: Task("host", 1, name) for name in "abc"}
    here = threading.get_ident()

    def do(_: str, name: str) -> None:
        assert threading.get_ident() != here
        work(name)

    assert Lanes(lambda: tasks, do, count=1).run() == 3


def _still_there(backends: set[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)", [list(backends)])
        return {pid for (pid,) in cursor.fetchall()}


def _backend() -> int:
    return _execute("SELECT pg_backend_pid()")


def _execute(statement: str) -> int:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])
