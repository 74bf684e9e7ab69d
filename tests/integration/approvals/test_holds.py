"""Holds: who may set and release them, what waits for them, and that nothing starts while one stands."""

import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from approvals import decisions, doorbell, holds, promotions
from approvals.decisions import Target
from approvals.execution import gates, recording
from approvals.lifecycle import TransitionRefusedError
from approvals.models import Hold, Promotion
from approvals.permissions import NotAllowedError
from approvals.promotions import following
from tests import builders
from tests.integration.conftest import WORKER
from updater import audit, leases
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError
from updater.models import AuditEvent

REASON = "incident 4711: checkout is slow"
SCOPES = ["image", "application", "everything"]


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    rings = []
    monkeypatch.setattr(doorbell, "ring_execution", lambda: rings.append("execution"))
    return rings


@pytest.fixture
def promotion(db):
    image = builders.make_tracked_image(builders.make_application("checkout"), "web")
    return builders.make_promotion(builders.make_candidate(image), status="APPROVED")


def _by(person):
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


def _hold(person, scope="everything", application="", image="", **changes):
    if scope != "everything":
        application = application or "argocd/checkout"
    if scope == "image":
        image = image or "web"
    values = {"reason": REASON, "until": None, "person": person, "by": _by(person)}
    return decisions.hold(target=Target(scope, application, image), **{**values, **changes})


def _release(person, standing, reason="incident is over"):
    return decisions.release(hold_id=standing.pk, reason=reason, person=person, by=_by(person))


def _facts(kind):
    event = AuditEvent.objects.get(kind=kind)
    return event, event.details


@pytest.mark.parametrize("scope", SCOPES)
def test_hold_by_approver_stands_and_is_recorded_with_its_target(scope, promotion, sre):
    until = timezone.now() + timedelta(hours=2)

    made = _hold(sre, scope, until=until)

    assert Hold.objects.standing(timezone.now()).get() == made
    event, details = _facts(AuditKind.HOLD_SET)
    assert (event.actor, REASON in details, f"{until:%Y-%m-%d %H:%M} UTC" in details) == (
        "mei",
        True,
        True,
    )
    assert event.application == ("" if scope == "everything" else "argocd/checkout")
    assert event.image == ("web" if scope == "image" else "")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("who", ["viewer", "auditor", "administrator", "outsider"])
def test_hold_by_others_is_refused_and_recorded(scope, who, promotion, request):
    person = request.getfixturevalue(who)

    with pytest.raises(PermanentError):
        _hold(person, scope)

    assert not Hold.objects.exists()
    assert AuditEvent.objects.get().kind == AuditKind.DECISION_REFUSED


@pytest.mark.parametrize("who", ["viewer", "auditor", "administrator", "outsider"])
def test_release_by_others_is_refused_and_recorded(who, promotion, sre, request):
    standing = _hold(sre, "application")

    with pytest.raises(PermanentError):
        _release(request.getfixturevalue(who), standing)

    standing.refresh_from_db()
    assert standing.released_at is None
    event = AuditEvent.objects.get(kind=AuditKind.DECISION_REFUSED)
    assert (event.application, "release" in event.details) == ("argocd/checkout", True)


BOUND = """
roles: [{role: approver, groups: [shop], applications: [argocd/checkout]}]
"""


def test_hold_by_approver_of_one_application_reaches_that_one_only(stand, person, promotion):
    stand(BOUND)
    builders.make_tracked_image(builders.make_application("billing"))
    kim = person("kim", "shop")

    _hold(kim, "application")
    with pytest.raises(decisions.HoldNotFoundError):
        _hold(kim, "application", "argocd/billing")
    with pytest.raises(NotAllowedError, match="every Application"):
        _hold(kim, "everything")

    assert [row.target for row in Hold.objects.all()] == ["argocd/checkout"]


def test_release_of_everything_by_approver_of_one_application_is_refused(
    stand, person, promotion, sre
):
    stand(BOUND)
    standing = _hold(sre)

    with pytest.raises(NotAllowedError, match="every Application"):
        _release(person("kim", "shop"), standing)


@pytest.mark.parametrize("reason", ["", "   ", "too short"])
def test_hold_and_release_without_a_reason_of_the_policys_length_are_refused(
    reason, promotion, sre
):
    standing = _hold(sre, "image")

    with pytest.raises(decisions.ReasonMissingError, match="at least 10 characters"):
        _hold(sre, reason=reason)
    with pytest.raises(decisions.ReasonMissingError, match="at least 10 characters"):
        _release(sre, standing, reason=reason)


def test_hold_reason_is_as_long_as_the_policy_of_the_target_asks(stand, promotion, sre):
    stand("""
defaults: {min_reason: {reject: 15}}
rules: [{name: shop, match: {applications: [argocd/checkout]}, min_reason: {reject: 30}}]
""")

    with pytest.raises(decisions.ReasonMissingError, match="at least 15 characters"):
        _hold(sre, reason="x" * 14)
    with pytest.raises(decisions.ReasonMissingError, match="at least 30 characters"):
        _hold(sre, "application", reason="x" * 29)


