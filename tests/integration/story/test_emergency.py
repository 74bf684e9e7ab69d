"""An emergency in a freeze: declared by one on call, written although the window is closed, reviewed by another."""

import pytest

from approvals import decisions, verification
from approvals.models import Review
from tests.integration.story.conftest import approve
from tests.integration.story.outside import REPOSITORY
from updater.audit import Actor, AuditKind
from updater.connections import Connections
from updater.models import AuditEvent

REASON = "checkout is down for everybody"
FREEZE = """
rules:
- name: company
  approvals: [{name: two SREs, groups: [sre], count: 2}]
  windows:
    deny: [{name: freeze, reason: few people, cron: 0 0 * * *, duration: 1d, zone: UTC}]
  emergency:
    approvals: [{name: on call, groups: [oncall]}]
    min_reason: 20
    review_within: 4h
    overrides: [window]
"""


@pytest.fixture
def people(person):
    return {
        "ana": person("ana", "approver", "oncall"),
        "ben": person("ben", "approver", "sre"),
        "cleo": person("cleo", "approver", "sre"),
    }


def _by(person):
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


def _declare(promotion, person):
    return decisions.declare(
        promotion_id=promotion.pk,
        seal=promotion.seal,
        reason=REASON,
        incident="INC-7",
        person=person,
        by=_by(person),
    )


def _review(review, person):
    return decisions.review(
        review_id=review.pk,
        verdict=Review.Verdict.JUSTIFIED,
        notes="the freeze could not have waited for it",
        person=person,
        by=_by(person),
    )


def _kinds(promotion):
    rows = AuditEvent.objects.filter(promotion=str(promotion.pk)).order_by("sequence")
    return list(rows.values_list("kind", flat=True))


def test_emergency_in_a_freeze_is_written_and_reviewed(example, stand, people):
    stand(FREEZE)
    promotion = example.offer()

    declared = _declare(promotion, people["ana"])
    example.execute()

    promotion.refresh_from_db()
    commit = example.git.log(REPOSITORY, "main")[0]
    assert promotion.status == "VERIFYING"
    assert f"Seal: {declared.seal}" in commit.message
    assert "Approved-by: ana" in commit.message
    written = example.git.read(REPOSITORY, "main", ".argocd-source-example.yaml").decode()
    assert "main-e1f492f" in written
    example.report("example", ["main-e1f492f"], revision=commit.sha)
    example.look()
    example.observe()
    promotion.refresh_from_db()
    assert promotion.status == "SUCCEEDED"
    owed = Review.objects.owed().get()
    with pytest.raises(decisions.OwnChangeError):
        _review(owed, people["ana"])
    assert _review(owed, people["cleo"]).given_by == people["cleo"]
    assert verification.verify(world=Connections()).findings == []
    kinds = [kind for kind in _kinds(promotion) if kind != AuditKind.DECISION_REFUSED]
    assert kinds == [
        AuditKind.PROMOTION_OPENED,
        AuditKind.PROMOTION_RESEALED,
        AuditKind.EMERGENCY_DECLARED,
        AuditKind.PROMOTION_APPROVED,
        AuditKind.EXECUTION_STARTED,
        AuditKind.OVERRIDE_COMMITTED,
        AuditKind.APPLICATION_REFRESHED,
        AuditKind.EXECUTION_FINISHED,
        AuditKind.PROMOTION_SUCCEEDED,
        AuditKind.REVIEW_GIVEN,
    ]


def test_normal_approval_in_the_same_freeze_waits(example, stand, people):
    stand(FREEZE)
    promotion = example.offer()
    approve(promotion, people["ben"])
    approve(promotion, people["cleo"])

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "APPROVED"
    assert "freeze" in promotion.status_reason
    assert len(example.git.log(REPOSITORY, "main")) == 1


def test_emergency_that_waits_for_a_second_survives_a_newer_build(example, stand, people):
    stand(FREEZE.replace("groups: [oncall]}", "groups: [oncall, sre], count: 2}"))
    promotion = _declare(example.offer(), people["ana"])

    example.push("main-77ab0c3")
    example.look()
    example.propose()

    promotion.refresh_from_db()
    assert (promotion.status, promotion.kind) == ("PENDING", "emergency")


def test_emergency_whose_policy_loses_the_rule_is_sealed_anew_and_decided_normally(
    example, stand, people, policy_file
):
    stand(FREEZE)
    promotion = _declare(example.offer(), people["ana"])
    policy_file.write_text("version: 1" + FREEZE.split("  emergency:", maxsplit=1)[0])

    example.propose()
    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"
    assert len(example.git.log(REPOSITORY, "main")) == 1
    assert Review.objects.owed().count() == 1
