"""From approval to merge on each kind of host: opened once, waited for, checked, gone on with."""

import pytest
import yaml

from approvals.models import Execution, ExecutionStep
from tests.integration.pull_requests.story import Story, kinds, seen
from tests.integration.story.outside import REPOSITORY
from updater.audit import AuditKind


@pytest.fixture
def story(outside, kind):
    return Story(outside, kind)


def _steps(promotion):
    rows = ExecutionStep.objects.filter(execution__promotion=promotion)
    return list(rows.order_by("execution__attempt", "position").values_list("name", "state"))


def test_execute_opens_a_pull_request_and_leaves_the_base_alone(story, sre):
    main = story.tip("main")

    promotion = seen(story.proposed(sre))

    (pull,) = story.all
    head = f"countersign/example-{promotion.seal[:10]}"
    assert (pull.head, pull.base, pull.state, pull.author) == (head, "main", "open", "bot")
    assert story.tip("main") == main
    assert story.read(head) == promotion.plan["files"][0]["after"]
    assert pull.title == "build: automatic update of example"
    assert f"updates image acme/backend tag 'main-aaaaaaa' to '{promotion.to_tag}'" in pull.body
    assert (
        f"http://localhost:8000/promotions/{promotion.pk}/ (seal `{promotion.seal}`)" in pull.body
    )
    assert promotion.status == "EXECUTING"
    assert promotion.commit == ""
    assert promotion.pull_request["number"] == 1
    assert promotion.pull_request["head_sha"] == story.tip(head)
    waits, _, address = promotion.status_reason.partition(" waits to be merged. ")
    assert waits == promotion.pull_request["name"]
    assert address == promotion.pull_request["url"] != ""
    assert _steps(promotion) == [
        ("Revalidate", "DONE"),
        ("Build commit", "DONE"),
        ("Push branch", "DONE"),
        ("Open pull request", "DONE"),
        ("Wait for merge", "INTENDED"),
    ]
    assert kinds(promotion)[-2:] == [AuditKind.EXECUTION_STARTED, AuditKind.PULL_REQUEST_OPENED]


def test_execute_after_the_merge_verifies_and_goes_on(story, sre):
    promotion = story.proposed(sre)
    story.push("main", {"README.md": b"somebody else was here\n"})
    story.merge()

    story.sweep()

    seen(promotion)
    assert promotion.status == "VERIFYING"
    assert promotion.commit == story.tip("main")
    assert promotion.pull_request["state"] == "merged"
    values = yaml.safe_load(story.read())["helm"]["parameters"]
    assert {"name": "backend.tag", "value": promotion.to_tag, "forcestring": True} in values
    annotations = story.outside.application()["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/refresh"] == "normal"
    assert kinds(promotion)[-5:] == [
        AuditKind.PULL_REQUEST_OPENED,
        AuditKind.PULL_REQUEST_MERGED,
        AuditKind.OVERRIDE_COMMITTED,
        AuditKind.APPLICATION_REFRESHED,
        AuditKind.EXECUTION_FINISHED,
    ]
    assert Execution.objects.get().status == "SUCCEEDED"
    story.outside.report("example", [promotion.to_tag], revision=promotion.commit)
    story.outside.look()
    story.outside.observe()
    assert seen(promotion).status == "SUCCEEDED"


def test_closed_outside_stays_closed_over_sweeps_and_scans(story, sre):
    promotion = story.proposed(sre)
    story.pulls.close(REPOSITORY, 1, by="mei")

    for _ in range(3):
        story.sweep()
        story.outside.look()
        story.outside.propose()

    seen(promotion)
    assert promotion.status == "ABORTED"
    assert "was closed by mei and not merged" in promotion.status_reason
    assert [pull.state for pull in story.all] == ["closed"]
    refusal = promotion.tracked_image.refusals.get()
    assert (refusal.digest, refusal.scope, refusal.by) == (promotion.to_digest, "DIGEST", "mei")
    assert promotion.tracked_image.promotions.count() == 1
    assert kinds(promotion)[-2:] == [AuditKind.PULL_REQUEST_CLOSED, AuditKind.PROMOTION_ABORTED]
    assert promotion.executions.get().status == "ABORTED"


def _die(*args, **kwargs):
    raise SystemExit


def test_crash_after_the_push_opens_one_with_the_same_commit(story, sre, monkeypatch):
    promotion = story.approved(sre)
    monkeypatch.setattr(type(story.client()), "open", _die)
    with pytest.raises(SystemExit):
        story.outside.execute()
    monkeypatch.undo()
    seen(promotion)
    pushed = story.tip(promotion.pull_request["head"])
    assert (promotion.status, promotion.pull_request["state"]) == ("EXECUTING", "proposed")

    story.outside.execute(holder="worker-2")

    (pull,) = story.all
    assert pull.head_sha == pushed
    assert seen(promotion).pull_request["state"] == "open"
    assert list(Execution.objects.order_by("attempt").values_list("status", flat=True)) == [
        "LOST",
        "RUNNING",
    ]


@pytest.mark.parametrize("then", ["waits", "closed"])
def test_crash_after_opening_finds_it_again_whatever_became_of_it(story, sre, monkeypatch, then):
    promotion = story.approved(sre)
    host = type(story.client())
    really = host.open

    def open_and_die(self, proposal):
        really(self, proposal)
        raise SystemExit

    monkeypatch.setattr(host, "open", open_and_die)
    with pytest.raises(SystemExit):
        story.outside.execute()
    monkeypatch.undo()
    if then == "closed":
        story.pulls.close(REPOSITORY, 1, by="mei")

    for _ in range(3):
        story.sweep(holder="worker-2")

    statuses = {"waits": "EXECUTING", "closed": "ABORTED"}
    assert len(story.all) == 1
    assert seen(promotion).status == statuses[then]
    assert promotion.pull_request["number"] == 1


def test_two_sweeps_make_one(story, sre):
    story.approved(sre)

    story.outside.execute()
    story.outside.execute(holder="worker-2")
    story.sweep(holder="worker-2")

    assert len(story.all) == 1
