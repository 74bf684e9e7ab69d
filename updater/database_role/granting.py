"""What the role of web, workers and beat is given: rows of the product's tables, and of the trail only new ones.

Granted anew after every migration, as new tables belong to their owner alone. The identity columns of Django's tables
need no right on their sequences.
"""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from updater.database_role import TRAIL

MIGRATIONS = "django_migrations"
ROWS = "SELECT, INSERT, UPDATE, DELETE"
RIGHTS = {TRAIL: "SELECT, INSERT", MIGRATIONS: "SELECT"}  # where they are fewer


def make_role(name: str, password: str) -> None:
    """Make the role, if there is none of this name, with nothing but the right to sign in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [name])
        if cursor.fetchone() is None:
            create = sql.SQL("CREATE ROLE {} LOGIN {}")
            cursor.execute(create.format(sql.Identifier(name), _password(cursor, name, password)))


def grant(role: str) -> None:
    """Give the role what it needs on every table of every installed app, and take what else it had."""
    with transaction.atomic(), connection.cursor() as cursor:
        _run(cursor, "GRANT CONNECT ON DATABASE {} TO {}", [_current(cursor, "database")], role)
        _run(cursor, "GRANT USAGE ON SCHEMA {} TO {}", [_current(cursor, "schema")], role)
        tables = product_tables()
        _run(cursor, "REVOKE ALL ON {} FROM {}", tables, role)
        _run(cursor, f"GRANT {ROWS} ON {{}} TO {{}}", [t for t in tables if t not in RIGHTS], role)
        for table, rights in RIGHTS.items():
            _run(cursor, f"GRANT {rights} ON {{}} TO {{}}", [table], role)


def product_tables() -> list[str]:
    """Return the tables of all installed apps, and the one that notes which migrations were made."""
    found = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [*sorted(found), MIGRATIONS]


def _run(cursor: CursorWrapper, statement: str, names: Iterable[str], role: str) -> None:
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    cursor.execute(sql.SQL(statement).format(listed, sql.Identifier(role)))


def _current(cursor: CursorWrapper, what: str) -> str:
    cursor.execute(f"SELECT current_{what}()")
    return str(cursor.fetchone()[0])


def _password(cursor: CursorWrapper, name: str, password: str) -> sql.Composable:
    if not password:
        return sql.SQL("")
    # Hashed here, so that no log of statements shows it.
    hashed = cursor.connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    )
    return sql.SQL("PASSWORD {}").format(hashed.decode())
