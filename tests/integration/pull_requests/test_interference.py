"""Strangers push to our branch, people change their minds, hosts go away: noticed, named, never forced."""

import pytest

from approvals import verification
from approvals.models import Execution, ExecutionStep, Promotion
from onebox.world.git_host.api import ApiAnswer
from tests.integration.pull_requests.story import ANNOTATION, OVERRIDE, Story, kinds, seen
from tests.integration.story.conftest import approve
from tests.integration.story.outside import REPOSITORY
from updater import clock
from updater.audit import AuditKind
from updater.connections import Connections
from updater.models import AuditEvent

OLDER, NEWER = "2026-11-21T10:00:00Z", "2026-11-22T10:00:00Z"
VALUES = {"values.yaml": b"replicas: 50\n"}


@pytest.fixture
def story(outside):
    return Story(outside, "gitea")


# Commits that nobody knows

UNKNOWN = "11111111-1111-4111-8111-111111111111"
BY_HAND = f"by hand\n\nPromotion-Id: {UNKNOWN}\nSeal: {'0' * 64}\n"


def _alarms(kind):
    return list(AuditEvent.objects.filter(kind=kind).values_list("details", flat=True))


def test_commit_on_the_base_that_names_no_promotion_of_ours_is_told_once(story, sre):
    story.outside.git.commit(REPOSITORY, "main", {"note": b"x"}, BY_HAND)

    story.proposed(sre)
    story.sweep()
    story.merge()
    story.sweep()

    (alarm,) = _alarms(AuditKind.TRAILER_FORGED)
    assert UNKNOWN in alarm
    assert not _alarms(AuditKind.COMMIT_ORPHANED)


def test_commit_pushed_to_the_base_while_it_waits_is_found_after_the_merge(story, sre):
    promotion = story.proposed(sre)
    story.outside.git.commit(REPOSITORY, "main", {"note": b"x"}, BY_HAND)
    story.merge()

    story.sweep()

    assert seen(promotion).status == "VERIFYING"
    assert len(_alarms(AuditKind.TRAILER_FORGED)) == 1


# Edited


@pytest.mark.parametrize("path", ["values.yaml", OVERRIDE], ids=["another-file", "our-file"])
def test_head_pushed_to_by_a_stranger_is_closed_and_named(story, sre, path):
    promotion = seen(story.proposed(sre))
    head = promotion.pull_request["head"]
    sha = story.push(head, {path: story.read(head, path).encode() + b"# harmless?\n"})

    story.sweep()
    story.sweep()

    (pull,) = story.all
    assert (pull.state, pull.ended_by) == ("closed", "bot")
    assert "Somebody pushed" in pull.comments[0][1]
    assert seen(promotion).status == "ERRORED"
    assert sha[:10] in promotion.status_reason
    assert promotion.next_attempt_at is None
    assert promotion.tracked_image.refusals.count() == 0
    assert AuditKind.PULL_REQUEST_CLOSED in kinds(promotion)


def test_head_edited_and_then_deleted_is_proposed_anew_by_a_retry(story, sre):
    promotion = seen(story.proposed(sre))
    story.push(promotion.pull_request["head"], VALUES)
    story.sweep()
    story.retry()
    assert "exists already and holds something else" in seen(promotion).status_reason
    story.delete_branch(promotion.pull_request["head"])

    story.retry()

    assert [pull.state for pull in story.all] == ["open", "closed"]
    assert seen(promotion).status == "EXECUTING"


def test_head_brought_up_to_date_by_the_host_stays_ours(story, sre):
    promotion = seen(story.proposed(sre))
    story.push("main", {"README.md": b"somebody else\n"})
    new = story.update_branch(promotion)

    story.sweep()

    assert [pull.state for pull in story.all] == ["open"]
    assert seen(promotion).status == "EXECUTING"
    assert promotion.pull_request["head_sha"] == new
    story.merge()
    story.sweep()
    assert seen(promotion).status == "VERIFYING"


def test_branch_of_a_stranger_with_our_name_is_not_used(story, sre):
    promotion = story.approved(sre)
    head = f"countersign/example-{promotion.seal[:10]}"
    story.branch(head)
    story.push(head, VALUES)

    story.sweep()

    assert story.all == []
    assert f"The branch {head} exists already" in seen(promotion).status_reason
    story.delete_branch(head)
    story.sweep()
    assert seen(promotion).status == "EXECUTING"


