"""From approval to commit: once, exactly what was sealed, whatever the outside does meanwhile."""

from datetime import timedelta

import pytest
import yaml
from django.db import transaction

from approvals import planning
from approvals.models import Execution, Hold, Promotion
from tests.integration.story.conftest import approve
from tests.integration.story.outside import ANNOTATION, REPOSITORY, Outside
from updater import clock, leases
from updater.audit import AuditKind
from updater.integrations import git as git_client
from updater.integrations import kubernetes
from updater.models import AuditEvent, Lease

OVERRIDE = ".argocd-source-example.yaml"


def _parameters(
    outside: Outside, path: str = OVERRIDE, repository: str = REPOSITORY
) -> dict[str, str]:
    document = yaml.safe_load(outside.git.read(repository, "main", path))
    return {item["name"]: item["value"] for item in document["helm"]["parameters"]}


def _kinds(promotion: Promotion) -> list[str]:
    rows = AuditEvent.objects.filter(promotion=str(promotion.pk)).order_by("sequence")
    return list(rows.values_list("kind", flat=True))


def _due_now() -> None:
    Promotion.objects.filter(next_attempt_at__isnull=False).update(
        next_attempt_at="2026-01-01T00:00Z"
    )


def test_offer_of_a_main_build_is_pending_with_the_exact_change(example):
    example.push("feature-77aa001")

    promotion = example.offer()

    assert Promotion.objects.count() == 1
    assert (promotion.from_tag, promotion.to_tag) == ("main-aaaaaaa", "main-e1f492f")
    assert promotion.plan["files"][0]["path"] == OVERRIDE
    assert [edit[2] for edit in promotion.subject["edits"]][-1] == "main-e1f492f"
    assert _kinds(promotion) == [AuditKind.PROMOTION_OPENED]


def test_execute_approved_commits_the_sealed_bytes_and_refreshes(example, sre):
    promotion = approve(example.offer(), sre)

    example.execute()

    promotion.refresh_from_db()
    commit = example.git.log(REPOSITORY, "main")[0]
    written = example.git.read(REPOSITORY, "main", OVERRIDE)
    assert promotion.status == "VERIFYING"
    assert commit.sha == promotion.commit
    assert written.decode() == promotion.plan["files"][0]["after"]
    assert _parameters(example)["backend.tag"] == "main-e1f492f"
    assert example.git.read(REPOSITORY, "main", "values.yaml").startswith(b"frontend:")
    annotations = example.application()["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/refresh"] == "normal"
    assert f"Promotion-Id: {promotion.pk}" in commit.message
    assert f"Seal: {promotion.seal}" in commit.message
    assert "Approved-by: Mei Tanaka (mei)" in commit.message
    assert _kinds(promotion)[-5:] == [
        AuditKind.PROMOTION_APPROVED,
        AuditKind.EXECUTION_STARTED,
        AuditKind.OVERRIDE_COMMITTED,
        AuditKind.APPLICATION_REFRESHED,
        AuditKind.EXECUTION_FINISHED,
    ]


def test_execute_pending_or_rejected_writes_nothing(example, sre):
    promotion = example.offer()
    before = len(example.git.log(REPOSITORY, "main"))

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"
    assert len(example.git.log(REPOSITORY, "main")) == before


def test_execute_twice_makes_one_commit(example, sre):
    approve(example.offer(), sre)

    example.execute()
    example.execute()

    assert len(example.git.log(REPOSITORY, "main")) == 2


def test_execute_of_two_images_makes_one_commit_for_the_application(example, sre):
    backend = approve(example.offer(), sre)
    frontend = approve(example.offer("main-77ab0c3", "frontend"), sre)

    example.execute()

    commit = example.git.log(REPOSITORY, "main")[0]
    assert len(example.git.log(REPOSITORY, "main")) == 2
    assert all(f"Promotion-Id: {row.pk}" in commit.message for row in (backend, frontend))
    values = _parameters(example)
    assert (values["backend.tag"], values["frontend.tag"]) == ("main-e1f492f", "main-77ab0c3")


