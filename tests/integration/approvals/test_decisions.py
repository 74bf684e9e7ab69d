"""What a decision promises: the right people, the right seal, once, with its audit row or not at all."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import prefetch_related_objects
from django.utils import timezone

from approvals import decisions, doorbell
from approvals.lifecycle import TransitionRefusedError
from approvals.models import Decision, Promotion
from approvals.permissions import NotAllowedError
from tests import builders
from updater import audit
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError
from updater.models import AuditEvent, Candidate, Refusal

REASON = "breaks the checkout"


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    """Listen to the doorbell instead of a broker."""
    rings = []
    monkeypatch.setattr(doorbell, "ring_execution", lambda: rings.append("execution"))
    return rings


@pytest.fixture
def promotion(db):
    return builders.make_promotion()


def _by(person):
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


def _approve(promotion, person, **changes):
    values = {"promotion_id": promotion.pk, "seal": promotion.seal, "reason": "", "person": person}
    return decisions.approve(**{**values, "by": _by(person), **changes})


def _reject(promotion, person, **changes):
    values = {
        "promotion_id": promotion.pk,
        "seal": promotion.seal,
        "reason": REASON,
        "person": person,
    }
    return decisions.reject(**{**values, "by": _by(person), **changes})


def _kinds(promotion):
    return list(
        AuditEvent.objects.filter(promotion=str(promotion.pk)).values_list("kind", flat=True)
    )


def test_approve_pending_by_approver_makes_it_due_and_rings(
    promotion, sre, rung, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        approved = _approve(promotion, sre, reason="looks right")

    decision = Decision.objects.get()
    assert approved.status == "APPROVED"
    assert approved.next_attempt_at == approved.approved_at is not None
    assert (decision.seal, decision.revision, decision.by) == (promotion.seal, 1, sre)
    assert decision.identity["roles"] == ["approver"]
    assert _kinds(promotion) == [AuditKind.PROMOTION_APPROVED]
    assert rung == ["execution"]


def test_approve_when_redis_is_down_stands_and_is_due(
    promotion, sre, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.undo()
    monkeypatch.setattr("updater.celery.app.send_task", _refuse_connection)

    with django_capture_on_commit_callbacks(execute=True):
        approved = _approve(promotion, sre)

    assert approved.status == "APPROVED"
    assert Promotion.objects.get().next_attempt_at is not None


def _refuse_connection(*args, **kwargs):
    raise ConnectionRefusedError


@pytest.mark.parametrize("verb", [_approve, _reject], ids=["approve", "reject"])
@pytest.mark.parametrize("who", ["viewer", "auditor", "administrator", "outsider"])
def test_decide_by_others_is_refused_and_recorded(verb, who, promotion, request):
    person = request.getfixturevalue(who)

    with pytest.raises(NotAllowedError, match="approver"):
        verb(promotion, person)

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"
    assert _kinds(promotion) == [AuditKind.DECISION_REFUSED]


@pytest.mark.parametrize("verb", [_approve, _reject], ids=["approve", "reject"])
def test_decide_by_disabled_approver_is_refused(verb, promotion, sre):
    sre.is_active = False
    sre.save()

    with pytest.raises(NotAllowedError):
        verb(promotion, sre)


@pytest.mark.parametrize("verb", [_approve, _reject], ids=["approve", "reject"])
def test_w18_decide_with_another_seal_is_refused_with_both(verb, promotion, sre):
    with pytest.raises(decisions.SealChangedError) as refused:
        verb(promotion, sre, seal="0" * 64)

    assert refused.value.sent_seal == "0" * 64
    assert refused.value.promotion.seal == promotion.seal
    assert not Decision.objects.exists()


def test_r33_approve_after_the_tag_was_pushed_again_is_refused_and_resealed(promotion, sre):
    moved = Candidate.objects.filter(pk=promotion.candidate_id)
    moved.update(is_current=False)
    builders.make_candidate(
        promotion.tracked_image, promotion.to_tag, digest=builders.digest("other"), manifest=None
    )

    with pytest.raises(decisions.SealChangedError):
        _approve(promotion, sre)

    fresh = Promotion.objects.get()
    assert (fresh.status, fresh.revision) == ("PENDING", 2)
    assert fresh.to_digest == builders.digest("other")
    assert fresh.seal != promotion.seal
    assert _kinds(promotion) == [AuditKind.PROMOTION_RESEALED, AuditKind.DECISION_REFUSED]


def test_approve_of_the_new_seal_after_resealing_counts(promotion, sre):
    Candidate.objects.filter(pk=promotion.candidate_id).update(is_current=False)
    builders.make_candidate(
        promotion.tracked_image, promotion.to_tag, digest=builders.digest("other"), manifest=None
    )
    with pytest.raises(decisions.SealChangedError):
        _approve(promotion, sre)
    promotion.refresh_from_db()

    approved = _approve(promotion, sre)

    assert approved.status == "APPROVED"
    assert Decision.objects.get().revision == 2


def test_approve_own_request_is_refused(promotion, sre):
    Promotion.objects.update(requested_by=sre.username)

    with pytest.raises(decisions.OwnChangeError):
        _approve(promotion, sre)


@pytest.mark.parametrize(
    "status",
    ["EXECUTING", "VERIFYING", "SUCCEEDED", "FAILED", "ERRORED", "UNKNOWN", "REJECTED", "EXPIRED",
     "SUPERSEDED", "WITHDRAWN", "ABORTED"],
)  # fmt: skip
@pytest.mark.parametrize("verb", [_approve, _reject], ids=["approve", "reject"])
def test_decide_when_nothing_is_left_to_decide_is_refused(verb, status, sre, db):
    promotion = builders.make_promotion(status=status)

    with pytest.raises(decisions.AlreadyDecidedError):
        verb(promotion, sre)

    promotion.refresh_from_db()
    assert promotion.status == status


@pytest.mark.parametrize("verb", [_approve, _reject], ids=["approve", "reject"])
def test_w19_decide_after_expiry_is_refused_before_the_sweep_came(verb, promotion, sre):
    Promotion.objects.update(expires_at=timezone.now() - timedelta(hours=1))

    with pytest.raises(decisions.AlreadyDecidedError, match="expired"):
        verb(promotion, sre)


def test_approve_twice_is_refused_the_second_time(promotion, sre):
    _approve(promotion, sre)

    with pytest.raises(decisions.AlreadyDecidedError):
        _approve(promotion, sre)

    assert Decision.objects.count() == 1


def test_approve_of_a_newer_one_supersedes_the_older_approved_one(sre, db):
    older = builders.make_promotion(status="APPROVED")
    newer = builders.make_promotion(builders.make_candidate(older.tracked_image, "main-77ab0c3"))

    _approve(newer, sre)

    older.refresh_from_db()
    assert (older.status, older.superseded_by) == ("SUPERSEDED", newer)


def test_reject_refuses_the_digest_for_later(promotion, sre):
    rejected = _reject(promotion, sre, scope="UNTIL_NEWER")

    refusal = Refusal.objects.get()
    assert (rejected.status, rejected.status_reason) == ("REJECTED", REASON)
    assert (refusal.digest, refusal.scope, refusal.by) == (
        promotion.to_digest,
        "UNTIL_NEWER",
        "mei",
    )


@pytest.mark.parametrize("reason", ["", "   ", "too short"], ids=["empty", "blank", "short"])
def test_reject_without_a_reason_is_refused(reason, promotion, sre):
    with pytest.raises(decisions.ReasonMissingError):
        _reject(promotion, sre, reason=reason)

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"


def test_reject_of_an_approved_one_takes_it_back(sre, db):
    promotion = builders.make_promotion(status="APPROVED")

    assert _reject(promotion, sre).status == "REJECTED"


def test_decide_on_an_unknown_promotion_is_refused(sre, db):
    with pytest.raises(decisions.PromotionNotFoundError):
        decisions.approve(promotion_id=uuid4(), seal="", reason="", person=sre, by=_by(sre))


def test_retry_of_an_errored_one_makes_it_due(sre, db):
    promotion = builders.make_promotion(status="ERRORED")

    decisions.retry(promotion_id=promotion.pk, person=sre, by=_by(sre))

    assert Promotion.objects.get().next_attempt_at is not None
    assert _kinds(promotion) == [AuditKind.PROMOTION_RETRIED]


def test_withdraw_of_an_errored_one_ends_it(sre, db):
    promotion = builders.make_promotion(status="ERRORED")

    ended = decisions.withdraw(promotion_id=promotion.pk, reason=REASON, person=sre, by=_by(sre))

    assert ended.status == "WITHDRAWN"


@pytest.mark.parametrize(
    ("verb", "status"),
    [
        (_approve, "PENDING"),
        (_reject, "PENDING"),
        (lambda row, who: decisions.retry(promotion_id=row.pk, person=who, by=_by(who)), "ERRORED"),
        (
            lambda row, who: decisions.withdraw(
                promotion_id=row.pk, reason=REASON, person=who, by=_by(who)
            ),
            "ERRORED",
        ),
    ],
    ids=["approve", "reject", "retry", "withdraw"],
)
def test_verb_with_a_failing_audit_write_changes_nothing(verb, status, sre, db, monkeypatch):
    promotion = builders.make_promotion(status=status)
    before = Promotion.objects.values().get()
    monkeypatch.setattr(audit, "record", _fail)

    with pytest.raises(RuntimeError, match="audit"):
        verb(promotion, sre)

    assert Promotion.objects.values().get() == before
    assert not Decision.objects.exists()
    assert not Refusal.objects.exists()


def _fail(**kwargs):
    raise RuntimeError("the audit table is full")


@pytest.mark.django_db(transaction=True)
def test_w19_approve_against_reject_at_once_lets_one_win():
    first, second = (builders.make_person(role="approver") for _ in range(2))
    promotion = builders.make_promotion()
    barrier = threading.Barrier(2)

    def work(verb, person):
        try:
            barrier.wait()
            verb(promotion, person)
        except (PermanentError, TransitionRefusedError):
            pass
        finally:
            connection.close()

    threads = [
        threading.Thread(target=work, args=[_approve, first]),
        threading.Thread(target=work, args=[_reject, second]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    status = Promotion.objects.get().status
    assert (
        status == "REJECTED"
    )  # an approved one may still be rejected; a rejected one never approved


def test_approve_by_an_account_that_lost_its_role_since_it_was_read_is_refused(promotion, sre):
    prefetch_related_objects([sre], "groups")  # as the middleware reads them when the request comes
    User.objects.get(pk=sre.pk).groups.clear()

    with pytest.raises(NotAllowedError):
        _approve(promotion, sre)

    assert not Decision.objects.exists()


def test_approve_by_an_account_that_was_disabled_since_it_was_read_is_refused(promotion, sre):
    User.objects.filter(pk=sre.pk).update(is_active=False)

    with pytest.raises(NotAllowedError):
        _approve(promotion, sre)

    assert not Decision.objects.exists()
