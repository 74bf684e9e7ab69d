"""Emergencies: fewer approvers for words, an incident and a review; who owes one too long declares none."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from approvals import decisions, doorbell, policy
from approvals.models import Decision, Promotion, Review
from approvals.permissions import NotAllowedError
from tests import builders
from updater import audit
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError
from updater.models import AuditEvent

REASON = "checkout is down for everybody"
RULE = """
rules:
- name: company
  approvals: [{{name: two SREs, groups: [sre], count: 2}}]
  emergency:
    approvals: [{{name: on call, groups: [oncall], count: {count}}}]
    min_reason: 20
    incident: {incident}
    review_within: 4h
    overrides: [window]
"""
WITHOUT = "rules: [{name: company, approvals: [{name: two SREs, groups: [sre], count: 2}]}]"


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    rings = []
    monkeypatch.setattr(doorbell, "ring_execution", lambda: rings.append("execution"))
    return rings


@pytest.fixture
def rule(stand):
    def load(count=1, incident="true"):
        stand(RULE.format(count=count, incident=incident))

    return load


@pytest.fixture
def people(person):
    return {
        "ana": person("ana", "approver", "oncall"),
        "ben": person("ben", "approver", "oncall", "sre"),
        "cleo": person("cleo", "approver", "sre"),
    }


def _by(person):
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


def _declare(promotion, person, **changes):
    fresh = Promotion.objects.get(pk=promotion.pk)
    values = {"seal": fresh.seal, "reason": REASON, "incident": "INC-7", **changes}
    return decisions.declare(promotion_id=fresh.pk, person=person, by=_by(person), **values)


def _approve(promotion, person, reason=REASON):
    fresh = Promotion.objects.get(pk=promotion.pk)
    return decisions.approve(
        promotion_id=fresh.pk, seal=fresh.seal, reason=reason, person=person, by=_by(person)
    )


def _events(promotion):
    return list(AuditEvent.objects.filter(promotion=str(promotion.pk)).order_by("sequence"))


def _kinds(promotion):
    return [event.kind for event in _events(promotion)]


def test_declare_by_one_on_call_approves_and_owes_a_review(
    rule, people, rung, django_capture_on_commit_callbacks
):
    rule()
    promotion = builders.make_promotion()

    with django_capture_on_commit_callbacks(execute=True):
        declared = _declare(promotion, people["ana"])

    review, decision = Review.objects.get(), Decision.objects.get()
    assert (declared.status, declared.kind, declared.revision) == ("APPROVED", "emergency", 2)
    assert declared.seal != promotion.seal
    assert declared.subject["kind"] == "emergency"
    assert (review.promotion, review.incident, review.reason) == (declared, "INC-7", REASON)
    assert (review.declared_by, review.given_at) == (people["ana"], None)
    assert review.due_at - review.declared_at == timedelta(hours=4)
    assert (decision.revision, decision.seal, decision.by) == (2, declared.seal, people["ana"])
    assert "group oncall" in decision.rule
    assert rung == ["execution"]
    assert _kinds(promotion) == [
        AuditKind.PROMOTION_RESEALED,
        AuditKind.EMERGENCY_DECLARED,
        AuditKind.PROMOTION_APPROVED,
    ]
    told = _events(promotion)[1].details
    assert all(text in told for text in ("INC-7", REASON, '"reviewers":"ben, cleo"', '"due":"'))


def test_declare_under_two_approvers_waits_for_the_second(rule, people):
    rule(count=2)
    promotion = builders.make_promotion()

    declared = _declare(promotion, people["ana"])

    assert (declared.status, declared.kind) == ("PENDING", "emergency")
    assert declared.status_reason == "ana declared an emergency, incident INC-7."
    assert Review.objects.count() == 1
    assert _kinds(promotion)[-1] == AuditKind.APPROVAL_GIVEN
    assert _approve(promotion, people["ben"]).status == "APPROVED"


def test_declare_voids_what_was_decided_before(rule, people):
    rule(count=2)
    promotion = builders.make_promotion()
    _approve(promotion, people["ben"])

    declared = _declare(promotion, people["ana"])

    old = Decision.objects.get(by=people["ben"])
    assert old.void_reason == "ana declared an emergency, incident INC-7."
    assert [decision.by for decision in policy.standing_approvals(declared)] == [people["ana"]]


def test_declare_by_who_approved_it_already_counts_anew(rule, people):
    rule()
    promotion = builders.make_promotion()
    _approve(promotion, people["ben"])

    assert _declare(promotion, people["ben"]).status == "APPROVED"


def test_declare_where_the_policy_has_none_is_refused(stand, people):
    stand(WITHOUT)
    promotion = builders.make_promotion()

    with pytest.raises(decisions.AlreadyDecidedError, match="has no emergencies for argocd/"):
        _declare(promotion, people["ana"])

    promotion.refresh_from_db()
    assert (promotion.kind, promotion.revision) == ("forward", 1)
    assert _kinds(promotion) == [AuditKind.DECISION_REFUSED]


def test_declare_without_a_policy_file_is_refused(db, sre):
    with pytest.raises(decisions.AlreadyDecidedError, match="has no emergencies"):
        _declare(builders.make_promotion(), sre)


def test_declare_by_somebody_who_is_not_on_call_is_refused(rule, people):
    rule()

    with pytest.raises(decisions.AlreadyDecidedError, match="must come from group oncall"):
        _declare(builders.make_promotion(), people["cleo"])

    assert not Review.objects.exists()


@pytest.mark.parametrize("who", ["viewer", "auditor", "administrator", "outsider"])
def test_declare_by_others_is_refused(rule, who, request):
    rule()

    with pytest.raises(NotAllowedError):
        _declare(builders.make_promotion(), request.getfixturevalue(who))

    assert not Review.objects.exists()


def test_declare_by_who_asked_for_it_is_refused(rule, people):
    rule()
    promotion = builders.make_promotion(requested_by="ana")

    with pytest.raises(decisions.OwnChangeError):
        _declare(promotion, people["ana"])


@pytest.mark.parametrize(
    "status", ["APPROVED", "EXECUTING", "ERRORED", "UNKNOWN", "REJECTED", "SUCCEEDED"]
)
def test_declare_of_what_is_not_pending_is_refused(rule, people, status):
    rule()

    with pytest.raises(decisions.AlreadyDecidedError, match="only a pending promotion"):
        _declare(builders.make_promotion(status=status), people["ana"])


def test_declare_twice_is_refused(rule, people):
    rule(count=2)
    promotion = builders.make_promotion()
    _declare(promotion, people["ana"])

    with pytest.raises(decisions.AlreadyDecidedError, match="an emergency already"):
        _declare(promotion, people["ben"])

    assert Review.objects.count() == 1


def test_declare_of_a_rollback_is_refused(rule, people):
    rule()

    with pytest.raises(decisions.AlreadyDecidedError, match="It is a rollback"):
        _declare(builders.make_promotion(kind="rollback"), people["ana"])


def test_declare_of_a_chosen_tag_is_possible_for_others_than_who_asked(rule, people):
    rule()
    promotion = builders.make_promotion(kind="chosen")

    declared = _declare(promotion, people["ana"])

    assert (declared.status, declared.kind, declared.requested_by) == (
        "APPROVED",
        "emergency",
        "somebody",
    )


def test_declare_of_what_expired_is_refused(rule, people):
    rule()
    promotion = builders.make_promotion(expires_at=timezone.now() - timedelta(seconds=1))

    with pytest.raises(decisions.AlreadyDecidedError, match="expired"):
        _declare(promotion, people["ana"])


def test_declare_with_an_old_seal_is_refused(rule, people):
    rule()

    with pytest.raises(decisions.SealChangedError):
        _declare(builders.make_promotion(), people["ana"], seal="0" * 64)


@pytest.mark.parametrize("reason", ["", "    ", "too short to count"])
def test_declare_without_enough_words_is_refused(rule, people, reason):
    rule()

    with pytest.raises(decisions.ReasonMissingError, match="at least 20"):
        _declare(builders.make_promotion(), people["ana"], reason=reason)

    assert not Review.objects.exists()


@pytest.mark.parametrize(
    "incident",
    ["", "   ", "INC-7\nand more", "INC\x00", "INC\u202e7", "x" * 201],
    ids=["empty", "blank", "two lines", "NUL", "hidden", "long"],
)
def test_declare_with_a_strange_incident_is_refused(rule, people, incident):
    rule()

    with pytest.raises(decisions.IncidentMissingError):
        _declare(builders.make_promotion(), people["ana"], incident=incident)

    assert not Review.objects.exists()


def test_declare_where_no_incident_is_asked_needs_none(rule, people):
    rule(incident="false")

    _declare(builders.make_promotion(), people["ana"], incident="")

    assert Review.objects.get().incident == ""


def test_declare_while_a_review_of_ones_own_is_overdue_is_refused_and_names_it(rule, people):
    rule()
    past = timezone.now() - timedelta(minutes=1)
    debt = builders.make_review(declared_by=people["ana"], due_at=past, incident="INC-3")

    with pytest.raises(decisions.AlreadyDecidedError) as refused:
        _declare(builders.make_promotion(), people["ana"])

    assert f"{debt.promotion.tracked_image} to {debt.promotion.to_tag}, incident INC-3" in str(
        refused.value
    )
    assert _declare(builders.make_promotion(), people["ben"]).status == "APPROVED"


def test_declare_with_a_review_that_is_not_due_yet_is_possible(rule, people):
    rule()
    builders.make_review(declared_by=people["ana"])

    assert _declare(builders.make_promotion(), people["ana"]).status == "APPROVED"


def test_declare_after_the_overdue_review_was_given_is_possible(rule, people):
    rule()
    past = timezone.now() - timedelta(minutes=1)
    debt = builders.make_review(declared_by=people["ana"], due_at=past)
    _review(debt, people["cleo"])

    assert _declare(builders.make_promotion(), people["ana"]).status == "APPROVED"


def test_declare_when_nobody_else_could_review_says_so(rule, person):
    rule()
    ana = person("ana", "approver", "oncall")

    _declare(builders.make_promotion(), ana)

    told = AuditEvent.objects.get(kind=AuditKind.EMERGENCY_DECLARED).details
    assert '"reviewers":"nobody yet"' in told


def test_declare_with_a_failing_audit_write_changes_nothing(rule, people, monkeypatch):
    rule()
    promotion = builders.make_promotion()
    before = Promotion.objects.values().get()
    record = audit.record

    def fail(*, kind, **rest):
        if kind is AuditKind.EMERGENCY_DECLARED:
            raise RuntimeError("the audit table is full")
        return record(kind=kind, **rest)

    monkeypatch.setattr(audit, "record", fail)

    with pytest.raises(RuntimeError, match="audit"):
        _declare(promotion, people["ana"])

    assert Promotion.objects.values().get() == before
    assert not Decision.objects.exists()
    assert not Review.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_declare_by_two_at_once_makes_one_emergency(rule, people):
    rule()
    promotion = builders.make_promotion()
    barrier, outcomes = threading.Barrier(2), []

    def work(person):
        try:
            barrier.wait()
            _declare(promotion, person, seal=promotion.seal)
            outcomes.append("declared")
        except PermanentError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[people[name]]) for name in ("ana", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["declared", "refused"]
    assert Review.objects.count() == 1


# The review


def _review(owed, person, **changes):
    values = {"verdict": Review.Verdict.JUSTIFIED, "notes": REASON, **changes}
    return decisions.review(review_id=owed.pk, person=person, by=_by(person), **values)


def test_review_by_somebody_else_is_kept_and_told(rule, people):
    rule()
    promotion = _declare(builders.make_promotion(), people["ana"])

    given = _review(promotion.review, people["cleo"], verdict=Review.Verdict.NOT_JUSTIFIED)

    assert (given.verdict, given.notes, given.given_by) == (
        "not justified",
        REASON,
        people["cleo"],
    )
    assert not Review.objects.owed().exists()
    event = _events(promotion)[-1]
    assert (event.kind, event.actor) == (AuditKind.REVIEW_GIVEN, "cleo")
    assert '"verdict":"not justified"' in event.details


@pytest.mark.parametrize("status", ["PENDING", "APPROVED", "SUCCEEDED", "FAILED", "REJECTED"])
def test_review_is_possible_from_the_declaration_on(db, sre, status):
    owed = builders.make_review(builders.make_promotion(status=status))

    assert _review(owed, sre).given_by == sre


def test_review_by_the_declarer_is_refused(db, sre):
    owed = builders.make_review(declared_by=sre)

    with pytest.raises(decisions.OwnChangeError, match="You declared"):
        _review(owed, sre)

    assert Review.objects.owed().count() == 1


def test_review_by_somebody_whose_approval_counted_is_refused(rule, people):
    rule(count=2)
    promotion = builders.make_promotion()
    _declare(promotion, people["ana"])
    _approve(promotion, people["ben"])

    with pytest.raises(decisions.OwnChangeError, match="Your approval counted"):
        _review(Review.objects.get(), people["ben"])

    assert decisions.possible_reviewers(Promotion.objects.get()) == ("cleo",)


def test_review_twice_is_refused_and_names_who_gave_it(db, sre, person):
    owed = builders.make_review()
    _review(owed, sre)

    with pytest.raises(decisions.AlreadyDecidedError, match="mei reviewed it already"):
        _review(owed, person("ana", "approver"))


@pytest.mark.parametrize("who", ["viewer", "auditor", "administrator", "outsider"])
def test_review_by_others_is_refused(db, who, request):
    with pytest.raises(NotAllowedError):
        _review(builders.make_review(), request.getfixturevalue(who))


@pytest.mark.parametrize("notes", ["", "    ", "all was fine here"])
def test_review_without_notes_is_refused(rule, people, notes):
    rule()
    owed = builders.make_review()

    with pytest.raises(decisions.ReasonMissingError, match="at least 20"):
        _review(owed, people["cleo"], notes=notes)


def test_review_of_nothing_is_refused(db, sre):
    with pytest.raises(decisions.ReviewNotFoundError):
        decisions.review(
            review_id=4711, verdict=Review.Verdict.JUSTIFIED, notes=REASON, person=sre, by=_by(sre)
        )


def test_review_with_a_failing_audit_write_changes_nothing(db, sre, monkeypatch):
    owed = builders.make_review()

    def fail(**kwargs):
        raise RuntimeError("the audit table is full")

    monkeypatch.setattr(audit, "record", fail)

    with pytest.raises(RuntimeError, match="audit"):
        _review(owed, sre)

    assert Review.objects.owed().count() == 1