WRONG_ENDS = {
    "past": (-timedelta(seconds=5), "in the future"),
    "after a year": (timedelta(days=400), "within a year"),
}


@pytest.mark.parametrize(("shift", "words"), WRONG_ENDS.values(), ids=WRONG_ENDS)
def test_hold_until_a_time_that_cannot_be_is_refused(shift, words, promotion, sre):
    with pytest.raises(decisions.HoldNotPossibleError, match=words):
        _hold(sre, until=timezone.now() + shift)


WRONG_TARGETS = {
    "everything with an Application": Target("everything", "argocd/checkout"),
    "Application without a name": Target("application"),
    "image without an alias": Target("image", "argocd/checkout"),
    "scope that is none": Target("cluster"),
}


@pytest.mark.parametrize("target", WRONG_TARGETS.values(), ids=WRONG_TARGETS)
def test_hold_of_a_target_that_is_none_is_refused(target, promotion, sre):
    with pytest.raises(decisions.HoldNotPossibleError, match="Name nothing to hold everything"):
        decisions.hold(target=target, reason=REASON, until=None, person=sre, by=_by(sre))


@pytest.mark.parametrize(
    ("application", "image"),
    [("argocd/nowhere", ""), ("checkout", ""), ("argocd/checkout", "nothing")],
)
def test_hold_of_what_is_not_there_is_refused(application, image, promotion, sre):
    with pytest.raises(decisions.HoldNotFoundError):
        _hold(sre, "image" if image else "application", application, image)


@pytest.mark.parametrize("scope", SCOPES)
def test_hold_of_what_is_held_is_refused_with_who_and_why(scope, promotion, sre):
    _hold(sre, scope)

    with pytest.raises(decisions.AlreadyHeldError, match=r"mei holds .* already: incident 4711"):
        _hold(sre, scope)

    assert Hold.objects.count() == 1


@pytest.mark.parametrize("scope", SCOPES)
def test_hold_over_one_whose_time_is_up_closes_that_one_first(scope, promotion, sre):
    earlier = _over(promotion, scope)

    made = _hold(sre, scope)

    earlier.refresh_from_db()
    assert (earlier.released_at, earlier.released_by) == (earlier.until, "")
    assert made.released_at is None
    kinds = AuditEvent.objects.order_by("sequence").values_list("kind", flat=True)
    assert list(kinds) == [AuditKind.HOLD_ENDED, AuditKind.HOLD_SET]


def _over(promotion, scope="everything"):
    """Make a hold that ended a minute ago and that nobody closed."""
    target = {
        "everything": {},
        "application": {"application": promotion.application},
        "image": {"tracked_image": promotion.tracked_image},
    }[scope]
    now = timezone.now()
    times = {"at": now - timedelta(hours=1), "until": now - timedelta(minutes=1)}
    return Hold.objects.create(scope=scope, reason=REASON, by="mei", **target, **times)


def _waiting(promotion, **changes):
    """Leave the promotion as a worker leaves it that found a gate closed."""
    values = {
        "error_code": "gate_closed",
        "status_reason": "Waits: mei holds everything: incident 4711.",
        "next_attempt_at": timezone.now() + timedelta(seconds=30),
    }
    Promotion.objects.filter(pk=promotion.pk).update(**{**values, **changes})


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("status", ["APPROVED", "ERRORED"])
def test_release_makes_what_waited_due_at_once_and_rings(
    scope, status, promotion, sre, rung, django_capture_on_commit_callbacks
):
    standing = _hold(sre, scope)
    _waiting(promotion, status=status)

    with django_capture_on_commit_callbacks(execute=True):
        released = _release(sre, standing)

    promotion.refresh_from_db()
    assert promotion.next_attempt_at == released.released_at <= timezone.now()
    assert (promotion.status, promotion.status_reason, promotion.error_code) == (status, "", "")
    assert rung == ["execution"]
    event, details = _facts(AuditKind.HOLD_RELEASED)
    assert (event.actor, "incident is over" in details) == ("mei", True)


def test_release_leaves_alone_what_waits_for_something_else(promotion, sre, rung):
    other = builders.make_promotion(status="APPROVED")
    standing = _hold(sre, "application")
    later = timezone.now() + timedelta(minutes=10)
    _waiting(promotion, error_code="rate_limited", next_attempt_at=later)
    _waiting(other, next_attempt_at=later)

    _release(sre, standing)

    assert set(Promotion.objects.values_list("next_attempt_at", flat=True)) == {later}
    assert rung == []


def test_release_twice_is_refused_with_who_was_first(promotion, sre):
    standing = _hold(sre)
    _release(sre, standing)

    with pytest.raises(decisions.NotHeldError, match="mei released it at"):
        _release(sre, standing)


