"""Who may ask for what, each guard with its sentence, and that nothing stands without its row in the trail."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from approvals import decisions, doorbell, policy, proposable, requested
from approvals.models import Promotion, Request
from approvals.permissions import NotAllowedError
from approvals.queries import asked, returning
from tests import builders
from updater import audit, clock
from updater.audit import Actor, AuditKind
from updater.connections import Connections
from updater.errors import PermanentError
from updater.integrations.registry import RegistryUnavailableError
from updater.models import (
    Application,
    AuditEvent,
    ImageRepository,
    ImageTag,
    Refusal,
    TrackedImage,
)

REASON = "the checkout times out"
NOW = datetime(2026, 11, 27, tzinfo=UTC)
OLD, OFFERED = "main-1111111", "main-2222222"


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Listen to the doorbell instead of a broker."""
    rings: list[str] = []
    monkeypatch.setattr(doorbell, "ring_proposals", lambda: rings.append("proposals"))
    monkeypatch.setattr(doorbell, "ring_execution", lambda: rings.append("execution"))
    return rings


@pytest.fixture
def image(db: None) -> TrackedImage:
    """An image that runs main-9c07d1a; two more tags are listed, one older and one newer."""
    image = builders.make_tracked_image()
    repository = image.image_repository
    assert repository is not None
    for tag, hours in ((OLD, 9), ("main-9c07d1a", 6), (OFFERED, 3)):
        created = timezone.now() - timedelta(hours=hours)
        builders.make_manifest(repository, tag, created=created)
        builders.make_tag(repository, tag)
    return image


@pytest.fixture
def release(image: TrackedImage) -> Promotion:
    """A release of the older tag that succeeded."""
    candidate = builders.make_candidate(image, OLD, manifest=None, is_current=False)
    return builders.make_promotion(candidate, status="SUCCEEDED")


def _by(person: User) -> Actor:
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


def _roll_back(release: Promotion, person: User, **changes: Any) -> Request:
    values = {"promotion_id": release.pk, "reason": REASON, "person": person, "by": _by(person)}
    return decisions.roll_back(**{**values, **changes})


def _request(image: TrackedImage, person: User, tag: str = OLD, **changes: Any) -> Request:
    values = {"tracked_image": image, "tag": tag, "reason": REASON, "person": person}
    return decisions.request(**{**values, "by": _by(person), **changes})


def _refused(call: Callable[[], object], sentence: str) -> None:
    """Require that the call is refused with this sentence, that nothing came of it, and that it is recorded."""
    before = Request.objects.count()
    with pytest.raises(PermanentError, match=sentence) as error:
        call()
    assert Request.objects.count() == before
    told = AuditEvent.objects.latest("sequence")
    assert told.kind == AuditKind.DECISION_REFUSED
    assert f'"code":"{error.value.code}"' in told.details


def test_roll_back_writes_a_request_records_it_and_rings(
    release, sre, rung, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        request = _roll_back(release, sre, reason=f"  {REASON} ")

    assert (request.kind, request.status, request.reason) == ("rollback", "WAITING", REASON)
    assert (request.returns_to, request.digest) == (release, release.to_digest)
    event = AuditEvent.objects.latest("sequence")
    assert event.kind == AuditKind.PROMOTION_REQUESTED
    assert event.promotion == str(request.pk)
    assert REASON in event.details
    assert rung == ["proposals"]


@pytest.mark.parametrize("who", ["viewer", "auditor", "administrator", "outsider"])
def test_roll_back_by_others_is_refused(who, release, request):
    person = request.getfixturevalue(who)

    _refused(lambda: _roll_back(release, person), "approver")


@pytest.mark.parametrize("who", ["auditor", "administrator", "outsider"])
def test_request_by_others_is_refused(who, image, request):
    person = request.getfixturevalue(who)

    _refused(lambda: _request(image, person), "viewer or approver")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"promotion": {"status": "FAILED"}}, "only what succeeded here"),
        ({"application": {"vanished_at": NOW}}, "gone from the cluster"),
        ({"image": {"removed_at": NOW}}, "not configured any more"),
        ({"image": {"is_usable": False}}, "not configured any more"),
        ({"image": {"live_tag": OLD, "live_digest": ""}}, "It runs now"),
        ({"tag": {"removed_at": NOW}}, "gone from the registry"),
        ({"tag": {"name": "another"}}, "gone from the registry"),
        ({"tag": {"digest": "sha256:0"}}, "pushed again"),
        ({"refusal": {}}, "Lift that first"),
    ],
    ids=str,
)
def test_roll_back_to_what_is_no_way_back_is_refused(changes, sentence, release, sre):
    _change(release, **changes)

    _refused(lambda: _roll_back(release, sre), sentence)