def test_branch_left_over_from_a_merged_one_is_moved_on(story, sre):
    promotion = story.approved(sre)
    story.branch(f"countersign/example-{promotion.seal[:10]}")

    story.sweep()

    assert seen(promotion).pull_request["state"] == "open"


# Not wanted any more


def test_newer_approval_closes_the_older_one_and_takes_its_place(story, sre):
    older = story.proposed(sre, created=OLDER)
    newer = story.approved(sre, "main-77ab0c3", created=NEWER)

    story.outside.execute()
    story.outside.execute()

    assert [pull.state for pull in story.all] == ["open", "closed"]
    closed = story.all[1]
    assert closed.ended_by == "bot"
    assert "main-77ab0c3 was approved after it." in closed.comments[0][1]
    assert (seen(older).status, older.superseded_by) == ("ABORTED", newer)
    assert older.tracked_image.refusals.count() == 0
    assert seen(newer).pull_request["number"] == 2
    assert story.tip(older.pull_request["head"]) is None


def test_newer_proposal_alone_leaves_the_older_one_open(story, sre):
    older = story.proposed(sre, created=OLDER)

    story.outside.offer("main-77ab0c3", created=NEWER)
    story.sweep()

    assert [pull.state for pull in story.all] == ["open"]
    assert seen(older).status == "EXECUTING"


def test_newer_approval_after_the_merge_lets_both_go(story, sre):
    older = story.proposed(sre, created=OLDER)
    story.merge()
    story.approved(sre, "main-77ab0c3", created=NEWER)

    story.outside.execute()

    assert seen(older).status == "VERIFYING"


def test_one_of_two_superseded_leaves_the_other_to_be_proposed_alone(story, sre):
    backend = story.approved(sre, created=OLDER)
    frontend = story.approved(sre, "main-5555555", "frontend")
    story.sweep()
    newer = story.approved(sre, "main-77ab0c3", created=NEWER)

    for _ in range(3):
        story.sweep()

    assert story.pulls.get(REPOSITORY, 1).state == "closed"
    assert seen(backend).status == "ABORTED"
    assert (seen(frontend).status, seen(newer).status) == ("EXECUTING", "EXECUTING")
    assert frontend.pull_request["number"] > 1
    for number in {row.pull_request["number"] for row in (frontend, newer)}:
        story.merge(number)
    story.sweep()
    assert (seen(frontend).status, seen(newer).status) == ("VERIFYING", "VERIFYING")


def test_repushed_tag_closes_it_and_is_proposed_anew(story, sre):
    promotion = story.proposed(sre)
    story.outside.push("main-e1f492f", labels={"pushed": "again"})
    story.outside.look()

    story.sweep()
    story.outside.propose()

    assert [pull.state for pull in story.all] == ["closed"]
    assert seen(promotion).status == "ABORTED"
    assert "pushed again" in promotion.status_reason
    assert Promotion.objects.get(status="PENDING").to_tag == "main-e1f492f"


def test_deleted_application_closes_it(story, sre):
    promotion = story.proposed(sre)
    story.outside.delete("example")
    story.outside.look()

    story.sweep()

    assert [pull.state for pull in story.all] == ["closed"]
    assert seen(promotion).status == "ABORTED"
    assert "deleted" in promotion.status_reason


def test_withdrawn_while_errored_is_closed_with_the_reason_and_no_command_in_it(story, sre):
    promotion = story.proposed(sre)
    story.error_out(promotion)
    Promotion.objects.update(status="WITHDRAWN", status_reason="no\n/merge ```")

    story.sweep()
    story.sweep()

    (pull,) = story.all
    assert pull.state == "closed"
    assert pull.comments == [
        ("bot", "Closed by Countersign:\n\n````\nIt is withdrawn: no\n/merge ```\n````")
    ]
    assert seen(promotion).pull_request["state"] == "closed"


def test_withdrawn_and_merged_nevertheless_is_told_once(story, sre):
    promotion = story.proposed(sre)
    story.error_out(promotion)
    Promotion.objects.update(status="WITHDRAWN")
    story.merge()

    story.sweep()
    story.sweep()

    assert seen(promotion).status == "WITHDRAWN"
    assert promotion.pull_request["state"] == "merged"
    assert kinds(promotion).count(AuditKind.PULL_REQUEST_MERGED) == 1
    story.proposed(sre, "main-77ab0c3")  # looks at the base, where its commit stands
    assert not _alarms(AuditKind.COMMIT_ORPHANED)


