"""The circuit breaker of a registry: after an outage it is left alone, first for half a minute, then up to five."""

import random
from datetime import datetime, timedelta

from django.db import transaction

from updater import audit, leases
from updater.audit import Actor, AuditKind
from updater.errors import TransientError
from updater.integrations.registry import RateLimitedError, RegistryUnavailableError
from updater.models import Registry

FIRST_SECONDS = 30.0
LONGEST_SECONDS = 300.0
JITTER = 0.1
LONGEST_RETRY_AFTER = 3600.0


def pause_seconds(error: TransientError, *, failures: int) -> float:
    """Return how long to leave a registry alone: what it asked for, else doubling; a little more at random."""
    wait = min(FIRST_SECONDS * 2.0 ** min(failures, 10), LONGEST_SECONDS)
    if error.retry_after_seconds is not None:
        wait = min(error.retry_after_seconds, LONGEST_RETRY_AFTER)
    return wait * (1 + JITTER * random.random())  # noqa: S311  spreads load, guards nothing


def open_breaker(host: str, error: TransientError, *, at: datetime, by: Actor) -> datetime:
    """Leave a registry alone and return until when; the trail gets one event an outage."""
    with transaction.atomic():
        leases.require_held()
        row = Registry.objects.select_for_update().get(host=host)
        was_failing = bool(row.error_code)
        row.retry_at = at + timedelta(seconds=pause_seconds(error, failures=row.failures))
        row.failures += 1
        row.error_code, row.error_message = error.code, str(error)
        if isinstance(error, RegistryUnavailableError):
            row.unreachable_since = row.unreachable_since or at
        row.save()
        if not was_failing:
            kind = "rate limit" if isinstance(error, RateLimitedError) else "outage"
            details = {"registry": host, "kind": kind, "code": error.code, "message": str(error)}
            audit.record(kind=AuditKind.SCAN_FAILED, by=by, details=details)
    return row.retry_at


def close_breaker(host: str, *, by: Actor) -> None:
    """Note that a registry answers again."""
    with transaction.atomic():
        leases.require_held()
        row = Registry.objects.select_for_update().get(host=host)
        if not row.error_code:
            return
        details = {"registry": host, "code": row.error_code, "since": row.unreachable_since}
        row.failures, row.error_code, row.error_message = 0, "", ""
        row.retry_at = row.unreachable_since = None
        row.save()
        audit.record(kind=AuditKind.SCAN_RECOVERED, by=by, details=details)
