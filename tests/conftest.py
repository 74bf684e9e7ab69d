"""Shared fixtures: five people with their roles, the real web process, a flush that the trail lets through."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import TransactionTestCase

from approvals.permissions import Role
from tests import builders, roles


@pytest.fixture
def sre(db: None) -> User:
    """Somebody who may approve."""
    return builders.make_person("mei", role=Role.APPROVER, full_name="Mei Tanaka")


@pytest.fixture
def viewer(db: None) -> User:
    """Somebody who may look."""
    return builders.make_person("jonas", role=Role.VIEWER, full_name="Jonas Weber")


@pytest.fixture
def auditor(db: None) -> User:
    """Somebody who may read the trail."""
    return builders.make_person("luca", role=Role.AUDITOR, full_name="Luca Moretti")


@pytest.fixture
def administrator(db: None) -> User:
    """Somebody who looks after people and tokens."""
    return builders.make_person("ada", role=Role.ADMINISTRATOR, full_name="Ada Byron")


@pytest.fixture
def outsider(db: None) -> User:
    """Somebody with an account and no role."""
    return builders.make_person("nobody", role=None, full_name="Nora Body")


@pytest.fixture(scope="session")
def web_process(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Run the real web process on the test database, for transactional tests; yield its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with django_db_blocker.unblock():
        roles.grant_once(connection.settings_dict["NAME"])
    command = [sys.executable, "-m", "uvicorn", "updater.asgi:application", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--log-level", "error", "--timeout-graceful-shutdown", "1"],
        env={**os.environ, "DATABASE_URL": roles.url_of(), "DJANGO_ALLOW_ASYNC_UNSAFE": ""},
    )
    try:
        _wait_until_alive(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_alive(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with suppress(OSError), closing(http.client.HTTPConnection("127.0.0.1", port)) as probe:
            probe.request("GET", "/healthz")
            if probe.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the web process did not start")


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_audit_triggers() -> Iterator[None]:
    """Let the flush after a transactional test empty the audit table, which refuses TRUNCATE otherwise."""
    original: Callable[[TransactionTestCase], Any] = TransactionTestCase._fixture_teardown

    def teardown(case: TransactionTestCase) -> None:
        _switch_truncate_trigger("DISABLE TRIGGER")
        try:
            original(case)
        finally:
            _switch_truncate_trigger("ENABLE ALWAYS TRIGGER")

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[method-assign]
    yield
    TransactionTestCase._fixture_teardown = original  # type: ignore[method-assign]


def _switch_truncate_trigger(how: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE updater_auditevent {how} audit_refuse_truncate")
