"""When a candidate whose promotion is over is offered again, as one table, and as a story per row."""

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals import decisions, lifecycle, proposable
from approvals.lifecycle import Move
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from tests import builders
from updater.audit import Actor, AuditKind
from updater.models import Application, Candidate, ImageRepository, Refusal, TrackedImage

HOUR = timedelta(hours=1)


def _is_offered() -> bool:
    return proposable.candidates(timezone.now()).exists()


def _ended(status: str, **changes: object) -> Promotion:
    """Make a promotion that ended an hour ago; its repository was not scanned since."""
    now = timezone.now()
    ImageRepository.objects.all().delete()
    repository = builders.make_image_repository(scanned_at=now - 2 * HOUR)
    image = builders.make_tracked_image(image_repository=repository)
    candidate = builders.make_candidate(image, found_at=now - 3 * HOUR)
    return builders.make_promotion(
        candidate,
        status=status,
        created_at=now - 2 * HOUR,
        ended_at=now - HOUR,
        **changes,
    )


def _scan(_promotion: Promotion) -> None:
    ImageRepository.objects.update(scanned_at=timezone.now())


def _choose_anew(promotion: Promotion) -> None:
    _scan(promotion)
    Candidate.objects.filter(pk=promotion.candidate_id).update(found_at=timezone.now())


def _lift_refusal(promotion: Promotion) -> None:
    _refuse(promotion)
    Refusal.objects.update(lifted_at=timezone.now(), lifted_by="mei")


def _refuse(promotion: Promotion) -> None:
    Refusal.objects.create(
        tracked_image=promotion.tracked_image,
        digest=promotion.to_digest,
        tag=promotion.to_tag,
        reason="breaks the till",
        by="mei",
        at=promotion.ended_at,
    )


def _run(promotion: Promotion) -> None:
    _scan(promotion)
    TrackedImage.objects.update(live_tag=promotion.to_tag, live_digest="")


def _end_soon(promotion: Promotion) -> None:
    _scan(promotion)
    Promotion.objects.update(ended_at=timezone.now() - timedelta(seconds=30))


def _take_its_place(status: str):
    def take(promotion: Promotion) -> None:
        _scan(promotion)
        newer = builders.make_candidate(promotion.tracked_image, "main-77aa001", is_current=True)
        by = builders.make_promotion(newer, status=status)
        Candidate.objects.filter(pk=newer.pk).update(is_current=False)
        Candidate.objects.filter(pk=promotion.candidate_id).update(is_current=True)
        Promotion.objects.filter(pk=promotion.pk).update(superseded_by=by)

    return take


PERSON = {"ended_by": "mei"}
ABORTED = {"abort_requested_by": "mei", "abort_requested_at": timezone.now()}
TABLE = {
    "expired, not scanned since": ("EXPIRED", {}, None, False),
    "expired, still offered by a scan": ("EXPIRED", {}, _scan, True),
    "expired a moment ago": ("EXPIRED", {}, _end_soon, False),
    "withdrawn by us, not scanned since": ("WITHDRAWN", {}, None, False),
    "withdrawn by us, still offered": ("WITHDRAWN", {}, _scan, True),
    "withdrawn by a person, still offered": ("WITHDRAWN", PERSON, _scan, False),
    "withdrawn by a person, chosen anew": ("WITHDRAWN", PERSON, _choose_anew, True),
    "withdrawn by a person, refusal lifted": ("WITHDRAWN", PERSON, _lift_refusal, True),
    "aborted by us, still offered": ("ABORTED", {}, _scan, True),
    "aborted by a person, still offered": ("ABORTED", ABORTED, _scan, False),
    "aborted by a person, chosen anew": ("ABORTED", ABORTED, _choose_anew, True),
    "aborted, refused": ("ABORTED", {}, lambda row: (_scan(row), _refuse(row)), False),
    "superseded by a pending one": ("SUPERSEDED", {}, _take_its_place("PENDING"), False),
    "superseded by a running one": ("SUPERSEDED", {}, _take_its_place("VERIFYING"), False),
    "superseded by a withdrawn one": ("SUPERSEDED", {}, _take_its_place("WITHDRAWN"), True),
    "superseded, its place is free": ("SUPERSEDED", {}, _scan, True),
    "succeeded, runs": ("SUCCEEDED", {}, _run, False),
    "succeeded, reverted, not scanned since": ("SUCCEEDED", {}, None, False),
    "succeeded, reverted": ("SUCCEEDED", {}, _scan, True),
    "failed, still offered": ("FAILED", {}, _scan, False),
    "failed, chosen anew": ("FAILED", {}, _choose_anew, True),
    "rejected, still offered": ("REJECTED", PERSON, _scan, False),
    "rejected and refused, chosen anew": (
        "REJECTED",
        PERSON,
        lambda row: (_choose_anew(row), _refuse(row)),
        False,
    ),
    "rejected, refusal lifted": ("REJECTED", PERSON, _lift_refusal, True),
}


@pytest.mark.parametrize(("status", "changes", "then", "expected"), TABLE.values(), ids=TABLE)
def test_candidates_whose_last_promotion_is_over(status, changes, then, expected, db):
    promotion = _ended(status, **changes)
    if then is not None:
        then(promotion)

    assert _is_offered() == expected


def test_table_names_every_status_in_which_a_promotion_is_over():
    assert {row[0] for row in TABLE.values()} == set(Status.over())


def test_candidates_that_never_had_a_promotion_are_offered_at_once(db):
    builders.make_candidate()

    assert _is_offered()


@pytest.mark.parametrize("status", Status.alive())
def test_candidates_with_a_promotion_that_is_alive_are_not_offered(status, db):
    promotion = _ended("EXPIRED")
    _choose_anew(promotion)
    builders.make_promotion(promotion.candidate, status=status)

    assert not _is_offered()


def test_candidates_follow_the_last_of_several_promotions(db):
    promotion = _ended("EXPIRED")
    _scan(promotion)
    now = timezone.now()
    builders.make_promotion(
        promotion.candidate, status="WITHDRAWN", ended_by="mei", ended_at=now - HOUR / 2
    )

    assert not _is_offered()


CHANGES = {
    "not current": (Candidate, {"is_current": False}),
    "postponed": (Candidate, {"retry_at": timezone.now() + HOUR}),
    "unusable": (TrackedImage, {"is_usable": False}),
    "removed": (TrackedImage, {"removed_at": timezone.now()}),
    "vanished": (Application, {"vanished_at": timezone.now()}),
}


@pytest.mark.parametrize(("model", "change"), CHANGES.values(), ids=CHANGES)
def test_candidates_that_cannot_be_promoted_are_not_offered(model, change, db):
    _scan(_ended("EXPIRED"))
    assert _is_offered()

    model.objects.update(**change)

    assert not _is_offered()


def test_withdraw_by_a_person_is_remembered_as_theirs(sre):
    promotion = builders.make_promotion()
    by = Actor(name=sre.username, kind="person", via="page", user_id=sre.pk)

    decisions.withdraw(promotion_id=promotion.pk, reason="not before the fair", person=sre, by=by)

    assert Promotion.objects.get().ended_by == sre.username


def test_advance_to_an_end_by_the_machine_names_nobody(db):
    promotion = builders.make_promotion()
    move = Move(Status.PENDING, Status.EXPIRED, AuditKind.PROMOTION_EXPIRED)

    lifecycle.advance(promotion, move, by=Actor(name="countersign"), at=timezone.now())

    assert promotion.ended_by == ""
