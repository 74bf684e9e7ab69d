"""The audit trail: in the transaction of its change, append-only, gapless, chained."""

import hashlib
import itertools
import threading
from datetime import UTC

import pytest
from django.db import DatabaseError, connection, transaction

from tests.builders import make_application
from updater import audit
from updater.audit import Actor, AuditKind, AuditOutsideTransactionError
from updater.models import AuditEvent

BY = Actor(name="mei", kind="person", via="page", address="127.0.0.1", request_id="r1")


def _record(**details):
    with transaction.atomic():
        return audit.record(kind=AuditKind.CANDIDATE_FOUND, by=BY, details=details)


def _expected_hash(event: AuditEvent) -> str:
    at = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    texts = [
        event.previous_hash, str(event.sequence), at, event.kind, event.actor, event.actor_kind,
        event.via, event.address, event.request_id, event.application, event.image,
        event.promotion, event.details,
    ]  # fmt: skip
    return hashlib.sha256("\x1f".join(texts).encode()).hexdigest()


@pytest.mark.django_db
def test_record_chains_each_event_to_the_one_before():
    first, second = _record(a=1), _record(a="ü\x00")

    events = AuditEvent.objects.order_by("sequence")

    assert [event.sequence for event in events] == [first, second] == [1, 2]
    assert [event.hash for event in events] == [_expected_hash(event) for event in events]
    assert events[1].previous_hash == events[0].hash


@pytest.mark.django_db(transaction=True)
def test_record_outside_a_transaction_is_refused():
    with pytest.raises(AuditOutsideTransactionError):
        audit.record(kind=AuditKind.CANDIDATE_FOUND, by=BY)


@pytest.mark.django_db
def test_record_undone_with_its_transaction_leaves_no_gap():
    _record()
    with transaction.atomic():
        audit.record(kind=AuditKind.CANDIDATE_FOUND, by=BY)
        transaction.set_rollback(True)

    assert _record() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE updater_auditevent SET actor = 'other'",
        "DELETE FROM updater_auditevent",
        "TRUNCATE updater_auditevent",
    ],
    ids=["update", "delete", "truncate"],
)
def test_d01_changing_the_trail_is_refused(statement):
    _record()

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert AuditEvent.objects.get(sequence=1).actor == "mei"


@pytest.mark.django_db
def test_d04_a_replication_role_does_not_go_round_the_triggers():
    _record()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")

        with pytest.raises(DatabaseError, match="append-only"):
            cursor.execute("DELETE FROM updater_auditevent")


@pytest.mark.django_db
def test_d12_hostile_texts_are_kept_readable_and_hashable():
    _record(text="a\x00b\ud800c", long="x" * 1_000_000, order={"b": 1, "a": 1.0})

    event = AuditEvent.objects.get()

    assert event.hash == _expected_hash(event)
    assert len(event.details) < 3000
    assert event.details.index('"a":1.0') < event.details.index('"b":1')


@pytest.mark.django_db(transaction=True)
def test_record_by_many_at_once_numbers_without_gap_or_fork():
    def work():
        try:
            for _ in range(10):
                _record()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    events = list(AuditEvent.objects.order_by("sequence"))
    assert [event.sequence for event in events] == list(range(1, 41))
    assert all(later.previous_hash == earlier.hash for earlier, later in itertools.pairwise(events))


@pytest.mark.django_db
def test_about_copies_names_as_text():
    application = make_application("example", namespace="argocd")

    subject = audit.about(application, image="backend")

    assert (subject.application, subject.image) == ("argocd/example", "backend")
