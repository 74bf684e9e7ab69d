"""Regular work is done once an interval by the database's time, however many messages ask for it.

Beat's messages pile up while no worker takes them. An expiry by the clock of one machine is judged by the clock of
another: a worker an hour ahead would throw every message away, and do nothing at all.
"""

from django.db import connection

_TAKE = """
    INSERT INTO updater_turn (name, begun_at) VALUES (%s, now())
    ON CONFLICT (name) DO UPDATE SET begun_at = now() WHERE updater_turn.begun_at <= now() - make_interval(secs => %s)
"""


def take(name: str, *, every_seconds: float) -> bool:
    """Begin this work, unless it was begun less than half an interval ago."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [name, every_seconds / 2])
        return bool(cursor.rowcount)
