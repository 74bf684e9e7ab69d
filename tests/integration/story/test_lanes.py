"""Targets run side by side: a slow or silent Git host holds up its own targets only, in approval order after it."""

import time
from functools import partial

import pytest

from approvals import execution
from approvals.execution import sweeping
from approvals.execution import targets as execution_targets
from approvals.models import Execution, Promotion
from tests import builders
from tests.integration.story import targets
from tests.integration.story.conftest import approve
from tests.integration.story.outside import MACHINE
from tests.integration.story.targets import HELM, NEW, Shape
from updater.audit import AuditKind
from updater.integrations import git
from updater.models import AuditEvent, Breaker

SLOW_SECONDS = 2.0
FILES = {"values.yaml": b"a: 1\n"}


def sweep():
    return execution.sweep_side_by_side(holder="worker-1", by=MACHINE)


def due_now():
    Promotion.objects.filter(next_attempt_at__isnull=False).update(
        next_attempt_at="2026-01-01T00:00Z"
    )


@pytest.fixture
def pending(outside):
    """One pending promotion in each of three repositories; the first is on a host of another name."""
    urls = [targets.repository(outside, FILES, f"acme/deploy-{number}") for number in range(3)]
    urls[0] = urls[0].replace("127.0.0.1", "localhost")
    outside.add_repository_secret("other-name", urls[0])
    for number, url in enumerate(urls):
        targets.add(outside, url, Shape(name=f"service-{number}", annotations=HELM))
    outside.push(NEW)
    outside.look()
    outside.propose()
    rows = Promotion.objects.filter(status="PENDING").order_by("application__name")
    assert len(rows) == 3
    return list(rows)


def slow_down(monkeypatch, seconds):
    """Let every fetch from the host `localhost` take its time; note when others were written."""
    fetch = git.GitMirror.fetch

    def slowly(mirror, branch):
        if "localhost" in mirror._name:
            time.sleep(seconds)
        return fetch(mirror, branch)

    monkeypatch.setattr(git.GitMirror, "fetch", slowly)


def test_sweep_side_by_side_with_a_slow_host_does_not_hold_up_the_others(pending, sre, monkeypatch):
    for row in pending:
        approve(row, sre)
    slow_down(monkeypatch, SLOW_SECONDS)

    assert sweep() == 3

    started = dict(Execution.objects.values_list("promotion__application__name", "started_at"))
    assert {row.status for row in Promotion.objects.all()} == {"VERIFYING"}
    gap = started["service-0"] - max(started["service-1"], started["service-2"])
    assert gap.total_seconds() > 0.5


def test_sweep_side_by_side_picks_up_what_is_approved_while_a_slow_one_runs(
    pending, sre, monkeypatch
):
    slow_down(monkeypatch, 3.0)
    approve(pending[0], sre)
    late = iter(pending[1:])
    find = sweeping.due

    def due_and_then_one_more():
        found = list(find())
        if (row := next(late, None)) is not None:
            approve(row, sre)
        return found

    monkeypatch.setattr(sweeping, "due", due_and_then_one_more)

    assert sweep() == 3
    assert {row.status for row in Promotion.objects.all()} == {"VERIFYING"}


def test_outage_of_one_git_host_lets_its_promotions_wait_and_the_others_through(
    pending, sre, monkeypatch
):
    for row in pending:
        approve(row, sre)
    run = git.mirror.Git._talk
    asked = []

    def silent(self, arguments, **options):
        if "localhost" in self.name:
            asked.append(arguments)
            raise git.RepositoryUnreachableError.of(self.name, "no route to host")
        return run(self, arguments, **options)

    monkeypatch.setattr(git.mirror.Git, "_talk", silent)
    for _ in range(6):
        sweep()
        due_now()

    waiting, *others = (Promotion.objects.get(pk=row.pk) for row in pending)
    assert len(asked) == 3  # the breaker opened, and nobody asked any more
    assert [row.status for row in others] == ["VERIFYING", "VERIFYING"]
    assert waiting.status == "APPROVED"
    assert waiting.status_reason.startswith("Git host localhost")
    assert "does not answer since" in waiting.status_reason
    delays = AuditEvent.objects.filter(promotion=waiting.pk, kind=AuditKind.EXECUTION_DELAYED)
    assert delays.count() == 2  # no answer; then: left alone

    monkeypatch.setattr(git.mirror.Git, "_talk", run)
    builders.let_breakers_probe()
    due_now()
    sweep()

    assert Promotion.objects.get(pk=waiting.pk).status == "VERIFYING"
    assert not Breaker.objects.open().exists()


