"""What else may happen on the way: it rests, it is lost sight of, it is left for a newer one; the host is a Gitea."""

import pytest

from approvals import planning
from approvals.models import Execution, ExecutionStep, Hold
from tests.integration.pull_requests.story import OVERRIDE, Story, seen
from tests.integration.story.outside import REPOSITORY
from updater import clock


@pytest.fixture
def story(outside):
    return Story(outside, "gitea")


def _steps(promotion):
    rows = ExecutionStep.objects.filter(execution__promotion=promotion)
    return list(rows.order_by("execution__attempt", "position").values_list("name", "state"))


def test_execute_before_approval_touches_nothing(story):
    story.outside.offer()

    story.sweep()

    assert story.all == []
    assert "countersign" not in str(list(story.outside.git.requests))


def test_execute_while_it_waits_rests_and_looks_again(story, sre):
    promotion = seen(story.proposed(sre))
    story.outside.git.requests.clear()

    for _ in range(3):
        story.outside.execute()

    assert list(story.outside.git.requests) == []
    first = promotion.next_attempt_at
    story.sweep()
    assert seen(promotion).status == "EXECUTING"
    assert promotion.next_attempt_at > first
    assert promotion.attempts == 1
    assert Execution.objects.count() == 1


def test_closed_outside_lets_a_newer_build_come(story, sre):
    story.proposed(sre, created="2026-11-21T10:00:00Z")
    story.pulls.close(REPOSITORY, 1, by="mei")
    story.sweep()

    newer = story.proposed(sre, "main-77ab0c3")

    assert [pull.state for pull in story.all] == ["open", "closed"]
    assert seen(newer).pull_request["number"] == 2


def _die(*args, **kwargs):
    raise SystemExit


def test_crash_after_the_push_and_a_moved_base_uses_the_pushed_branch(story, sre, monkeypatch):
    promotion = story.approved(sre)
    monkeypatch.setattr(type(story.client()), "open", _die)
    with pytest.raises(SystemExit):
        story.outside.execute()
    monkeypatch.undo()
    pushed = story.tip(seen(promotion).pull_request["head"])
    story.push("main", {"README.md": b"moved on\n"})

    story.outside.execute(holder="worker-2")

    (pull,) = story.all
    assert pull.head_sha == pushed
    assert ("Push branch", "FOUND_DONE") in _steps(promotion)


def test_lost_answer_to_opening_makes_no_second_one(story, sre):
    promotion = story.approved(sre)
    story.outside.git.faults.loses_api_answers = 1

    story.outside.execute()
    assert seen(promotion).status == "ERRORED"
    story.sweep()

    assert len(story.all) == 1
    assert seen(promotion).status == "EXECUTING"
    assert promotion.pull_request["number"] == 1


def test_two_images_go_out_in_one(story, sre):
    backend = story.approved(sre)
    frontend = story.approved(sre, "main-77ab0c3", "frontend")

    story.sweep()

    (pull,) = story.all
    assert seen(backend).pull_request == seen(frontend).pull_request
    assert all(f"/promotions/{row.pk}/" in pull.body for row in (backend, frontend))
    story.merge()
    story.sweep()
    assert {seen(backend).status, seen(frontend).status} == {"VERIFYING"}
    assert backend.commit == frontend.commit == story.tip("main")


def test_held_while_it_was_built_is_not_proposed_and_says_why(story, sre, monkeypatch):
    promotion = story.approved(sre)
    prepare = planning.prepare

    def hold_meanwhile(*args, **named):
        Hold.objects.get_or_create(scope="everything", reason="incident", by="mei", at=clock.now())
        return prepare(*args, **named)

    monkeypatch.setattr(planning, "prepare", hold_meanwhile)
    story.sweep()

    assert seen(promotion).status == "APPROVED"
    assert "mei holds everything: incident" in promotion.status_reason
    assert promotion.next_attempt_at > clock.now()
    assert story.all == []
    assert not promotion.executions.exists()

    monkeypatch.undo()
    Hold.objects.all().delete()
    story.sweep()

    assert seen(promotion).status == "EXECUTING"
    assert len(story.all) == 1


def test_one_of_two_held_while_they_were_built_lets_the_other_be_proposed(story, sre, monkeypatch):
    backend = story.approved(sre)
    frontend = story.approved(sre, "main-77ab0c3", "frontend")
    prepare = planning.prepare

    def hold_meanwhile(*args, **named):
        why = {"reason": "leaks", "by": "mei", "at": clock.now()}
        Hold.objects.get_or_create(scope="image", tracked_image=backend.tracked_image, defaults=why)
        return prepare(*args, **named)

    monkeypatch.setattr(planning, "prepare", hold_meanwhile)
    story.sweep()

    assert seen(backend).status == "APPROVED"
    assert seen(frontend).status == "EXECUTING"
    (pull,) = story.all
    assert backend.to_tag not in story.read(pull.head)


def test_override_file_is_the_only_one_that_changes(story, sre):
    promotion = seen(story.proposed(sre))

    commit = story.outside.git.log(REPOSITORY, promotion.pull_request["head"])[0]

    assert commit.diff.count("diff --git") == 1
    assert f"b/{OVERRIDE}" in commit.diff
