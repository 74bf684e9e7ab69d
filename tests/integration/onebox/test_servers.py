"""The embedded servers keep what they were given, whatever ends them."""

import signal

import psycopg
import pytest
import redis

from onebox.postgres import Postgres
from onebox.valkey import Valkey


def _ask(server, sql):
    with psycopg.connect(server.url) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone() if cursor.description else None


def _broker(server):
    path = server.url.removeprefix("redis+socket://").partition("?")[0]
    return redis.Redis(unix_socket_path=path)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    server = Postgres(tmp_path_factory.mktemp("state") / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    server = Valkey(tmp_path_factory.mktemp("state") / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["stopped", "killed"])
def test_postgres_after_its_end_has_every_commit(postgres, end):
    _ask(postgres, "DROP TABLE IF EXISTS kept")
    _ask(postgres, "CREATE TABLE kept (number int)")
    _ask(postgres, "INSERT INTO kept VALUES (42)")

    postgres.stop(end)
    postgres.start()

    assert _ask(postgres, "SELECT number FROM kept") == (42,)


def test_postgres_listens_to_its_owner_only(postgres):
    assert _ask(postgres, "SHOW listen_addresses") == ("",)
    assert _ask(postgres, "SHOW unix_socket_permissions") == ("0700",)
    assert _ask(postgres, "SHOW timezone") == ("UTC",)


def test_postgres_in_a_state_with_an_odd_long_name_starts(tmp_path):
    server = Postgres(tmp_path / ("a long state folder with blanks " * 4))

    server.start()

    assert _ask(server, "SELECT 1") == (1,)
    server.stop()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_valkey_after_its_end_has_what_was_queued(valkey, end):
    _broker(valkey).flushall()
    _broker(valkey).rpush("queue", *range(500))

    valkey.stop(end)
    valkey.start()

    assert _broker(valkey).llen("queue") == 500


def test_valkey_in_a_state_with_an_odd_long_name_starts(tmp_path):
    server = Valkey(tmp_path / ("a long state folder with blanks " * 4))

    server.start()

    assert _broker(server).ping()
    server.stop()


@pytest.mark.parametrize("kind", [Postgres, Valkey])
def test_server_keeps_its_folder_private(kind, tmp_path):
    kind(tmp_path / "state")

    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