def test_execute_after_the_answer_was_lost_finds_its_own_commit(example, sre, monkeypatch):
    promotion = approve(example.offer(), sre)
    push = git_client.GitMirror.push

    def push_and_lose(mirror, *args, **kwargs):
        push(mirror, *args, **kwargs)
        raise git_client.RepositoryUnreachableError.of("the repository", "cut off")

    monkeypatch.setattr(git_client.GitMirror, "push", push_and_lose)
    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"
    assert len(example.git.log(REPOSITORY, "main")) == 2


def test_execute_when_nobody_can_say_is_unknown_and_resolved_later(example, sre, monkeypatch):
    promotion = approve(example.offer(), sre)
    push, fetch = git_client.GitMirror.push, git_client.GitMirror.fetch

    def push_and_lose(mirror, *args, **kwargs):
        push(mirror, *args, **kwargs)
        monkeypatch.setattr(git_client.GitMirror, "fetch", _unreachable)
        raise git_client.RepositoryUnreachableError.of("the repository", "cut off")

    monkeypatch.setattr(git_client.GitMirror, "push", push_and_lose)
    example.execute()
    promotion.refresh_from_db()
    assert promotion.status == "UNKNOWN"

    monkeypatch.setattr(git_client.GitMirror, "push", push)
    monkeypatch.setattr(git_client.GitMirror, "fetch", fetch)
    _due_now()
    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"
    assert len(example.git.log(REPOSITORY, "main")) == 2
    assert AuditKind.EXECUTION_LOST_SIGHT in _kinds(promotion)


def _unreachable(*args, **kwargs):
    raise git_client.RepositoryUnreachableError.of("the repository", "no route")


def test_execute_after_a_crash_before_the_push_pushes_once(example, sre, monkeypatch):
    promotion = approve(example.offer(), sre)

    def die(*args, **kwargs):
        raise SystemExit

    monkeypatch.setattr(git_client.GitMirror, "push", die)
    with pytest.raises(SystemExit):
        example.execute()
    monkeypatch.undo()
    promotion.refresh_from_db()
    assert promotion.status == "EXECUTING"

    example.execute(holder="worker-2")

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"
    assert len(example.git.log(REPOSITORY, "main")) == 2
    assert list(Execution.objects.order_by("attempt").values_list("status", flat=True)) == [
        "LOST",
        "SUCCEEDED",
    ]


def test_execute_when_a_stranger_pushed_elsewhere_goes_on(example, sre):
    promotion = approve(example.offer(), sre)
    example.git.commit(REPOSITORY, "main", {"README.md": b"hello\n"}, "by a stranger")

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"
    assert example.git.read(REPOSITORY, "main", "README.md") == b"hello\n"


def test_g14_execute_when_our_key_was_changed_asks_again(example, sre):
    first = example.offer()
    approve(first, sre)
    example.execute()
    example.report("example", ["main-e1f492f"], revision=Promotion.objects.get().commit)
    example.look()
    example.observe()
    second = approve(example.offer("main-77ab0c3"), sre)
    text = example.git.read(REPOSITORY, "main", OVERRIDE).replace(b"main-e1f492f", b"main-0000000")
    example.git.commit(REPOSITORY, "main", {OVERRIDE: text}, "by hand")

    example.execute()

    second.refresh_from_db()
    assert (second.status, second.revision) == ("PENDING", 2)
    assert "main-0000000" in example.git.read(REPOSITORY, "main", OVERRIDE).decode()
    assert second.decisions.get().voided_at is not None


def test_r34_execute_after_the_tag_was_pushed_again_stops(example, sre):
    promotion = approve(example.offer(), sre)
    example.push("main-e1f492f", labels={"pushed": "again"})

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"
    assert len(example.git.log(REPOSITORY, "main")) == 1
    assert "pushed again" in promotion.status_reason