def _change(release: Promotion, **changes: dict[str, Any]) -> None:
    rows = {
        "promotion": Promotion.objects.filter(pk=release.pk),
        "application": Application.objects.filter(pk=release.application_id),
        "image": TrackedImage.objects.filter(pk=release.tracked_image_id),
        "tag": ImageTag.objects.filter(name=release.to_tag),
    }
    for what, values in changes.items():
        if what == "refusal":
            _refuse(release)
        else:
            rows[what].update(**values)


def _refuse(release: Promotion, **changes: Any) -> Refusal:
    values = {"tag": release.to_tag, "digest": release.to_digest, "reason": "slow", "by": "ines"}
    return Refusal.objects.create(
        tracked_image=release.tracked_image, at=timezone.now(), **{**values, **changes}
    )


@pytest.mark.parametrize("reason", ["", "short", " " * 30, "\ud800" * 12], ids=repr)
@pytest.mark.parametrize("verb", ["roll_back", "request", "lift"])
def test_asking_without_a_usable_reason_is_refused(verb, reason, release, sre):
    refusal = _refuse(release, digest=builders.digest("another"))
    calls: dict[str, Callable[[], object]] = {
        "roll_back": lambda: _roll_back(release, sre, reason=reason),
        "request": lambda: _request(release.tracked_image, sre, OFFERED, reason=reason),
        "lift": lambda: _lift(refusal, sre, reason=reason),
    }

    _refused(calls[verb], "eason")


def test_roll_back_while_one_is_prepared_is_refused(release, sre):
    _roll_back(release, sre)

    _refused(lambda: _roll_back(release, sre), "asked to go back")


@pytest.mark.parametrize("status", ["PENDING", "APPROVED", "EXECUTING", "VERIFYING", "UNKNOWN"])
def test_roll_back_while_one_is_open_is_refused(status, release, sre):
    _promote(release, status, kind="rollback", returns_to=release)

    _refused(lambda: _roll_back(release, sre), "kind rollback")


def test_two_open_rollbacks_of_an_image_cannot_be_stored(release):
    _promote(release, "PENDING", kind="rollback", returns_to=release)

    with pytest.raises(IntegrityError, match="one_open_rollback"), transaction.atomic():
        _promote(release, "VERIFYING", kind="rollback", returns_to=release)


def test_two_waiting_requests_of_a_kind_cannot_be_stored(release, sre):
    values = {"tracked_image": release.tracked_image, "kind": "chosen", "tag": "a", "by": sre}
    Request.objects.create(reason=REASON, at=timezone.now(), **values)

    with pytest.raises(IntegrityError, match="one_waiting_request"), transaction.atomic():
        Request.objects.create(reason=REASON, at=timezone.now(), **values)


def _promote(release: Promotion, status: str, **changes: Any) -> Promotion:
    asked_for = {"requested_by": "ines", "request_reason": REASON}
    return builders.make_promotion(release.candidate, status=status, **asked_for, **changes)


def test_roll_back_of_nothing_says_so(sre, db):
    with pytest.raises(decisions.PromotionNotFoundError):
        decisions.roll_back(promotion_id=uuid4(), reason=REASON, person=sre, by=_by(sre))


def test_in_the_way_leaves_the_request_itself_out(release, sre):
    request = _roll_back(release, sre)

    assert asked.in_the_way(release.tracked_image, "rollback", but=request.pk) == ""
    assert "asked to go back" in asked.in_the_way(release.tracked_image, "rollback")


def test_request_of_an_older_tag_is_marked_as_one(image, viewer):
    request = _request(image, viewer)

    assert (request.kind, request.is_downgrade, request.by) == ("chosen", True, viewer)
    assert request.digest == builders.digest(OLD)
    event = AuditEvent.objects.latest("sequence")
    assert (event.kind, event.actor) == (AuditKind.PROMOTION_REQUESTED, viewer.username)


def test_request_of_a_newer_tag_is_none(image, viewer):
    assert _request(image, viewer, OFFERED).is_downgrade is False


@pytest.mark.parametrize(
    ("tag", "sentence"),
    [
        ("main-0000000", "does not list this tag"),
        ("'; drop table --", "does not list this tag"),
        ("feature-77aa001", "does not match allow-tags"),
        ("main-9c07d1a", "runs already"),
    ],
)
def test_request_of_a_tag_that_cannot_be_taken_names_the_rule(tag, sentence, image, viewer):
    builders.make_tag(image.image_repository, "feature-77aa001")

    _refused(lambda: _request(image, viewer, tag), sentence)


def test_request_of_a_refused_tag_says_who_must_lift_it(image, release, viewer):
    _refuse(release)

    _refused(lambda: _request(image, viewer), "until someone lifts the refusal")


