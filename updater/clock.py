"""The one clock that decides: the database's."""

from datetime import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """Return the database's time; inside a transaction it stands still (transaction start)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]  # type: ignore[no-any-return]  # one row, one timestamptz


def system_time() -> datetime:
    """Return this machine's time: only where there is no database to ask, and nothing is decided."""
    return timezone.now()