def test_k06_execute_for_a_recreated_application_withdraws(example, sre):
    promotion = approve(example.offer(), sre)
    example.delete("example")
    example.add_application("example", f"{example.git.url}/{REPOSITORY}.git")

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "WITHDRAWN"
    assert len(example.git.log(REPOSITORY, "main")) == 1


def test_execute_for_a_deleted_application_withdraws_with_a_sentence(example, sre):
    promotion = approve(example.offer(), sre)
    example.delete("example")

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status in ("WITHDRAWN", "APPROVED")
    assert "example" in promotion.status_reason
    example.look()
    example.propose()
    promotion.refresh_from_db()
    assert promotion.status == "WITHDRAWN"


def test_execute_for_an_approver_who_lost_the_right_asks_again(example, sre):
    promotion = approve(example.offer(), sre)
    sre.groups.clear()

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"
    assert AuditKind.APPROVAL_LAPSED in _kinds(promotion)
    assert len(example.git.log(REPOSITORY, "main")) == 1


def test_execute_when_git_is_down_waits_and_says_so_once(example, sre):
    promotion = approve(example.offer(), sre)
    example.git.stop()

    for _ in range(2):  # after a third look the host is left alone: test_lanes.py
        _due_now()
        example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "APPROVED"
    assert "cannot be reached" in promotion.status_reason
    assert _kinds(promotion).count(AuditKind.EXECUTION_DELAYED) == 1


def test_execute_when_a_hook_declines_shows_its_words(example, sre):
    promotion = approve(example.offer(), sre)
    example.git.repositories.decline(REPOSITORY, "no pushes on Friday")

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "ERRORED"
    assert "no pushes on Friday" in promotion.status_reason
    assert promotion.next_attempt_at is None


def test_execute_declined_for_one_application_lets_the_others_through(example, sre):
    url = f"{example.git.url}/{REPOSITORY}.git"
    example.git.commit(REPOSITORY, "main", {"other/values.yaml": b"a: 1\n"}, "another chart")
    example.add_application("second", url, path="other")
    example.push("main-1111111")
    example.look()
    example.propose()
    first = approve(Promotion.objects.get(application__name="example"), sre)
    second = approve(Promotion.objects.get(application__name="second"), sre)
    example.delete("second")

    example.execute()

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.status == "VERIFYING"
    assert second.status != "VERIFYING"


def test_execute_for_many_applications_of_a_repository_pushes_once(example, sre):
    url = f"{example.git.url}/{REPOSITORY}.git"
    names = [f"service-{number}" for number in range(5)]
    files = {f"{name}/values.yaml": b"a: 1\n" for name in names}
    example.git.commit(REPOSITORY, "main", files, "charts")
    for name in names:
        example.add_application(name, url, path=name)
    example.push("main-2222222")
    example.look()
    example.propose()
    for promotion in Promotion.objects.filter(status="PENDING"):
        approve(promotion, sre)
    example.git.requests.clear()

    example.execute()

    pushes = [
        line for line in example.git.requests if "git-receive-pack" in line and "POST" in line
    ]
    assert set(Promotion.objects.values_list("status", flat=True)) == {"VERIFYING"}
    assert len(pushes) == 1
    assert len(example.git.log(REPOSITORY, "main")) == 2 + 6


def test_lease_of_a_living_worker_keeps_others_out(transactional_db):
    Lease.objects.create(target="git:x#main")

    with leases.hold("git:x#main", holder="one"):
        lease = Lease.objects.get()
        assert (lease.holder, lease.fence) == ("one", 1)
        assert lease.expires_at is not None

    assert Lease.objects.get().expires_at is None


def test_p19_a_paused_worker_cannot_record_after_it_was_replaced(transactional_db):
    with leases.hold("git:x#main", holder="paused") as grant:
        Lease.objects.update(fence=grant.fence + 1)  # another took over after the lease ran out

        with pytest.raises(leases.LeaseLostError):
            _record(grant)


def _record(grant):
    with transaction.atomic():
        leases.require_current(grant)