def test_request_of_a_tag_that_is_gone_is_refused(image, viewer):
    ImageTag.objects.filter(name=OLD).update(removed_at=timezone.now())

    _refused(lambda: _request(image, viewer), "does not list")


def test_request_of_what_is_pending_already_says_so(image, viewer):
    builders.make_promotion(builders.make_candidate(image, OFFERED, manifest=None))

    _refused(lambda: _request(image, viewer, OFFERED), "a promotion to this tag already")


def test_request_while_a_way_back_is_open_is_refused(image, release, viewer):
    _promote(release, "PENDING", kind="rollback", returns_to=release)

    _refused(lambda: _request(image, viewer, OFFERED), "decide or withdraw that one first")


def test_request_beside_an_open_offer_is_possible(image, viewer):
    builders.make_promotion(builders.make_candidate(image, OFFERED, manifest=None))

    assert _request(image, viewer).is_waiting


@pytest.mark.parametrize("change", ["removed_at", "vanished_at"])
def test_request_for_what_is_gone_is_refused(change, image, release, viewer):
    _change(release, **{"image" if change == "removed_at" else "application": {change: NOW}})

    _refused(lambda: _request(image, viewer), "gone from the cluster|not configured any more")


def test_withdraw_request_by_who_asked_needs_no_reason(image, viewer):
    request = _request(image, viewer)

    _take_back(request, viewer, "")

    request.refresh_from_db()
    assert request.status == "WITHDRAWN"
    assert AuditEvent.objects.latest("sequence").kind == AuditKind.PROMOTION_WITHDRAWN


def test_withdraw_request_of_somebody_else_takes_the_right_and_a_reason(image, viewer, sre):
    request = _request(image, sre)

    with pytest.raises(NotAllowedError):
        _take_back(request, viewer, REASON)
    other = _request_of_another(viewer)
    with pytest.raises(decisions.ReasonMissingError):
        _take_back(other, sre, "")
    _take_back(other, sre, REASON)

    other.refresh_from_db()
    assert (other.status, other.problem) == ("WITHDRAWN", REASON)


def test_withdraw_request_that_is_open_already_is_refused(image, viewer):
    request = _request(image, viewer)
    Request.objects.update(status="OPENED", ended_at=timezone.now())

    with pytest.raises(decisions.AlreadyDecidedError):
        _take_back(request, viewer, "")


def _request_of_another(person: User) -> Request:
    image = builders.make_tracked_image()
    values = {"tracked_image": image, "kind": "chosen", "tag": OLD, "by": person}
    return Request.objects.create(reason=REASON, at=timezone.now(), **values)


def _take_back(request: Request, person: User, reason: str) -> Request:
    return decisions.withdraw_request(
        request_id=request.pk, reason=reason, person=person, by=_by(person)
    )


def _lift(refusal: Refusal, person: User, reason: str = REASON) -> Refusal:
    return decisions.lift_refusal(
        refusal_id=refusal.pk, reason=reason, person=person, by=_by(person)
    )


def test_lift_refusal_says_who_and_lets_the_next_scan_come_at_once(release, sre):
    lifted = _lift(_refuse(release), sre)

    assert lifted.lifted_by == sre.username
    assert lifted.lifted_at is not None
    repository = release.tracked_image.image_repository_id
    assert ImageRepository.objects.get(pk=repository).next_scan_at is None
    event = AuditEvent.objects.latest("sequence")
    assert (event.kind, event.actor) == (AuditKind.REFUSAL_LIFTED, sre.username)
    assert REASON in event.details


@pytest.mark.parametrize("who", ["viewer", "auditor", "administrator", "outsider"])
def test_lift_refusal_by_others_is_refused(who, release, request):
    person = request.getfixturevalue(who)
    refusal = _refuse(release)

    _refused(lambda: _lift(refusal, person), "approver")

    refusal.refresh_from_db()
    assert refusal.lifted_at is None


def test_lift_refusal_twice_is_refused(release, sre):
    refusal = _refuse(release)
    _lift(refusal, sre)

    _refused(lambda: _lift(refusal, sre), "lifted it already")


@pytest.mark.parametrize("verb", ["roll_back", "request", "withdraw_request", "lift_refusal"])
def test_verb_without_its_audit_row_changes_nothing(verb, release, sre, monkeypatch):
    refusal = _refuse(release, digest=builders.digest("another"))
    waiting = _request_of_another(sre)
    calls: dict[str, Callable[[], object]] = {
        "roll_back": lambda: _roll_back(release, sre),
        "request": lambda: _request(release.tracked_image, sre, OFFERED),
        "withdraw_request": lambda: _take_back(waiting, sre, ""),
        "lift_refusal": lambda: _lift(refusal, sre),
    }

    def fail(**kwargs: Any) -> int:
        raise RuntimeError("the trail is full")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError):
        calls[verb]()

    assert list(Request.objects.values_list("pk", "status")) == [(waiting.pk, "WAITING")]
    refusal.refresh_from_db()
    assert refusal.lifted_at is None


