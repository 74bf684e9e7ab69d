"""Circuit breakers of outside hosts, in PostgreSQL so that all workers share them.

closed → open after three calls in a row without an answer → one probe every half minute → closed by any answer.
A refusal is an answer: what concerns one repository only (403, a declined push) never opens a host's breaker.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now

from updater import audit, clock
from updater.audit import Actor, AuditKind
from updater.errors import TransientError, UpdaterError
from updater.models import Breaker
from updater.models.breaker import FAILURES_TO_OPEN

PROBE_SECONDS = 30.0
JITTER_SECONDS = 3.0  # so that hosts which went away together are not all asked together
ANSWER_HOLDS_SECONDS = (
    1.0  # a host that has just answered is asked the next question without a look at its breaker
)
BY = Actor(name="countersign", via="worker")


class HostRestingError(TransientError):
    """The host gave no answer several times in a row and is left alone for now."""

    code = "host_resting"


@dataclass(slots=True)
class Way:
    """The way of one unit of work to one host, for many questions in a row; not for several threads."""

    kind: Breaker.Kind
    host: str
    silence: tuple[type[UpdaterError], ...]
    _good_until: float = 0.0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Let one call through, as `passage` does."""
        answers = time.monotonic() < self._good_until
        self._good_until = 0.0
        with passage(self.kind, self.host, self.silence, answers=answers):
            yield
        self._good_until = time.monotonic() + ANSWER_HOLDS_SECONDS


@contextmanager
def passage(
    kind: Breaker.Kind,
    host: str,
    silence: tuple[type[UpdaterError], ...],
    *,
    answers: bool = False,
) -> Iterator[None]:
    """Let one call to the host through, and learn from how it ends; `silence` are the errors that mean no answer.

    `answers`: it did a moment ago, so nothing stands against it.

    Raises:
        HostRestingError: the breaker is open: it was not time for a probe, or the probe got no answer.
    """
    before = None if answers else _leave(kind, host)
    try:
        yield
    except silence as error:
        row = _silent(kind, host, error)
        if row.is_open:
            raise _resting(row) from error
        raise
    except UpdaterError:
        _answered(before)
        raise
    _answered(before)


def in_words(breaker: Breaker) -> str:
    """Return what people are told of an open breaker."""
    since, until = breaker.failing_since, breaker.retry_at
    if since is None or until is None:
        return f"{breaker} answers."
    return f"{breaker} does not answer since {_hour(since)}, next look {_hour(until)} UTC."


def _leave(kind: Breaker.Kind, host: str) -> Breaker | None:
    """Return the breaker as it stands before the call; the caller is the probe if it is open."""
    found = Breaker.objects.filter(kind=kind, host=host).first()
    if found is None or not found.is_open:
        return found
    due = Breaker.objects.filter(pk=found.pk, retry_at__lte=Now())
    if due.update(retry_at=Now() + timedelta(seconds=PROBE_SECONDS)):
        return found
    raise _resting(found)


def _resting(row: Breaker) -> HostRestingError:
    assert row.retry_at is not None  # noqa: S101  a constraint: failing ones have it
    wait = (row.retry_at - clock.now()).total_seconds()
    return HostRestingError(in_words(row), retry_after_seconds=max(wait, 1.0))


def _silent(kind: Breaker.Kind, host: str, error: UpdaterError) -> Breaker:
    with transaction.atomic():
        Breaker.objects.get_or_create(kind=kind, host=host)
        row = Breaker.objects.select_for_update().get(kind=kind, host=host)
        at = clock.now()
        row.failures += 1
        row.failing_since = row.failing_since or at
        row.retry_at = at + timedelta(seconds=PROBE_SECONDS + _jitter())
        row.error_code, row.error_message = error.code, str(error)
        row.save()
        if row.failures == FAILURES_TO_OPEN:
            details = {"host": str(row), "code": error.code, "reason": str(error)}
            audit.record(kind=AuditKind.HOST_SILENT, by=BY, details=details)
    return row


def _answered(before: Breaker | None) -> None:
    if before is None or not before.failures:
        return  # nothing stood against the host: no write for every call
    with transaction.atomic():
        row = Breaker.objects.select_for_update().get(pk=before.pk)
        since, was_open = row.failing_since, row.is_open
        row.failures, row.failing_since, row.retry_at = 0, None, None
        row.error_code = row.error_message = ""
        row.save()
        if was_open:
            details = {"host": str(row), "since": since}
            audit.record(kind=AuditKind.HOST_ANSWERS, by=BY, details=details)


def _jitter() -> float:
    return random.uniform(0, JITTER_SECONDS)  # noqa: S311  spreads load, guards nothing


def _hour(at: datetime) -> str:
    return f"{at:%H:%M}"