def test_observe_success_needs_revision_image_and_health(example, sre):
    promotion = approve(example.offer(), sre)
    example.execute()
    promotion.refresh_from_db()
    steps = [
        ("main", ["main-aaaaaaa"], "Synced", "Healthy", "VERIFYING"),
        (promotion.commit, ["main-aaaaaaa"], "OutOfSync", "Healthy", "VERIFYING"),
        (promotion.commit, ["main-aaaaaaa", "main-e1f492f"], "Synced", "Progressing", "VERIFYING"),
        (promotion.commit, ["main-aaaaaaa", "main-e1f492f"], "Synced", "Healthy", "VERIFYING"),
        (promotion.commit, ["main-e1f492f"], "Synced", "Healthy", "SUCCEEDED"),
    ]

    for revision, tags, sync, health, expected in steps:
        example.report("example", tags, revision=revision, sync=sync, health=health)
        example.look()
        example.observe()
        promotion.refresh_from_db()
        assert promotion.status == expected, (revision, tags, sync, health)


def test_observe_degraded_on_our_revision_fails(example, sre, settings, monkeypatch):
    monkeypatch.setattr("approvals.outcomes.judging.DEGRADED_GRACE_SECONDS", 0)
    promotion = approve(example.offer(), sre)
    example.execute()
    promotion.refresh_from_db()
    example.report("example", ["main-e1f492f"], revision=promotion.commit, health="Degraded")
    example.look()

    example.observe()

    promotion.refresh_from_db()
    assert promotion.status == "FAILED"
    assert "Degraded" in promotion.status_reason


def test_observe_too_late_fails_and_unknown_is_no_verdict(example, sre, settings):
    settings.OUTCOME_DEADLINE_SECONDS = 0
    promotion = approve(example.offer(), sre)
    example.execute()
    example.report("example", ["main-aaaaaaa"], revision="main", sync="Unknown")
    example.look()
    example.observe()
    promotion.refresh_from_db()
    assert promotion.status == "UNKNOWN"

    example.report("example", ["main-e1f492f"], revision=promotion.commit)
    example.look()
    example.observe()

    promotion.refresh_from_db()
    assert promotion.status == "SUCCEEDED"


def test_execute_by_the_argocd_method_patches_only_our_parameters(outside, sre):
    url = outside.git.create_repository(REPOSITORY, {"values.yaml": b"a: 1\n"})
    outside.add_repository_secret("example", url)
    method = {"argocd-image-updater.argoproj.io/write-back-method": "argocd"}
    outside.add_application("example", url, **method)
    foreign = {"name": "api.key", "value": "hunter2-canary"}
    outside.patch("example", {"spec": {"source": {"helm": {"parameters": [foreign]}}}})
    promotion = approve(outside.offer(), sre)

    outside.execute()

    promotion.refresh_from_db()
    parameters = outside.application()["spec"]["source"]["helm"]["parameters"]
    assert promotion.status == "VERIFYING"
    assert foreign in parameters
    assert {"name": "backend.tag", "value": "main-e1f492f", "forceString": True} in parameters
    assert "hunter2-canary" not in str(promotion.plan)


def test_newer_candidate_supersedes_the_older_pending_one(example):
    older = example.offer("main-1111111", created="2026-11-23T10:00:00Z")

    newer = example.offer("main-2222222", created="2026-11-23T11:00:00Z")

    older.refresh_from_db()
    assert (older.status, older.superseded_by) == ("SUPERSEDED", newer)


def test_vanished_application_withdraws_its_promotions(example):
    promotion = example.offer()
    example.delete("example")

    example.look()
    example.propose()

    promotion.refresh_from_db()
    assert promotion.status == "WITHDRAWN"


def test_repush_while_pending_seals_anew(example):
    promotion = example.offer()
    example.push("main-e1f492f", labels={"pushed": "again"})

    example.look()
    example.propose()

    fresh = Promotion.objects.get()
    assert (fresh.pk, fresh.status, fresh.revision) == (promotion.pk, "PENDING", 2)
    assert fresh.to_digest != promotion.to_digest


