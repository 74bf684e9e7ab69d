"""The one clock that decides: the database's."""

import logging
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

TOLERATED_SKEW = timedelta(seconds=30)
logger = logging.getLogger(__name__)


def now() -> datetime:
    """Return the database's time; inside a transaction it stands still (transaction start)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]  # type: ignore[no-any-return]  # one row, one timestamptz


def system_time() -> datetime:
    """Return this machine's time: only where there is no database to ask, and nothing is decided."""
    return timezone.now()


def tell_of_skew() -> None:
    """Log a machine whose own clock is far from the database's: its certificates and log times mislead."""
    skew = system_time() - now()
    if abs(skew) > TOLERATED_SKEW:
        logger.warning("this machine's clock is wrong", extra={"skew": skew.total_seconds()})
