"""Stopped while its pull request waits: closed on the host and ended here, unless it was merged before."""

import pytest

from approvals import decisions
from approvals.execution.pull_request_facts import Facts
from approvals.models import Promotion
from tests.integration.pull_requests.story import Story, kinds, seen
from updater import clock
from updater.audit import Actor, AuditKind

REASON = "the queue is on fire"


@pytest.fixture
def story(outside):
    return Story(outside, "gitea")


def _abort(promotion, person):
    by = Actor(name=person.username, kind="person", via="page", user_id=person.pk)
    return decisions.abort(promotion_id=promotion.pk, reason=REASON, person=person, by=by)


def test_abort_while_it_waits_closes_it_and_ends(story, sre):
    promotion = story.proposed(sre)
    head = seen(promotion).pull_request["head"]

    _abort(promotion, sre)
    story.outside.execute()

    seen(promotion)
    assert promotion.status == "ABORTED"
    assert f"mei stopped it: {REASON}" in promotion.status_reason
    assert [pull.state for pull in story.all] == ["closed"]
    assert promotion.pull_request["state"] == "closed"
    assert story.tip(head) is None
    assert not promotion.tracked_image.refusals.exists()
    assert kinds(promotion)[-3:] == [
        AuditKind.ABORT_REQUESTED,
        AuditKind.PULL_REQUEST_CLOSED,
        AuditKind.PROMOTION_ABORTED,
    ]


def test_abort_after_the_merge_is_too_late_and_answered(story, sre):
    promotion = story.proposed(sre)
    story.merge()
    _abort(promotion, sre)

    story.sweep()

    seen(promotion)
    assert promotion.status == "VERIFYING"
    assert kinds(promotion).count(AuditKind.ABORT_MISSED) == 1


def test_abort_before_anything_is_on_the_host_leaves_it_alone(story, sre, monkeypatch):
    promotion = story.approved(sre)
    claim = Facts.claim

    def claim_then_abort(*args, **kwargs):
        claimed = claim(*args, **kwargs)
        _abort(promotion, sre)
        return claimed

    monkeypatch.setattr(Facts, "claim", claim_then_abort)

    story.sweep()

    assert seen(promotion).status == "ABORTED"
    assert story.all == []
    assert promotion.pull_request["state"] == "closed"


def test_abort_while_the_worker_looks_is_seen_at_once(story, sre, monkeypatch):
    promotion = story.proposed(sre)
    waits = Facts.waits

    def abort_then_wait(*args, **kwargs):
        _abort(promotion, sre)
        return waits(*args, **kwargs)

    monkeypatch.setattr(Facts, "waits", abort_then_wait)
    story.sweep()
    monkeypatch.undo()

    assert seen(promotion).next_attempt_at <= clock.now()
    story.outside.execute()
    assert seen(promotion).status == "ABORTED"


def test_abort_of_one_of_two_lets_the_other_be_proposed_alone(story, sre):
    backend = story.approved(sre)
    frontend = story.proposed(sre, "main-77ab0c3", "frontend")
    assert len(story.all) == 1

    _abort(Promotion.objects.get(pk=backend.pk), sre)
    story.sweep()
    story.sweep()

    assert seen(backend).status == "ABORTED"
    assert seen(frontend).status == "EXECUTING"
    assert sorted(pull.state for pull in story.all) == ["closed", "open"]
    opened = next(pull for pull in story.all if pull.state == "open")
    assert backend.to_tag not in story.read(opened.head)


def test_abort_with_the_host_away_tries_later(story, sre):
    promotion = story.proposed(sre)
    story.outside.git.faults.status = 503
    _abort(promotion, sre)
    story.sweep()
    assert seen(promotion).status == "EXECUTING"
    story.outside.git.faults.status = 0

    story.sweep()

    assert seen(promotion).status == "ABORTED"
    assert [pull.state for pull in story.all] == ["closed"]
