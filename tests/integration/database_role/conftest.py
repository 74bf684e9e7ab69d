"""A role as a deployment makes it, to be spoilt by tests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from psycopg import sql

from tests import roles
from updater.database_role import TRAIL, granting

Run = Callable[[str], None]


@pytest.fixture
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let a test use the database outside a transaction; it leaves no rows, so nothing is flushed."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def probe(database: None) -> Iterator[str]:
    """Make a role of this test database, and undo afterwards whatever a test gave it."""
    name = f"probe_{connection.settings_dict['NAME']}"
    granting.make_role(name, roles.PASSWORD)
    granting.grant(name)
    yield name
    run = _runner(name)
    run(f"REVOKE UPDATE ON {TRAIL} FROM PUBLIC")
    run("REASSIGN OWNED BY {role} TO CURRENT_USER")
    run("ALTER SCHEMA public OWNER TO pg_database_owner")
    run("DROP OWNED BY {role}")
    run("DROP ROLE {role}")


@pytest.fixture
def owner(probe: str) -> Iterator[str]:
    """Make a role that owns one table, and take it away again."""
    name = f"owner_{connection.settings_dict['NAME']}"
    run = _runner(name)
    run("CREATE ROLE {role}")
    run("ALTER TABLE updater_breaker OWNER TO {role}")
    yield name
    run("REASSIGN OWNED BY {role} TO CURRENT_USER")
    run("DROP OWNED BY {role}")
    run("DROP ROLE {role}")


@pytest.fixture
def run(probe: str, owner: str) -> Run:
    """Run a statement as an administrator; it may name {role}, {owner}, {superuser} and {database}."""
    return _runner(probe, owner)


def _runner(role: str, owner: str = "") -> Run:
    names = {
        "role": role,
        "owner": owner,
        "superuser": connection.settings_dict["USER"],
        "database": connection.settings_dict["NAME"],
    }

    def run(statement: str) -> None:
        quoted = {word: sql.Identifier(name) for word, name in names.items() if name}
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(**quoted))

    return run
