"""The role of web, workers and beat on the test database; the tests themselves own it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from urllib.parse import urlsplit

from django.db import connection

from onebox.postgres import RUNTIME
from updater.database_role import granting

PASSWORD = "only-for-tests"


@cache
def grant_once(database: str) -> None:
    """Give the role its rights, as a deployment does."""
    granting.make_role(RUNTIME, PASSWORD)
    granting.grant(RUNTIME)


def url_of(role: str = RUNTIME, password: str = PASSWORD, *, database: str = "") -> str:
    """Return the DATABASE_URL of a process that works on the test database with this role."""
    given = urlsplit(os.environ["DATABASE_URL"])
    server = given.netloc.rpartition("@")[2]
    name = database or connection.settings_dict["NAME"]
    return given._replace(netloc=f"{role}:{password}@{server}", path=f"/{name}").geturl()


@contextmanager
def as_runtime() -> Iterator[None]:
    """Let Django's connections in all threads be those of the product; outside a transaction."""
    grant_once(connection.settings_dict["NAME"])
    with signed_in_as(RUNTIME, PASSWORD):
        yield


@contextmanager
def signed_in_as(role: str, password: str) -> Iterator[None]:
    """Let Django's connections be of this role meanwhile."""
    database, kept = connection.settings_dict, dict(connection.settings_dict)
    connection.close()
    database.update(USER=role, PASSWORD=password)
    try:
        yield
    finally:
        connection.close()
        database.update(kept)


@contextmanager
def as_owner() -> Iterator[None]:
    """Undo `as_runtime` for whoever plays a thief with the rights of the database's owner."""
    given = urlsplit(os.environ["DATABASE_URL"])
    with signed_in_as(given.username or "", given.password or ""):
        yield