def test_withdrawn_and_the_host_away_tries_later(story, sre):
    promotion = story.proposed(sre)
    story.error_out(promotion)
    Promotion.objects.update(status="WITHDRAWN", next_attempt_at=None)
    story.outside.git.faults.status = 503

    story.sweep()
    assert seen(promotion).next_attempt_at is not None
    story.outside.git.faults.status = 0
    story.sweep()

    assert [pull.state for pull in story.all] == ["closed"]


def test_asking_for_none_after_the_approval_is_sealed_anew(story, sre):
    promotion = story.approved(sre)
    story.outside.patch("example", {"metadata": {"annotations": {ANNOTATION: None}}})

    story.sweep()

    assert (seen(promotion).status, promotion.revision) == ("PENDING", 2)
    assert story.all == []
    assert OVERRIDE not in story.files("main")


# The host says no, or nothing


def test_host_away_while_it_waits_is_told_once_and_heals(story, sre):
    promotion = story.proposed(sre)
    story.outside.git.faults.status = 502

    for _ in range(2):
        story.sweep()

    assert seen(promotion).status == "EXECUTING"
    assert "API does not answer" in promotion.status_reason
    assert kinds(promotion).count(AuditKind.EXECUTION_DELAYED) == 1
    story.outside.git.faults.status = 0
    story.merge()
    story.sweep()
    assert seen(promotion).status == "VERIFYING"


def test_rate_limit_while_it_waits_is_kept(story, sre):
    promotion = story.proposed(sre)
    story.answer(ApiAnswer(429, {"message": "slow down"}, {"Retry-After": "1800"}))

    story.sweep()

    assert "slow down" in seen(promotion).status_reason
    assert (promotion.next_attempt_at - promotion.status_at).total_seconds() > 1790
    assert (
        f"the next attempt is at {promotion.next_attempt_at:%H:%M} UTC" in promotion.status_reason
    )


def test_rate_limit_at_the_opening_is_kept_told_and_nothing_lost(story, sre):
    promotion = story.approved(sre)
    story.answer(ApiAnswer(429, {"message": "slow down"}, {"Retry-After": "9999999"}))

    story.sweep()

    assert seen(promotion).status == "ERRORED"
    assert 3590 < (promotion.next_attempt_at - clock.now()).total_seconds() < 3900
    report = verification.verify(world=Connections())
    assert [found for found in report.findings if found.invariant == "I3"] == []


@pytest.mark.parametrize(("status", "words"), [(401, "renew it"), (403, "may not do this")])
def test_refused_token_needs_a_person_and_goes_on_after_a_retry(story, sre, status, words):
    promotion = story.proposed(sre)
    story.answer(ApiAnswer(status, {"message": "no <b>way</b>"}))

    story.sweep()

    assert seen(promotion).status == "ERRORED"
    assert words in promotion.status_reason
    assert "no <b>way</b>" in promotion.status_reason
    story.retry()
    assert seen(promotion).status == "EXECUTING"
    assert len(story.all) == 1
    assert Execution.objects.count() == 2


def test_refused_to_open_shows_the_hosts_words_and_a_retry_uses_the_branch(story, sre):
    promotion = story.approved(sre)
    words = {"message": "Validation failed", "errors": ["base is protected"]}
    story.answer(ApiAnswer(422, words))

    story.sweep()
    assert seen(promotion).status == "ERRORED"
    assert "base is protected" in promotion.status_reason
    story.retry()

    assert seen(promotion).status == "EXECUTING"
    assert len(story.all) == 1


def test_label_that_is_missing_is_only_noted(story, sre):
    promotion = story.outside.offer()
    plan = {**promotion.plan, "pull_request": {"host": "gitea", "labels": ["bot", "urgent"]}}
    Promotion.objects.update(plan=plan)
    approve(seen(promotion), sre)

    story.sweep()

    assert story.all[0].labels == ["bot"]
    assert "no label urgent" in ExecutionStep.objects.get(name="Open pull request").probed


def test_hook_declining_the_branch_is_told(story, sre):
    promotion = story.approved(sre)
    story.outside.git.repositories.decline(REPOSITORY, "branches need a ticket")

    story.sweep()

    assert seen(promotion).status == "ERRORED"
    assert "branches need a ticket" in promotion.status_reason
    assert story.all == []
