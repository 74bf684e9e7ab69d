"""After the merge: what stands on the base branch is compared with what was approved; and merging by us."""

import pytest

from onebox.world.git_host.api import ApiAnswer
from tests.integration.pull_requests.story import OVERRIDE, Story, kinds, seen
from tests.integration.story.outside import REPOSITORY
from updater.audit import AuditKind
from updater.integrations.kubernetes.client import ClusterClient
from updater.integrations.kubernetes.errors import ClusterUnreachableError

WHEN_ALLOWED = "when-allowed"


@pytest.fixture
def story(outside):
    return Story(outside, "gitea")


@pytest.mark.parametrize(
    ("kind", "method"),
    [("github", "squash"), ("gitea", "rebase"), ("gitlab", "fast-forward"), ("gitlab", "rebase")],
)
def test_merged_in_another_way_verifies(outside, sre, kind, method):
    story = Story(outside, kind)
    promotion = story.proposed(sre)
    story.merge(method=method)

    story.sweep()

    assert seen(promotion).status == "VERIFYING"
    assert promotion.commit == story.tip("main")


def test_merged_and_moved_on_still_names_the_merge(story, sre):
    promotion = story.proposed(sre)
    sha = story.merge()
    story.push("main", {"README.md": b"later\n"})

    story.sweep()

    assert (seen(promotion).status, promotion.commit) == ("VERIFYING", sha)


def test_merged_with_another_value_is_named(story, sre):
    promotion = seen(story.proposed(sre))
    story.merge()
    other = story.read().replace(promotion.to_tag, "main-0000000").encode()
    story.push("main", {OVERRIDE: other})

    story.sweep()

    assert seen(promotion).status == "ERRORED"
    assert "backend.tag is main-0000000, not main-e1f492f" in promotion.status_reason
    assert promotion.next_attempt_at is None
    assert promotion.commit == ""
    story.push("main", {OVERRIDE: other.replace(b"main-0000000", b"main-e1f492f")})
    story.retry()
    assert seen(promotion).status == "VERIFYING"


def test_merged_with_a_file_that_nobody_approved_is_named(story, sre):
    promotion = seen(story.proposed(sre))
    story.push(promotion.pull_request["head"], {"values.yaml": b"replicas: 50\n"})
    story.merge()

    story.sweep()

    assert seen(promotion).status == "ERRORED"
    assert "more than was approved: values.yaml" in promotion.status_reason


def test_merged_as_a_commit_that_the_base_does_not_hold_is_looked_for_again(story, sre):
    promotion = story.proposed(sre)
    main, sha = story.tip("main"), story.merge()
    story.pulls._merger(REPOSITORY).move("main", main, sha)

    story.sweep()
    assert seen(promotion).status == "ERRORED"
    assert "does not hold yet" in promotion.status_reason
    story.pulls._merger(REPOSITORY).move("main", sha, main)
    story.sweep()

    assert seen(promotion).status == "VERIFYING"


def test_merged_while_the_cluster_is_away_refreshes_later(story, sre, monkeypatch):
    promotion = story.proposed(sre)
    story.merge()

    def unreachable(*args, **kwargs):
        raise ClusterUnreachableError("no route")

    monkeypatch.setattr(ClusterClient, "refresh", unreachable)
    story.sweep()
    monkeypatch.undo()
    assert (seen(promotion).status, bool(promotion.commit)) == ("ERRORED", True)

    story.sweep()

    assert seen(promotion).status == "VERIFYING"
    assert kinds(promotion).count(AuditKind.OVERRIDE_COMMITTED) == 1


def test_merging_by_us_waits_for_what_is_missing_and_says_it(story, sre, settings):
    settings.PULL_REQUEST_MERGE = WHEN_ALLOWED
    promotion = story.proposed(sre)
    story.pulls.block(REPOSITORY, 1, "At least 1 approving review is required.")

    story.sweep()
    assert seen(promotion).status == "EXECUTING"
    assert "waits to be merged: At least 1 approving review is required." in promotion.status_reason
    story.pulls.block(REPOSITORY, 1, "")
    story.sweep()

    assert seen(promotion).status == "VERIFYING"
    assert story.all[0].ended_by == "bot"


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_merging_by_us_goes_through_on_the_other_hosts(outside, sre, settings, kind):
    settings.PULL_REQUEST_MERGE = WHEN_ALLOWED
    story = Story(outside, kind)
    promotion = story.proposed(sre)

    story.sweep()

    assert seen(promotion).status == "VERIFYING"
    assert story.all[0].ended_by == "bot"


def test_merging_by_us_without_the_right_leaves_it_to_people(story, sre, settings):
    settings.PULL_REQUEST_MERGE = WHEN_ALLOWED
    promotion = story.proposed(sre)
    seen_by_get = story.api.answer

    def forbid(request):
        is_merge = request.segments[-1] == "merge"
        return (
            ApiAnswer(403, {"message": "no right to merge"}) if is_merge else seen_by_get(request)
        )

    story.api.answer = forbid
    story.sweep()

    assert seen(promotion).status == "EXECUTING"
    assert "no right to merge" in promotion.status_reason


def test_merging_by_us_is_off_unless_set(story, sre):
    promotion = story.proposed(sre)

    story.sweep()

    assert (seen(promotion).status, story.all[0].state) == ("EXECUTING", "open")


def test_r34_merging_by_us_looks_at_the_digest_first(story, sre, settings):
    settings.PULL_REQUEST_MERGE = WHEN_ALLOWED
    promotion = story.proposed(sre)
    story.outside.push("main-e1f492f", labels={"pushed": "again"})

    story.sweep()

    assert story.all[0].state == "closed"
    assert seen(promotion).status == "ABORTED"


def test_conflict_is_told_and_nothing_is_forced(story, sre, settings):
    settings.PULL_REQUEST_MERGE = WHEN_ALLOWED
    promotion = story.proposed(sre)
    story.push("main", {OVERRIDE: b"helm:\n  parameters: []\n"})

    story.sweep()

    assert seen(promotion).status == "EXECUTING"
    assert "it conflicts with the base branch" in promotion.status_reason
