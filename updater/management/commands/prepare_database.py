"""`manage.py prepare_database`: as the owner, migrate and grant; then look at the result as web and workers will."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import ProgrammingError, connection
from psycopg.errors import InsufficientPrivilege

from updater.database_role import granting, starting


class Command(BaseCommand):
    """Run at every deployment, before web and workers start; a second run changes nothing."""

    help = (
        "Migrate as the role of DATABASE_OWNER_URL, and let the role of DATABASE_URL work with the tables,"
        " but not change the audit trail."
    )
    requires_system_checks = ()

    def handle(self, *, verbosity: int, **_: Any) -> None:  # noqa: ANN401  Django's signature
        """Migrate, grant, look."""
        role = connection.settings_dict
        name, password = role["USER"], role["PASSWORD"]
        _refuse_one_role_for_both(name)
        with _as_owner():
            call_command("migrate", interactive=False, skip_checks=True, verbosity=verbosity)
            _make_role(name, password)
            granting.grant(name)
        if refusal := starting.look().refusal:
            raise CommandError(refusal)
        if verbosity:
            self.stdout.write(
                f"The database is up to date, and the role '{name}' may work with it."
            )


def _refuse_one_role_for_both(name: str) -> None:
    if not settings.OWNER_DATABASE:
        raise CommandError(
            "Set DATABASE_OWNER_URL: the role that owns the tables and does nothing but migrate them."
            " DATABASE_URL is for web, workers and beat."
        )
    if not name or name == settings.OWNER_DATABASE["USER"]:
        raise CommandError(
            "DATABASE_URL must name a user other than that of DATABASE_OWNER_URL: it must not own the tables."
        )


def _make_role(name: str, password: str) -> None:
    try:
        granting.make_role(name, password)
    except ProgrammingError as error:
        if not isinstance(error.__cause__, InsufficientPrivilege):
            raise
        raise CommandError(
            f'The owner may not make roles. Let an administrator do it: CREATE ROLE "{name}" LOGIN PASSWORD …;'
            " then run this again."
        ) from error


@contextmanager
def _as_owner() -> Iterator[None]:
    """Let Django use the owner's connection meanwhile; the settings of the others hold none."""
    database, kept = connection.settings_dict, dict(connection.settings_dict)
    connection.close()
    database.update(settings.OWNER_DATABASE)
    try:
        yield
    finally:
        connection.close()
        database.update(kept)
