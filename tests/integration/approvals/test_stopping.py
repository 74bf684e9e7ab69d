"""Stopping what is approved: at once while it waits, asked for while it runs, refused with the reason afterwards."""

import pytest
from django.utils import timezone

from approvals import decisions, doorbell
from approvals.models import Promotion
from approvals.permissions import NotAllowedError
from tests import builders
from updater import audit
from updater.audit import Actor, AuditKind
from updater.models import AuditEvent

REASON = "the queue is on fire"


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    rings = []
    monkeypatch.setattr(doorbell, "ring_execution", lambda: rings.append("execution"))
    return rings


def _abort(promotion, person, reason=REASON):
    by = Actor(name=person.username, kind="person", via="page", user_id=person.pk)
    return decisions.abort(promotion_id=promotion.pk, reason=reason, person=person, by=by)


def _events(promotion):
    return list(AuditEvent.objects.filter(promotion=str(promotion.pk)).order_by("sequence"))


def test_abort_of_an_approved_one_ends_at_once(db, sre):
    promotion = builders.make_promotion(status="APPROVED", next_attempt_at=timezone.now())

    ended = _abort(promotion, sre)

    assert (ended.status, ended.status_reason) == ("WITHDRAWN", REASON)
    assert ended.next_attempt_at is None
    assert [event.kind for event in _events(promotion)] == [AuditKind.PROMOTION_WITHDRAWN]


def test_abort_of_an_executing_one_asks_its_worker_and_rings(
    db, sre, rung, django_capture_on_commit_callbacks
):
    promotion = builders.make_promotion(status="EXECUTING")

    with django_capture_on_commit_callbacks(execute=True):
        asked = _abort(promotion, sre)

    assert (asked.status, asked.abort_requested_by, asked.abort_reason) == (
        "EXECUTING",
        "mei",
        REASON,
    )
    assert asked.is_stopping
    assert asked.next_attempt_at == asked.abort_requested_at
    (event,) = _events(promotion)
    assert (event.kind, REASON in event.details) == (AuditKind.ABORT_REQUESTED, True)
    assert rung == ["execution"]


def test_abort_twice_is_refused_and_names_who_asked(db, sre):
    promotion = builders.make_promotion(status="EXECUTING")
    _abort(promotion, sre)

    with pytest.raises(decisions.AlreadyDecidedError, match="mei asked to stop it already"):
        _abort(promotion, sre)


@pytest.mark.parametrize(
    ("status", "changes", "sentence"),
    [
        ("UNKNOWN", {}, "not certain what was written"),
        ("VERIFYING", {}, "only a rollback undoes it"),
        ("EXECUTING", {"pushed_at": "2026-01-01T00:00Z"}, "only a rollback undoes it"),
        ("ERRORED", {"pushed_at": "2026-01-01T00:00Z"}, "only a rollback undoes it"),
    ],
)
def test_abort_past_the_point_of_no_return_says_so(db, sre, status, changes, sentence):
    promotion = builders.make_promotion(status=status, **changes)

    with pytest.raises(decisions.PastStoppingError, match=sentence):
        _abort(promotion, sre)

    promotion.refresh_from_db()
    assert (promotion.status, promotion.abort_requested_at) == (status, None)
    assert [event.kind for event in _events(promotion)] == [AuditKind.DECISION_REFUSED]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("PENDING", "withdraw it"),
        ("ERRORED", "withdraw it"),
        ("REJECTED", "It is rejected"),
        ("EXPIRED", "It has expired"),
        ("SUPERSEDED", "It is superseded"),
        ("WITHDRAWN", "It is withdrawn"),
        ("ABORTED", "It is aborted"),
        ("FAILED", "It has failed"),
        ("SUCCEEDED", "It has succeeded"),
    ],
)
def test_abort_of_what_nobody_writes_is_refused(db, sre, status, sentence):
    promotion = builders.make_promotion(status=status)

    with pytest.raises(decisions.AlreadyDecidedError, match=sentence):
        _abort(promotion, sre)

    promotion.refresh_from_db()
    assert promotion.status == status


@pytest.mark.parametrize("reason", ["", "    ", "too short"])
@pytest.mark.parametrize("status", ["APPROVED", "EXECUTING"])
def test_abort_without_a_reason_is_refused(db, sre, status, reason):
    promotion = builders.make_promotion(status=status)

    with pytest.raises(decisions.ReasonMissingError):
        _abort(promotion, sre, reason)


@pytest.mark.parametrize("who", ["viewer", "auditor", "administrator", "outsider"])
def test_abort_by_others_is_refused(db, who, request):
    promotion = builders.make_promotion(status="APPROVED")

    with pytest.raises(NotAllowedError):
        _abort(promotion, request.getfixturevalue(who))


def test_retry_of_what_is_to_be_stopped_is_refused(db, sre):
    promotion = builders.make_promotion(
        status="ERRORED", abort_requested_at=timezone.now(), abort_requested_by="ben"
    )
    by = Actor(name="mei", kind="person")

    with pytest.raises(decisions.AlreadyDecidedError, match="ben asked to stop it"):
        decisions.retry(promotion_id=promotion.pk, person=sre, by=by)


@pytest.mark.parametrize("status", ["APPROVED", "EXECUTING"])
def test_abort_with_a_failing_audit_write_changes_nothing(db, sre, status, monkeypatch):
    promotion = builders.make_promotion(status=status)
    before = Promotion.objects.values().get()
    monkeypatch.setattr(audit, "record", _fail)

    with pytest.raises(RuntimeError, match="audit"):
        _abort(promotion, sre)

    assert Promotion.objects.values().get() == before


def _fail(**kwargs):
    raise RuntimeError("the audit table is full")
