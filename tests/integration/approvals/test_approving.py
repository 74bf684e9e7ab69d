"""The policy alone approves: a decision like a person's, once, in one transaction with the trail."""

import json
import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals import approving, decisions
from approvals.execution import start_checks
from approvals.execution.start_checks import ApprovalLapsedError
from approvals.models import Decision, PolicyVersion, Promotion
from tests import builders
from updater import audit
from updater.audit import Actor, AuditKind
from updater.models import Application, AuditEvent

RULE = "rules: [{name: staging, auto_approve: {bump: patch}}]"


def _patch(**changes):
    image = builders.make_tracked_image(live_tag="1.2.3")
    return builders.make_promotion(builders.make_candidate(image, "1.2.4"), **changes)


def _approve_alone():
    return approving.approve_alone(at=timezone.now())


def test_approve_alone_writes_a_decision_without_a_person(stand):
    stand(RULE)
    promotion = _patch()

    assert _approve_alone() == 1

    promotion.refresh_from_db()
    decision = promotion.decisions.get()
    assert promotion.status == "APPROVED"
    assert None not in (promotion.approved_at, promotion.next_attempt_at)
    assert (decision.verb, decision.by, decision.seal) == ("APPROVE", None, promotion.seal)
    assert decision.rule.endswith("(rule staging)")
    assert decision.is_automatic


def test_approve_alone_records_the_rule_and_what_it_looked_at(stand):
    version = stand(RULE)
    _patch()

    _approve_alone()

    event = AuditEvent.objects.get(kind=AuditKind.PROMOTION_APPROVED)
    details = json.loads(event.details)
    assert (event.actor, event.actor_kind) == ("policy", "machine")
    assert details["rule"].endswith("(rule staging)")
    inputs = details["inputs"]
    assert (inputs["bump"], inputs["tag"], inputs["health"]) == ("patch", "1.2.4", "Healthy")
    assert inputs["policy"] == version.hash
    assert 0 <= inputs["health_age_seconds"] < 60


def test_approve_alone_twice_decides_once(stand):
    stand(RULE)
    _patch()

    assert (_approve_alone(), _approve_alone()) == (1, 0)
    assert Decision.objects.count() == 1


def test_approve_alone_supersedes_an_older_approval(stand):
    stand(RULE)
    newer = _patch()
    older = builders.make_promotion(newer.candidate, status="APPROVED")

    _approve_alone()

    older.refresh_from_db()
    assert (older.status, older.superseded_by) == ("SUPERSEDED", newer)


def test_approve_alone_leaves_what_changed_since_it_was_sealed(stand):
    stand(RULE)
    promotion = _patch(seal="0" * 64)

    assert _approve_alone() == 0
    promotion.refresh_from_db()
    assert promotion.is_pending


def test_approve_alone_with_a_failing_audit_write_changes_nothing(stand, monkeypatch):
    stand(RULE)
    promotion = _patch()

    def fail(**_kwargs):
        raise RuntimeError("the audit table is full")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError, match="audit"):
        _approve_alone()

    promotion.refresh_from_db()
    assert promotion.is_pending
    assert not Decision.objects.exists()


def test_approve_alone_without_such_a_rule_reads_no_promotion(stand, django_assert_max_num_queries):
    stand("rules: [{name: production, auto_approve: never}]")
    _patch()

    with django_assert_max_num_queries(2):
        assert _approve_alone() == 0


def test_approve_by_a_person_of_what_the_policy_approved_is_refused(stand, sre):
    stand(RULE)
    promotion = _patch()
    _approve_alone()

    by = Actor(name=sre.username, kind="person", via="page", user_id=sre.pk)
    with pytest.raises(decisions.AlreadyDecidedError):
        decisions.approve(
            promotion_id=promotion.pk, seal=promotion.seal, reason="", person=sre, by=by
        )


def _standing(promotion):
    row = Promotion.objects.with_target().get(pk=promotion.pk)
    start_checks.require_standing(row, at=timezone.now())


@pytest.mark.parametrize("is_automatic", [True, False])
def test_require_standing_reads_the_policy_once(stand, sre, is_automatic):
    stand(RULE)
    promotion = _patch(status="PENDING" if is_automatic else "APPROVED")
    if is_automatic:
        _approve_alone()
    else:
        builders.make_decision(promotion, sre)

    with CaptureQueriesContext(connection) as queries:
        _standing(promotion)

    reads = [query for query in queries if 'ORDER BY "approvals_policyversion"' in query["sql"]]
    assert len(reads) == 1


LAPSES = {
    "unhealthy": (lambda _: Application.objects.update(health_status="Degraded"), "Degraded"),
    "left to people": (lambda stand: stand(""), "leaves this to people now"),
    "stricter": (
        lambda stand: stand("rules: [{name: a, auto_approve: {tags: ['2.*']}}]"),
        "1.2.4 does not match 2.*",
    ),
    "no policy": (
        lambda _: PolicyVersion.objects.all().delete(),
        "so nobody may approve",
    ),
}


@pytest.mark.parametrize(("change", "why"), LAPSES.values(), ids=LAPSES)
def test_claim_of_what_the_policy_approved_asks_its_conditions_again(change, why, stand):
    stand(RULE)
    promotion = _patch()
    _approve_alone()
    _standing(promotion)

    change(stand)

    with pytest.raises(ApprovalLapsedError, match=why):
        _standing(promotion)


def test_claim_of_what_the_policy_approved_holds_under_a_newer_policy_that_allows_it(stand):
    stand(RULE)
    promotion = _patch()
    _approve_alone()

    stand(RULE + "\n# a remark")

    _standing(promotion)


@pytest.mark.parametrize(
    "wrong",
    [{"verb": "REJECT", "reason": "no"}, {"rule": ""}, {"identity": {"username": "policy"}}],
    ids=["reject", "no rule", "no mark"],
)
def test_decision_without_a_person_is_the_policys_approval_or_refused(wrong, stand):
    stand(RULE)
    promotion = _patch()
    values = {
        "revision": 1,
        "seal": promotion.seal,
        "verb": "APPROVE",
        "rule": "r",
        "identity": {"via": "policy"},
        "at": timezone.now(),
    }

    with pytest.raises(IntegrityError, match="only_the_policy"), transaction.atomic():
        Decision.objects.create(promotion=promotion, **{**values, **wrong})
    Decision.objects.create(promotion=promotion, **values)
    with pytest.raises(IntegrityError, match="one_standing_decision"), transaction.atomic():
        Decision.objects.create(promotion=promotion, **values)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", range(3))
def test_approve_alone_beside_a_person_makes_one_transition(round_number, stand):
    stand(RULE)
    person = builders.make_person(role="approver")
    promotion = _patch()
    barrier = threading.Barrier(2)
    refused = []

    def run(work):
        try:
            barrier.wait()
            work()
        except decisions.AlreadyDecidedError as error:
            refused.append(error)
        finally:
            connection.close()

    by = Actor(name=person.username, kind="person", via="page", user_id=person.pk)
    approve = lambda: decisions.approve(  # noqa: E731
        promotion_id=promotion.pk, seal=promotion.seal, reason="", person=person, by=by
    )
    threads = [threading.Thread(target=run, args=[work]) for work in (_approve_alone, approve)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert AuditEvent.objects.filter(kind=AuditKind.PROMOTION_APPROVED).count() == 1
    assert Decision.objects.count() == 1
