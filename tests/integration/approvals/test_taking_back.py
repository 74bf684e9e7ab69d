"""Taking back one's own approval: only one's own, only before a worker starts, with a row of its own."""

import threading

import pytest
from django.db import connection

from approvals import decisions, doorbell, policy
from approvals.models import Decision, Promotion
from approvals.permissions import NotAllowedError
from tests import builders
from updater import audit
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError
from updater.models import AuditEvent

TWO = "rules: [{name: a, approvals: [{name: two, role: approver, count: 2}]}]"


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)


@pytest.fixture
def promotion(db):
    return builders.make_promotion()


def _by(person):
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


def _approve(promotion, person):
    return decisions.approve(
        promotion_id=promotion.pk, seal=promotion.seal, reason="", person=person, by=_by(person)
    )


def _take_back(promotion, person):
    return decisions.withdraw_approval(promotion_id=promotion.pk, person=person, by=_by(person))


def _kinds(promotion):
    rows = AuditEvent.objects.filter(promotion=str(promotion.pk)).order_by("sequence")
    return list(rows.values_list("kind", flat=True))


def test_withdraw_approval_of_an_approved_one_is_decided_again(promotion, sre):
    approved = _approve(promotion, sre)

    again = _take_back(promotion, sre)

    decision = Decision.objects.get()
    assert (again.status, again.approved_at, again.next_attempt_at) == ("PENDING", None, None)
    assert again.expires_at > approved.expires_at
    assert again.status_reason == "mei took the approval back."
    assert decision.void_reason == "taken back by mei"
    assert decision.voided_at is not None
    assert _kinds(promotion)[-2:] == [AuditKind.APPROVAL_WITHDRAWN, AuditKind.APPROVAL_LAPSED]


def test_withdraw_approval_and_approve_again_counts(promotion, sre):
    _approve(promotion, sre)
    _take_back(promotion, sre)

    assert _approve(promotion, sre).status == "APPROVED"
    assert Decision.objects.filter(voided_at=None).count() == 1


def test_withdraw_approval_of_a_pending_one_only_takes_it_off(stand, person):
    stand(TWO)
    ana, promotion = person("ana", "approver"), builders.make_promotion()
    _approve(promotion, ana)

    again = _take_back(promotion, ana)

    assert again.status == "PENDING"
    assert policy.standing_approvals(again) == ()
    assert _kinds(promotion) == [AuditKind.APPROVAL_GIVEN, AuditKind.APPROVAL_WITHDRAWN]


def test_withdraw_approval_that_others_outweigh_leaves_it_approved(promotion, person):
    ana, ben = person("ana", "approver"), person("ben", "approver")
    _approve(promotion, ana)
    builders.make_decision(promotion, ben)

    again = _take_back(promotion, ana)

    assert again.status == "APPROVED"
    assert _kinds(promotion)[-1] == AuditKind.APPROVAL_WITHDRAWN


def test_withdraw_approval_while_a_newer_one_waits_gives_way_to_it(promotion, sre):
    _approve(promotion, sre)
    newer = builders.make_promotion(
        builders.make_candidate(promotion.tracked_image, "main-77ab0c3")
    )

    ended = _take_back(promotion, sre)

    assert (ended.status, ended.superseded_by) == ("SUPERSEDED", newer)
    assert "main-77ab0c3 waits for a decision already" in ended.status_reason


@pytest.mark.parametrize("how", ["never", "of another", "of an old revision", "rejected"])
def test_withdraw_approval_that_does_not_stand_is_refused(promotion, sre, person, how):
    if how == "of another":
        builders.make_decision(promotion, person("ana", "approver"))
    if how == "of an old revision":
        builders.make_decision(promotion, sre, revision=7)
    if how == "rejected":
        builders.make_decision(promotion, sre, verb="REJECT", reason="no")

    with pytest.raises(decisions.NothingToTakeBackError):
        _take_back(promotion, sre)

    assert not Decision.objects.exclude(voided_at=None).exists()
    assert _kinds(promotion) == [AuditKind.DECISION_REFUSED]


@pytest.mark.parametrize(
    "status", ["EXECUTING", "VERIFYING", "SUCCEEDED", "ERRORED", "UNKNOWN", "REJECTED", "ABORTED"]
)
def test_withdraw_approval_after_the_start_is_refused(db, sre, status):
    promotion = builders.make_promotion(status=status)
    builders.make_decision(promotion, sre)

    with pytest.raises(decisions.AlreadyDecidedError, match="until a worker starts"):
        _take_back(promotion, sre)

    assert Decision.objects.get().voided_at is None


@pytest.mark.parametrize("who", ["viewer", "auditor", "administrator", "outsider"])
def test_withdraw_approval_by_others_is_refused(promotion, who, request):
    with pytest.raises(NotAllowedError):
        _take_back(promotion, request.getfixturevalue(who))


def test_withdraw_approval_with_a_failing_audit_write_changes_nothing(promotion, sre, monkeypatch):
    _approve(promotion, sre)
    before = Promotion.objects.values().get(), Decision.objects.values().get()
    monkeypatch.setattr(audit, "record", _fail)

    with pytest.raises(RuntimeError, match="audit"):
        _take_back(promotion, sre)

    assert (Promotion.objects.values().get(), Decision.objects.values().get()) == before


def _fail(**kwargs):
    raise RuntimeError("the audit table is full")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", range(5))
def test_withdraw_approval_against_another_approval_ends_whole(round_number):
    ana, ben = (builders.make_person(name, role="approver") for name in ("ana", "ben"))
    promotion = builders.make_promotion()
    _approve(promotion, ana)
    barrier = threading.Barrier(2)

    def work(verb, person):
        try:
            barrier.wait()
            verb(promotion, person)
        except PermanentError:
            pass
        finally:
            connection.close()

    threads = [
        threading.Thread(target=work, args=[_take_back, ana]),
        threading.Thread(target=work, args=[_approve, ben]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    promotion.refresh_from_db()
    standing = Decision.objects.filter(voided_at=None).count()
    assert (promotion.status, standing) in {("APPROVED", 1), ("PENDING", 0)}
