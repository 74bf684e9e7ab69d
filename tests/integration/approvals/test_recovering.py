"""Looking now, and settling by two people what no look can establish."""

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals import decisions
from approvals.decisions import AlreadyDecidedError, ReasonMissingError, VerdictUnsuitableError
from approvals.models import Finding, Promotion
from approvals.permissions import NotAllowedError
from tests import builders
from updater import audit
from updater.audit import Actor, AuditKind
from updater.models import AuditEvent

EVIDENCE = "kubectl shows the new image, and Argo CD shows our commit"


@pytest.fixture
def unknown(db):
    return make()


def make(**changes):
    since = timezone.now() - timedelta(minutes=5)
    row = builders.make_promotion(status="UNKNOWN", **{"status_at": since, **changes})
    builders.make_execution(row, ended_at=since, status="UNKNOWN", intended_commit="c" * 40)
    return row


def find(row, person, verdict, evidence=EVIDENCE):
    by = Actor(person.username, kind="person", via="page", user_id=person.pk)
    return decisions.finding(
        promotion_id=row.pk, verdict=verdict, evidence=evidence, person=person, by=by
    )


def kinds(row):
    events = AuditEvent.objects.filter(promotion=str(row.pk)).order_by("sequence")
    return list(events.values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("changes", "verdict", "status"),
    [
        ({}, "written", "VERIFYING"),
        ({}, "not_written", "ERRORED"),
        ({"pushed_at": timezone.now(), "commit": "c" * 40}, "runs", "SUCCEEDED"),
        ({"pushed_at": timezone.now(), "commit": "c" * 40}, "bad", "FAILED"),
    ],
)
def test_finding_of_two_settles_what_was_unknown(sre, changes, verdict, status, db):
    row, other = make(**changes), builders.make_person("tomas", role="approver")

    assert find(row, sre, verdict).status == "UNKNOWN"
    assert find(row, other, verdict).status == status

    assert kinds(row)[:3] == [
        AuditKind.FINDING_GIVEN, AuditKind.FINDING_GIVEN, AuditKind.EXECUTION_RESOLVED,
    ]  # fmt: skip
    settled = Promotion.objects.get(pk=row.pk)
    assert (settled.commit, settled.pushed_at is None) == (
        ("", True) if verdict == "not_written" else ("c" * 40, False)
    )


def test_finding_that_differs_settles_nothing_and_may_be_corrected(sre, unknown):
    other = builders.make_person("tomas", role="approver")

    find(unknown, sre, "written")
    assert find(unknown, other, "not_written").status == "UNKNOWN"
    assert find(unknown, sre, "not_written", "I looked at the wrong branch").status == "ERRORED"


def test_finding_of_an_earlier_uncertainty_does_not_count(sre, unknown):
    other = builders.make_person("tomas", role="approver")
    find(unknown, sre, "written")
    later = timezone.now() - timedelta(minutes=2)
    Promotion.objects.filter(pk=unknown.pk).update(status_at=later)

    assert find(unknown, other, "written").status == "UNKNOWN"


def test_finding_right_after_it_became_unknown_waits_for_the_worker_to_look(sre, db):
    row = make(status_at=timezone.now())

    with pytest.raises(AlreadyDecidedError, match="wait a minute"):
        find(row, sre, "written")


@pytest.mark.parametrize("status", ["EXECUTING", "ERRORED", "VERIFYING", "PENDING"])
def test_finding_about_what_is_known_is_refused(sre, status, db):
    row = builders.make_promotion(status=status)

    with pytest.raises(AlreadyDecidedError, match="this is known"):
        find(row, sre, "written")


def test_finding_needs_the_right_evidence_and_a_fitting_verdict(sre, viewer, unknown):
    with pytest.raises(NotAllowedError):
        find(unknown, viewer, "written")
    with pytest.raises(ReasonMissingError):
        find(unknown, sre, "written", "yes")
    with pytest.raises(VerdictUnsuitableError):
        find(unknown, sre, "runs")

    assert kinds(unknown) == [AuditKind.DECISION_REFUSED] * 3
    assert not Finding.objects.exists()


def _use(verb, row, person):
    if verb == "look":
        decisions.look(promotion_id=row.pk, person=person, by=Actor("mei", kind="person"))
    else:
        find(row, person, "written")


@pytest.mark.parametrize("verb", ["look", "finding"])
def test_verb_whose_audit_write_fails_changes_nothing(sre, unknown, verb, monkeypatch):
    def refuse(**_):
        raise RuntimeError("the trail is full")

    monkeypatch.setattr(audit, "record", refuse)
    before = Promotion.objects.values().get(pk=unknown.pk)

    with pytest.raises(RuntimeError):
        _use(verb, unknown, sre)

    assert Promotion.objects.values().get(pk=unknown.pk) == before
    assert not Finding.objects.exists()
