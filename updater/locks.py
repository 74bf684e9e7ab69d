"""Advisory locks: one holder of a name at a time, freed by PostgreSQL when the holder dies."""

import hashlib

from django.db import connection

from updater.errors import TransientError


class LockTakenError(TransientError):
    """Somebody else works on this now; the work is picked up again by the next sweep."""

    code = "lock_taken"


def try_acquire(name: str) -> bool:
    """Take the session lock of this name if it is free; the caller must release it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_key(name)])
        return bool(cursor.fetchone()[0])


def release(name: str) -> None:
    """Free the session lock of this name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_key(name)])


def _key(name: str) -> int:
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
