"""Shared fixtures: five people with their roles, and a database flush that the audit trail lets through."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import TransactionTestCase

from approvals.permissions import Role
from tests import builders


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
