"""`manage.py prepare_database`: an owner who is no superuser migrates, the other role works."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql

from onebox.environment import ROOT
from tests import roles
from updater.database_role import judging

OWNER, RUNTIME, DATABASE = "prepare_owner", "prepare_runtime", "prepare_database"


def _as_administrator(*statements: str, database: str = "postgres") -> None:
    user, password = connection.settings_dict["USER"], connection.settings_dict["PASSWORD"]
    url = roles.url_of(user, password)
    with psycopg.connect(url, dbname=database, autocommit=True) as asking:
        for statement in statements:
            asking.execute(sql.SQL(statement))


@pytest.fixture(scope="module")
def empty_database(django_db_setup: None) -> Iterator[None]:
    """Make a database without tables, and its owner, who may make no roles."""
    _as_administrator(
        f"CREATE ROLE {OWNER} LOGIN PASSWORD '{roles.PASSWORD}'",
        f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
    )
    yield
    _as_administrator(
        f"DROP DATABASE {DATABASE} WITH (FORCE)",
        f"DROP ROLE IF EXISTS {RUNTIME}",
        f"DROP ROLE {OWNER}",
    )


def _prepare() -> "subprocess.CompletedProcess[str]":
    env = {
        **os.environ,
        "DATABASE_OWNER_URL": roles.url_of(OWNER, database=DATABASE),
        "DATABASE_URL": roles.url_of(RUNTIME, database=DATABASE),
    }
    command = [sys.executable, str(ROOT / "manage.py"), "prepare_database"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_prepare_database_by_a_plain_owner_migrates_and_grants(empty_database):
    without_role = _prepare()
    _as_administrator(f"CREATE ROLE {RUNTIME} LOGIN PASSWORD '{roles.PASSWORD}'")
    first, second = _prepare(), _prepare()

    assert without_role.returncode == 1
    assert f'CREATE ROLE "{RUNTIME}" LOGIN PASSWORD' in without_role.stderr
    for done in (first, second):
        assert done.returncode == 0, done.stderr
        assert f"the role '{RUNTIME}' may work with it" in done.stdout
    assert "No migrations to apply" in second.stdout
    with psycopg.connect(roles.url_of(RUNTIME, database=DATABASE)) as asking:
        assert judging.judge(asking.cursor()).refusal == ""


def test_prepare_database_when_the_role_may_do_more_says_so(empty_database):
    _as_administrator(f"ALTER ROLE {RUNTIME} CREATEROLE")

    done = _prepare()

    assert done.returncode == 1
    assert f"The database role '{RUNTIME}' may make and change roles" in done.stderr


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        ({}, "Set DATABASE_OWNER_URL"),
        ({"USER": "same"}, "must name a user other than that of DATABASE_OWNER_URL"),
    ],
    ids=["no-owner", "one-role-for-both"],
)
def test_prepare_database_without_two_roles_is_refused(settings, monkeypatch, owner, words):
    settings.OWNER_DATABASE = owner
    monkeypatch.setitem(connection.settings_dict, "USER", "same")

    with pytest.raises(CommandError, match=words):
        call_command("prepare_database")