@pytest.mark.parametrize("kind", ["rollback", "chosen", "emergency"])
def test_nothing_is_offered_while_what_people_asked_for_waits(kind, image, release):
    candidate = builders.make_candidate(image, OFFERED, manifest=None)
    assert list(proposable.candidates(clock.now())) == [candidate]

    way_back = {"returns_to": release} if kind == "rollback" else {}
    _promote(release, "PENDING", kind=kind, **way_back)

    assert list(proposable.candidates(clock.now())) == []


def test_releases_say_how_long_each_ran_and_which_is_a_way_back(image, release):
    now = timezone.now()
    Promotion.objects.filter(pk=release.pk).update(ended_at=now - timedelta(days=3))
    running = builders.make_candidate(image, "main-9c07d1a", manifest=None)
    second = builders.make_promotion(running, status="SUCCEEDED", ended_at=now - timedelta(days=1))

    newest, oldest = returning.releases_of(image)

    assert (newest.promotion, newest.until, newest.runs_now) == (second, None, True)
    assert (oldest.promotion, oldest.until) == (release, second.ended_at)
    assert (oldest.can_be_returned_to, newest.can_be_returned_to) == (True, False)


def test_release_that_runs_but_was_followed_by_one_that_failed_is_a_way_back(image, release):
    # The failed one stands in Git, whatever still runs.
    _change(release, image={"live_tag": OLD, "live_digest": release.to_digest})
    Promotion.objects.filter(pk=release.pk).update(ended_at=timezone.now() - timedelta(days=1))
    bad = builders.make_candidate(image, OFFERED, manifest=None)
    builders.make_promotion(bad, status="FAILED")

    image.refresh_from_db()

    assert [item.can_be_returned_to for item in returning.releases_of(image)] == [False, True]


def test_rollback_stands_under_the_short_rule_of_the_policy(stand, person, release):
    stand(
        "rules:\n"
        "- name: shop\n"
        "  approvals: [{name: two, role: approver, count: 2}]\n"
        "  rollback: {approvals: [{name: one, role: approver, count: 1}]}\n"
    )
    way_back = _promote(release, "PENDING", kind="rollback", returns_to=release)
    offered = builders.make_promotion()

    assert policy.missing_approvals(way_back) == 1
    assert policy.missing_approvals(offered) == 2


WORKER = Actor(name="countersign")


@pytest.mark.parametrize("lost", ["disabled", "no role"])
def test_sweep_opens_nothing_for_who_may_not_ask_any_more(lost, release, sre):
    request = _roll_back(release, sre)
    if lost == "disabled":
        User.objects.filter(pk=sre.pk).update(is_active=False)
    else:
        sre.groups.clear()

    assert requested.sweep(world=Connections(), by=WORKER) == 0

    request.refresh_from_db()
    assert request.status == "REFUSED"
    assert "approver" in request.problem
    assert AuditEvent.objects.latest("sequence").kind == AuditKind.PROMOTION_NOT_OPENED


def _silent(**kwargs: Any) -> Any:
    raise RegistryUnavailableError("The registry does not answer.")


def test_sweep_tries_again_what_may_mend_itself_and_tells_it_once(release, sre, monkeypatch):
    monkeypatch.setattr("approvals.requested.scanning.read_tag", _silent)
    request = _roll_back(release, sre)

    for _ in range(3):
        Request.objects.update(retry_at=None)
        requested.sweep(world=Connections(), by=WORKER)

    request.refresh_from_db()
    assert (request.status, request.problem) == ("WAITING", "The registry does not answer.")
    assert request.retry_at is not None
    told = AuditEvent.objects.filter(kind=AuditKind.PROMOTION_NOT_OPENED)
    assert told.count() == 1


def test_sweep_gives_up_what_waited_as_long_as_a_promotion_may(release, sre, monkeypatch):
    monkeypatch.setattr("approvals.requested.scanning.read_tag", _silent)
    request = _roll_back(release, sre)
    Request.objects.update(at=timezone.now() - timedelta(days=8))

    requested.sweep(world=Connections(), by=WORKER)

    request.refresh_from_db()
    assert (request.status, request.problem) == ("REFUSED", "The registry does not answer.")


def test_sweep_leaves_what_was_withdrawn_alone(release, sre):
    request = _roll_back(release, sre)
    _take_back(request, sre, "")

    assert requested.sweep(world=Connections(), by=WORKER) == 0

    request.refresh_from_db()
    assert request.status == "WITHDRAWN"
