"""A hold between approval and push: nothing is written while it stands, and all of it after the release."""

import pytest

from approvals import decisions
from approvals.decisions import Target
from approvals.models import Promotion
from tests.integration.story.conftest import approve
from tests.integration.story.outside import REPOSITORY
from updater.audit import Actor, AuditKind
from updater.models import AuditEvent

REASON = "incident 4711: checkout is slow"
TARGETS = {
    "image": Target("image", "argocd/example", "backend"),
    "Application": Target("application", "argocd/example"),
    "everything": Target("everything"),
}


def _by(person):
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


def _hold(target, person):
    return decisions.hold(target=target, reason=REASON, until=None, person=person, by=_by(person))


def _commits(example):
    return len(example.git.log(REPOSITORY, "main"))


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_approved_and_held_is_not_pushed_and_is_pushed_after_the_release(target, example, sre):
    offered = example.offer()
    standing = _hold(target, sre)
    promotion = approve(offered, sre)
    before = _commits(example)

    example.execute()
    example.execute()

    promotion.refresh_from_db()
    assert (promotion.status, _commits(example)) == ("APPROVED", before)
    assert promotion.status_reason.startswith("Waits: mei holds")

    decisions.release(hold_id=standing.pk, reason="it is over", person=sre, by=_by(sre))
    example.execute()

    promotion.refresh_from_db()
    assert (promotion.status, _commits(example)) == ("VERIFYING", before + 1)
    kinds = list(
        AuditEvent.objects.filter(promotion=str(promotion.pk))
        .order_by("sequence")
        .values_list("kind", flat=True)
    )
    assert kinds.count(AuditKind.EXECUTION_DELAYED) == 1
    assert kinds.index(AuditKind.EXECUTION_DELAYED) < kinds.index(AuditKind.EXECUTION_STARTED)


def test_hold_on_another_image_of_the_application_lets_this_one_go(example, sre):
    offered = example.offer()
    _hold(Target("image", "argocd/example", "frontend"), sre)
    promotion = approve(offered, sre)

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"


def test_hold_set_after_the_push_does_not_stop_what_runs(example, sre):
    promotion = approve(example.offer(), sre)
    example.execute()

    _hold(Target("everything"), sre)
    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"
    assert Promotion.objects.filter(status_reason__contains="holds").count() == 0