def test_c13_a_poison_promotion_is_tried_eight_times_and_the_others_get_through(
    outside, sre, monkeypatch
):
    url = targets.repository(outside, {f"{name}/values.yaml": b"a: 1\n" for name in ("a", "b")})
    for name in ("a", "b"):
        targets.add(outside, url, Shape(name=name, source={"path": name}, annotations=HELM))
    outside.push(NEW)
    outside.look()
    outside.propose()
    poison, sound = Promotion.objects.order_by("application__name")
    approve(poison, sre)
    approve(sound, sre)
    choke = partial(_choke_on, poison.application_id, execution_targets.git_target.carry_out)
    monkeypatch.setattr(execution_targets.git_target, "carry_out", choke)
    waits = []

    for _ in range(12):
        due_now()
        sweep()
        row = Promotion.objects.get(pk=poison.pk)
        if row.next_attempt_at:
            waits.append((row.next_attempt_at - row.status_at).total_seconds())

    sound.refresh_from_db()
    assert sound.status == "VERIFYING"
    assert (row.status, row.attempts, row.next_attempt_at) == ("ERRORED", 8, None)
    assert "unforeseen" in row.status_reason
    assert len(waits) == 7
    assert waits[0] < waits[1] < waits[2] < waits[3]
    assert row.executions.filter(error_code="unforeseen").count() == 8


def _choke_on(application_id, carry_out, promotions, **options):
    if any(row.application_id == application_id for row in promotions):
        raise KeyError("poison")
    carry_out(promotions, **options)


def test_unknown_of_another_application_is_looked_for_before_anything_is_written(
    outside, sre, monkeypatch
):
    url = targets.repository(outside, {f"{name}/values.yaml": b"a: 1\n" for name in ("a", "b")})
    for name in ("a", "b"):
        targets.add(outside, url, Shape(name=name, source={"path": name}, annotations=HELM))
    outside.push(NEW)
    outside.look()
    outside.propose()
    lost, later = Promotion.objects.order_by("application__name")
    approve(lost, sre)
    push, fetch = git.GitMirror.push, git.GitMirror.fetch

    def push_and_lose(mirror, *arguments, **options):
        push(mirror, *arguments, **options)
        monkeypatch.setattr(git.GitMirror, "fetch", _unreachable)
        raise git.RepositoryUnreachableError.of("the repository", "cut off")

    monkeypatch.setattr(git.GitMirror, "push", push_and_lose)
    outside.execute()
    lost.refresh_from_db()
    assert lost.status == "UNKNOWN"
    approve(later, sre)
    monkeypatch.setattr(git.GitMirror, "push", push)

    outside.execute()  # its look fails, and so nobody writes to this branch
    later.refresh_from_db()
    lost.refresh_from_db()
    assert (lost.status, later.status) == ("UNKNOWN", "APPROVED")

    monkeypatch.setattr(git.GitMirror, "fetch", fetch)
    Promotion.objects.filter(pk=later.pk).update(next_attempt_at="2026-01-01T00:00Z")
    outside.execute()  # only the later one is due; the unknown one is looked for first

    lost.refresh_from_db()
    later.refresh_from_db()
    assert (lost.status, later.status) == ("VERIFYING", "VERIFYING")
    carried = [commit.message for commit in outside.git.log(targets.REPOSITORY, "main")]
    assert [str(row.pk) in text for row, text in ((later, carried[0]), (lost, carried[1]))] == [
        True,
        True,
    ]
    assert len(carried) == 3


def test_after_an_outage_what_was_approved_first_is_written_first(outside, sre, monkeypatch):
    url = targets.repository(outside, FILES, "acme/shared")
    for number in range(3):
        targets.add(outside, url, Shape(name=f"service-{number}", annotations=HELM))
    outside.push(NEW)
    outside.look()
    outside.propose()
    rows = list(Promotion.objects.filter(status="PENDING").order_by("-application__name"))
    approved = [approve(row, sre) for row in rows]
    with monkeypatch.context() as outage:
        outage.setattr(git.GitMirror, "fetch", _unreachable)
        outside.execute()
    # Only the last one's time has come when the host is back.
    last = Promotion.objects.filter(pk=approved[-1].pk)
    last.update(next_attempt_at="2026-01-01T00:00Z")

    outside.execute()

    assert set(Promotion.objects.values_list("status", flat=True)) == {"VERIFYING"}
    subjects = [commit.subject for commit in reversed(outside.git.log("acme/shared", "main"))]
    assert [subject.rpartition(" ")[2] for subject in subjects[1:]] == [
        "service-2",
        "service-1",
        "service-0",
    ]


def _unreachable(*arguments, **options):
    raise git.RepositoryUnreachableError.of("the repository", "no route")
