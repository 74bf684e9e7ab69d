"""D03: web, worker and beat do not start with a role that could change the trail, and no connection goes unjudged."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from tests import roles
from updater.database_role import TRAIL, starting
from updater.models import AuditEvent

PATIENCE_SECONDS = 120
NOWHERE = "postgresql://nobody@/nowhere?host=/nowhere"
PROGRAMS = {
    "web": ["uvicorn", "updater.asgi:application", "--port=0", "--lifespan=off"],
    "worker": ["celery", "--app=updater", "worker", "--queues=scan", "--concurrency=1"],
    "beat": ["celery", "--app=updater", "beat"],
}


@pytest.fixture
def start(tmp_path):
    """Start a program of the product with this DATABASE_URL, and end it with the test."""
    started = []

    def start(program, url):
        own = {"DATABASE_URL": url, "REDIS_URL": "memory://", "STATE_DIR": str(tmp_path)}
        log = tmp_path / f"{program}.log"
        with log.open("w") as told:
            process = subprocess.Popen(
                [sys.executable, "-u", "-m", *PROGRAMS[program]],
                env={**os.environ, **own},
                stdout=told,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process.log = log
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # a worker's children, too
        process.wait()


@pytest.mark.parametrize("program", PROGRAMS)
def test_d03_program_with_a_superuser_does_not_start(database, start, program):
    user, password = connection.settings_dict["USER"], connection.settings_dict["PASSWORD"]

    process = start(program, roles.url_of(user, password))
    process.wait(timeout=PATIENCE_SECONDS)
    output = process.log.read_text(encoding="utf-8")

    assert process.returncode == 1
    assert f"Countersign does not start. The database role '{user}' is a superuser." in output
    assert "Traceback" not in output


@pytest.mark.parametrize("program", PROGRAMS)
def test_d03_program_with_a_role_that_may_update_the_trail_does_not_start(
    run, probe, start, program
):
    run(f"GRANT UPDATE ON {TRAIL} TO {{role}}")

    process = start(program, roles.url_of(probe))
    process.wait(timeout=PATIENCE_SECONDS)
    output = process.log.read_text(encoding="utf-8")

    assert process.returncode == 1
    assert f"The database role '{probe}' may UPDATE the audit trail." in output


@pytest.mark.parametrize(
    ("program", "words"), [("web", "Uvicorn running"), ("worker", "[queues]"), ("beat", "{")]
)
def test_program_whose_database_does_not_answer_starts_and_says_so(start, program, words):
    process = start(program, NOWHERE)

    until = time.monotonic() + PATIENCE_SECONDS
    said = ""
    while words not in said or "its role is judged at the first connection" not in said:
        assert process.poll() is None, said
        assert time.monotonic() < until, said
        time.sleep(0.1)
        said = process.log.read_text(encoding="utf-8")

    assert process.poll() is None


def test_refuse_unfit_role_ends_a_process_with_a_sentence(db):
    with pytest.raises(SystemExit, match=r"Countersign does not start\. The database role"):
        starting.refuse_unfit_role()


@pytest.fixture
def silent_at_start(database, monkeypatch):
    """Let the server be away when the process starts, and back for its first query."""
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nowhere")
        starting.refuse_unfit_role()
    yield
    connection_created.disconnect(starting.judge_first_connection)


def test_d03_database_that_answers_late_is_judged_before_its_first_query(
    run, probe, silent_at_start
):
    with roles.signed_in_as(probe, roles.PASSWORD):
        assert AuditEvent.objects.count() == 0
        with roles.as_owner():  # judged once: what a process may do is what it may do at its start
            assert AuditEvent.objects.count() == 0


def test_d03_database_that_answers_late_to_an_unfit_role_is_never_used(run, probe, silent_at_start):
    run(f"GRANT UPDATE ON {TRAIL} TO {{role}}")

    with roles.signed_in_as(probe, roles.PASSWORD):
        for _ in range(2):  # nor is the refused connection used by the next query
            with pytest.raises(starting.UnfitRoleError, match="may UPDATE the audit trail"):
                AuditEvent.objects.count()


def test_d03_ready_when_the_role_is_unfit_says_no(client, silent_at_start):
    connection.close()

    answer = client.get("/readyz")

    assert answer.status_code == 503