def test_release_of_one_that_ended_by_itself_is_refused(promotion, sre):
    with pytest.raises(decisions.NotHeldError, match="ended by itself"):
        _release(sre, _over(promotion))


def test_release_of_none_is_refused(sre):
    with pytest.raises(decisions.HoldNotFoundError):
        decisions.release(hold_id=4711, reason=REASON, person=sre, by=_by(sre))


def test_sweep_closes_what_is_over_once_and_makes_due_what_waited(promotion, monkeypatch):
    over = _over(promotion, "image")
    _waiting(promotion)
    monkeypatch.setattr(following, "look_again", lambda **_: 0)

    first = promotions.sweep(world=None, by=WORKER)
    second = promotions.sweep(world=None, by=WORKER)

    over.refresh_from_db()
    promotion.refresh_from_db()
    assert (first["holds_ended"], second["holds_ended"]) == (1, 0)
    assert over.released_at == over.until
    assert promotion.next_attempt_at <= timezone.now()
    assert AuditEvent.objects.get(kind=AuditKind.HOLD_ENDED).actor == WORKER.name


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("status", ["APPROVED", "ERRORED"])
def test_held_promotion_is_closed_to_workers_also_when_it_is_retried(scope, status, promotion, sre):
    Promotion.objects.filter(pk=promotion.pk).update(status=status)
    _hold(sre, scope)
    if status == "ERRORED":
        decisions.retry(promotion_id=promotion.pk, person=sre, by=_by(sre))
    row = Promotion.objects.with_target().get()

    closed = gates.closed([row], at=timezone.now())

    assert "mei holds" in str(closed[row.pk])


def test_what_runs_already_is_not_stopped_by_a_hold(promotion, sre):
    Promotion.objects.filter(pk=promotion.pk).update(status="EXECUTING")
    _hold(sre)
    row = Promotion.objects.with_target().get()

    assert gates.closed([row], at=timezone.now()) == {}


def test_hold_follows_an_application_that_is_deleted_and_made_again(promotion, sre):
    _hold(sre, "application")
    promotion.application.vanished_at = timezone.now()
    promotion.application.save()
    again = builders.make_tracked_image(builders.make_application("checkout"), "web")
    row = builders.make_promotion(builders.make_candidate(again), status="APPROVED")

    assert holds.is_held(row, at=timezone.now())
    assert row.pk in gates.closed([row], at=timezone.now())


def test_claim_after_a_hold_was_set_is_refused_though_the_gates_were_open(promotion, sre):
    builders.make_decision(promotion, sre)
    with leases.hold("git:here#main", holder="worker-1") as grant:
        assert gates.closed([promotion], at=timezone.now()) == {}
        _hold(sre)

        with pytest.raises(TransitionRefusedError, match="holds it"):
            recording.claim(grant, promotion, base="b", commit="c", by=WORKER, at=timezone.now())

    promotion.refresh_from_db()
    assert (promotion.status, promotion.executions.count()) == ("APPROVED", 0)


def test_claim_of_an_emergency_whose_rule_passes_holds_goes_on(stand, sre, db):
    stand("""
rules:
- name: nights
  emergency:
    approvals: [{name: one, role: approver}]
    overrides: [hold]
""")
    row = builders.make_promotion(kind="emergency", status="APPROVED")
    _hold(sre)

    assert not holds.is_held(row, at=timezone.now())


def test_command_tells_the_gates_to_whoever_may_see_the_promotion(promotion, sre, outsider):
    _hold(sre, "application")
    told = {}
    for person in (sre, outsider):
        out = StringIO()
        call_command("explain_promotion", str(promotion.pk), user=person.username, stdout=out)
        told[person.username] = out.getvalue()

    assert "Gate Hold           blocked: mei holds argocd/checkout: incident 4711" in told["mei"]
    assert "who can change it: somebody who may release holds" in told["mei"]
    assert "Gate" not in told["nobody"]


@pytest.mark.parametrize("verb", ["hold", "release"])
def test_failing_audit_write_undoes_the_change(verb, promotion, sre, monkeypatch):
    standing = _hold(sre, "image") if verb == "release" else None
    _waiting(promotion)
    before = Promotion.objects.values().get(), list(Hold.objects.values())
    monkeypatch.setattr(audit, "record", _fail)

    with pytest.raises(RuntimeError, match="disk is full"):
        _release(sre, standing) if standing else _hold(sre)

    assert (Promotion.objects.values().get(), list(Hold.objects.values())) == before


def _fail(**_):
    raise RuntimeError("disk is full")


@pytest.mark.django_db(transaction=True)
def test_hold_by_many_at_once_is_set_once(sre):
    results = []
    start = threading.Barrier(8)

    def set_one():
        start.wait()
        try:
            _hold(sre)
            results.append("held")
        except decisions.AlreadyHeldError:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=set_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == ["held"] + ["refused"] * 7
    assert AuditEvent.objects.filter(kind=AuditKind.HOLD_SET).count() == 1
