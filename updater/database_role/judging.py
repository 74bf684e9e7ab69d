"""What a database role could do to the product's tables and to the trail, as the server itself tells it.

The trail's triggers and its chain hold against whoever may only insert. They are worth nothing against a role that
owns the table, may become its owner, or may do as it likes on the server.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from updater.database_role import TRAIL

SUPERUSER = "is a superuser"

# What a role must not be able to do, asked of every role that the session's own may become: `mine`.
_FAULTS: Mapping[str, str] = {
    SUPERUSER: "mine.rolsuper",
    "may make and change roles (CREATEROLE)": "mine.rolcreaterole",
    "may replicate the database (REPLICATION)": "mine.rolreplication",
    "is above row security (BYPASSRLS)": "mine.rolbypassrls",
    "may run programs or write files on the database's server": (
        "mine.rolname IN ('pg_execute_server_program', 'pg_write_server_files')"
    ),
    "owns tables of the product": """EXISTS (
        SELECT FROM pg_class AS owned
        WHERE owned.relnamespace = trail.relnamespace AND owned.relkind IN ('r', 'p')
        AND owned.relowner = mine.oid)""",
    "owns the schema or the database": """EXISTS (
        SELECT FROM pg_namespace WHERE oid = trail.relnamespace AND nspowner = mine.oid
        UNION ALL
        SELECT FROM pg_database WHERE datname = current_database() AND datdba = mine.oid)""",
    "may create objects in the schema": (
        "has_schema_privilege(mine.oid, trail.relnamespace, 'CREATE')"
    ),
    "may UPDATE the audit trail": "has_any_column_privilege(mine.oid, trail.oid, 'UPDATE')",
    "may DELETE from the audit trail": "has_table_privilege(mine.oid, trail.oid, 'DELETE')",
    "may TRUNCATE the audit trail": "has_table_privilege(mine.oid, trail.oid, 'TRUNCATE')",
    "may put triggers on the audit trail": "has_table_privilege(mine.oid, trail.oid, 'TRIGGER')",
    "may set session_replication_role": (
        "has_parameter_privilege(mine.oid, 'session_replication_role', 'SET')"
    ),
}
# The session's role counts, not the current one: whoever did SET ROLE can undo it.
_QUESTION = f"""
    SELECT session_user, bool_or(trail.oid IS NOT NULL),
        {", ".join(f"coalesce(bool_or({condition}), false)" for condition in _FAULTS.values())}
    FROM pg_roles AS mine
    LEFT JOIN pg_class AS trail ON trail.oid = to_regclass('{TRAIL}')
    WHERE pg_has_role(session_user, mine.oid, 'MEMBER')
"""  # noqa: S608  constants


class Cursor(Protocol):
    """The part of a cursor of Django or psycopg that asks."""

    def execute(self, query: str, /) -> Any:  # noqa: ANN401
        """Send the query."""

    def fetchone(self) -> Any:  # noqa: ANN401
        """Return the next row."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whose session it is, whether it finds the trail, and what it could do but must not."""

    role: str
    finds_trail: bool
    faults: tuple[str, ...]

    @property
    def refusal(self) -> str:
        """Why nothing of the product may work with this role; empty if it may."""
        if self.faults:
            return (
                f"The database role '{self.role}' {', '.join(self.faults)}."
                f" Whoever works with it can change the audit trail unseen. {_WHAT_TO_DO}"
            )
        if not self.finds_trail:
            return f"The database role '{self.role}' finds no audit trail here. {_WHAT_TO_DO}"
        return ""


_WHAT_TO_DO = (
    "Let DATABASE_URL name a role of its own, let DATABASE_OWNER_URL name the owner of the tables for"
    " `manage.py prepare_database` alone, and run that (docs/runbooks/database-role-refused.md)."
)


def judge(cursor: Cursor) -> Judgement:
    """Ask the server what the role of this session could do."""
    cursor.execute(_QUESTION)
    role, finds_trail, *found = cursor.fetchone()
    faults = tuple(fault for fault, holds in zip(_FAULTS, found, strict=True) if holds)
    # To a superuser everything else is allowed, too.
    return Judgement(role, finds_trail, (SUPERUSER,) if SUPERUSER in faults else faults)
