"""A promotion goes back before the people in the very moment in which a newer one is offered: two connections."""

import threading
import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from approvals import decisions, doorbell, promotions, resealing
from approvals.models import Promotion
from tests import builders
from updater import clock
from updater.audit import Actor, AuditKind
from updater.models import AuditEvent

pytestmark = pytest.mark.django_db(transaction=True)
SWEEP = Actor(name="scan")


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)


def test_withdraw_approval_while_a_newer_one_is_offered_gives_way_to_it():
    person = builders.make_person("mei", role="approver")
    older = _approved(person)

    with transaction.atomic():
        candidate = builders.make_candidate(older.tracked_image, "main-aaaaaaa")
        newer = builders.make_promotion(candidate)
        taking_back = _started(lambda: _take_back(older, person))
        _wait_until_blocked()

    assert taking_back() is None
    older.refresh_from_db()
    assert (older.status, older.superseded_by_id) == ("SUPERSEDED", newer.pk)
    assert older.status_reason == (
        "mei took the approval back. main-aaaaaaa waits for a decision already."
    )
    assert _kinds(older)[-2:] == [AuditKind.APPROVAL_WITHDRAWN, AuditKind.PROMOTION_SUPERSEDED]


def test_insert_while_an_older_one_is_put_back_sets_that_aside():
    older = _approved(builders.make_person("mei", role="approver"))
    candidate = builders.make_candidate(older.tracked_image, "main-aaaaaaa")
    plan = builders.make_plan(
        older.application, older.tracked_image.alias, older.from_tag, candidate.tag
    )

    with transaction.atomic():
        resealing.put_back(
            older, AuditKind.APPROVAL_LAPSED, "An approver left.", by=SWEEP, at=clock.now()
        )
        offering = _started(lambda: _offer(candidate, plan))
        _wait_until_blocked()

    assert offering() is None
    newer = Promotion.objects.get(status="PENDING")
    older.refresh_from_db()
    assert (newer.to_tag, older.status, older.superseded_by_id) == (
        "main-aaaaaaa",
        "SUPERSEDED",
        newer.pk,
    )
    assert _kinds(newer) == [AuditKind.PROMOTION_OPENED]


def _approved(person: User) -> Promotion:
    promotion = builders.make_promotion()
    return decisions.approve(
        promotion_id=promotion.pk, seal=promotion.seal, reason="", person=person, by=_by(person)
    )


def _take_back(promotion: Promotion, person: User) -> None:
    decisions.withdraw_approval(promotion_id=promotion.pk, person=person, by=_by(person))


def _offer(candidate, plan) -> None:
    with transaction.atomic():
        promotions.insert(candidate, plan, by=SWEEP, at=clock.now())


def _by(person: User) -> Actor:
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


def _kinds(promotion: Promotion) -> list[str]:
    rows = AuditEvent.objects.filter(promotion=str(promotion.pk)).order_by("sequence")
    return list(rows.values_list("kind", flat=True))


def _started(work: Callable[[], None]) -> Callable[[], BaseException | None]:
    """Start the work on a connection of its own; the answer waits for its end and returns what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  the test looks at it
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()

    def ended() -> BaseException | None:
        thread.join()
        return next(iter(raised), None)

    return ended


def _wait_until_blocked() -> None:
    """Wait until the other connection waits for a lock that this one holds."""
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted "
        "AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("the other connection does not wait")