def test_g26_a_stranger_naming_the_promotion_is_not_believed(example, sre):
    promotion = approve(example.offer(), sre)
    words = f"sneaky\n\nPromotion-Id: {promotion.pk}\nPromotion-MAC: {'0' * 64}\n"
    example.git.commit(REPOSITORY, "main", {"x.txt": b"x"}, words)

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "APPROVED"
    assert "is not ours" in promotion.status_reason
    assert AuditKind.TRAILER_FORGED in _kinds(promotion)
    assert len(example.git.log(REPOSITORY, "main")) == 2


def _project(outside: Outside, *windows: dict) -> None:
    spec = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default"},
        "spec": {**spec, "syncWindows": list(windows)},
    }
    outside.create("appprojects", manifest)


def test_execute_in_a_closed_sync_window_waits_and_says_so(example, sre):
    always = {"schedule": "* * * * *", "duration": "1h", "applications": ["*"]}
    _project(example, {"kind": "deny", **always})
    promotion = approve(example.offer(), sre)

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "APPROVED"
    assert "sync window" in promotion.status_reason
    assert len(example.git.log(REPOSITORY, "main")) == 1


@pytest.mark.parametrize("wanted", [True, False])
def test_observe_out_of_sync_without_automation_asks_for_a_sync_if_wanted(
    example, sre, settings, wanted
):
    settings.REQUEST_SYNC = wanted
    example.patch("example", {"spec": {"syncPolicy": None}})
    promotion = approve(example.offer(), sre)
    example.execute()
    promotion.refresh_from_db()
    example.report("example", ["main-aaaaaaa"], revision=promotion.commit, sync="OutOfSync")
    example.look()

    example.observe()

    operation = example.application().get("operation")
    assert (operation is not None) is wanted
    if wanted:
        assert operation["sync"]["revision"] == promotion.commit
        assert AuditKind.SYNC_REQUESTED in _kinds(promotion)


def test_observe_an_older_failed_operation_is_not_ours(example, sre):
    promotion = approve(example.offer(), sre)
    example.execute()
    promotion.refresh_from_db()
    old = {
        "phase": "Failed",
        "message": "old",
        "startedAt": "2026-01-01T00:00:00Z",
        "operation": {},
    }
    example.report("example", ["main-aaaaaaa"], revision=promotion.commit, sync="OutOfSync")
    example.patch("example", {"status": {"operationState": old}})
    example.look()

    example.observe()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"


def test_execute_asked_to_wait_for_a_day_tries_again_in_an_hour_and_says_when(
    example, sre, monkeypatch
):
    promotion = approve(example.offer(), sre)

    def throttled(*_, **__):
        raise kubernetes.ThrottledError("The cluster is busy.", retry_after_seconds=86_400)

    monkeypatch.setattr(planning, "prepare", throttled)
    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "APPROVED"
    assert timedelta(minutes=59) < promotion.next_attempt_at - clock.now() < timedelta(minutes=65)
    words = f"asked for: the next attempt is at {promotion.next_attempt_at:%H:%M} UTC."
    assert words in promotion.status_reason


@pytest.mark.parametrize("method", ["git", "argocd"])
def test_execute_held_while_the_commit_was_built_writes_nothing(outside, sre, monkeypatch, method):
    outside.add_example(**{ANNOTATION + "write-back-method": method})
    promotion = approve(outside.offer(), sre)
    prepare = planning.prepare

    def hold_meanwhile(*args, **named):
        Hold.objects.get_or_create(scope="everything", reason="incident", by="mei", at=clock.now())
        return prepare(*args, **named)

    monkeypatch.setattr(planning, "prepare", hold_meanwhile)
    outside.execute()

    promotion.refresh_from_db()
    assert promotion.status == "APPROVED"
    assert "mei holds everything: incident" in promotion.status_reason
    assert not promotion.executions.exists()
    assert len(outside.git.log(REPOSITORY, "main")) == 1
