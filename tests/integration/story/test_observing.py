"""Releases are judged side by side: neither a slow Git host nor a promotion that breaks the judge stops the others."""

import time
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest

from approvals import outcomes, tasks
from approvals.models import Promotion
from approvals.outcomes import judging, sweeping
from tests.integration.story import targets
from tests.integration.story.conftest import approve
from tests.integration.story.outside import MACHINE, Outside
from tests.integration.story.targets import HELM, NEW, Shape
from updater import clock, leases
from updater.integrations import git
from updater.models import Lease

SLOW_SECONDS = 3.0


@pytest.fixture
def releases(outside: Outside, sre) -> list[Promotion]:
    """One written promotion in each of three repositories, rolled out; the first is on a host of another name."""
    names = [f"acme/deploy-{number}" for number in range(3)]
    urls = [targets.repository(outside, {"values.yaml": b"a: 1\n"}, name) for name in names]
    urls[0] = urls[0].replace("127.0.0.1", "localhost")
    outside.add_repository_secret("other-name", urls[0])
    for number, url in enumerate(urls):
        targets.add(outside, url, Shape(name=f"service-{number}", annotations=HELM))
    outside.push(NEW)
    outside.look()
    outside.propose()
    for row in Promotion.objects.pending().order_by("application__name"):
        approve(row, sre)
    outside.execute()
    for number, name in enumerate(names):
        # Argo CD compared with a later commit: whether ours is part of it, only Git can tell.
        later = outside.git.commit(name, "main", {"notes.txt": b"n\n"}, "A stranger's")
        outside.report(f"service-{number}", [NEW], revision=later)
    outside.look()
    rows = list(Promotion.objects.order_by("application__name"))
    assert [row.status for row in rows] == ["VERIFYING"] * 3
    return rows


def observe() -> int:
    with leases.hold(tasks.OBSERVING, holder="worker-1") as grant:
        return outcomes.sweep_side_by_side(grant, by=MACHINE)


def statuses(rows: list[Promotion]) -> list[str]:
    return [Promotion.objects.get(pk=row.pk).status for row in rows]


def slow_down(monkeypatch) -> None:
    """Let every fetch from the host `localhost` take its time."""
    fetch = git.GitMirror.fetch

    def slowly(mirror, branch):
        if "localhost" in mirror._name:
            time.sleep(SLOW_SECONDS)
        return fetch(mirror, branch)

    monkeypatch.setattr(git.GitMirror, "fetch", slowly)


def settled_in_order(monkeypatch) -> list[UUID]:
    """Return the list that will hold the promotions as they are settled."""
    settle, order = sweeping.settling.settle, []

    def note(row, *outcome, **around):
        settle(row, *outcome, **around)
        order.append(row.pk)

    monkeypatch.setattr(sweeping.settling, "settle", note)
    return order


def break_judge_of(promotion: Promotion, monkeypatch) -> None:
    judge = judging.judge

    def choke(row, **around):
        if row.pk == promotion.pk:
            raise KeyError("poison")
        return judge(row, **around)

    monkeypatch.setattr(judging, "judge", choke)


def test_observe_with_a_slow_git_host_judges_the_others_meanwhile(releases, monkeypatch):
    slow_down(monkeypatch)
    order = settled_in_order(monkeypatch)

    observe()

    assert statuses(releases) == ["SUCCEEDED"] * 3
    assert order[-1] == releases[0].pk


def test_observe_while_a_host_is_slow_looks_at_what_is_written_meanwhile(
    releases, monkeypatch, settings
):
    settings.SWEEP_SECONDS = 1
    slow_down(monkeypatch)
    order = settled_in_order(monkeypatch)
    late = Promotion.objects.filter(pk=releases[1].pk)
    late.update(status="APPROVED")
    due = sweeping._by_place

    def due_and_then_one_more():
        found = due()
        late.filter(status="APPROVED").update(status="VERIFYING")
        return found

    monkeypatch.setattr(sweeping, "_by_place", due_and_then_one_more)

    observe()

    assert statuses(releases) == ["SUCCEEDED"] * 3
    assert order == [releases[2].pk, releases[1].pk, releases[0].pk]


@pytest.mark.parametrize("how", ["side by side", "one by one"])
def test_observe_with_one_that_cannot_be_judged_goes_on_with_the_others(
    how, releases, outside, monkeypatch
):
    break_judge_of(releases[0], monkeypatch)

    observe() if how == "side by side" else outside.observe()

    assert statuses(releases) == ["VERIFYING", "SUCCEEDED", "SUCCEEDED"]
    reason = Promotion.objects.get(pk=releases[0].pk).status_reason
    assert reason == "Something unforeseen went wrong (KeyError); the worker's log says more."


def test_observe_of_one_that_can_never_be_judged_says_so_after_the_deadline(
    releases, monkeypatch, settings
):
    break_judge_of(releases[0], monkeypatch)
    late = clock.now() - timedelta(seconds=settings.OUTCOME_DEADLINE_SECONDS + 1)
    Promotion.objects.filter(pk=releases[0].pk).update(pushed_at=late)

    observe()

    assert statuses(releases) == ["UNKNOWN", "SUCCEEDED", "SUCCEEDED"]


def test_observe_when_one_cannot_be_settled_goes_on_with_the_others(releases, monkeypatch):
    settle = sweeping.settling.settle

    def choke(row, *outcome, **around):
        if row.pk == releases[0].pk:
            raise KeyError("poison")
        settle(row, *outcome, **around)

    monkeypatch.setattr(sweeping.settling, "settle", choke)

    observe()

    assert statuses(releases) == ["VERIFYING", "SUCCEEDED", "SUCCEEDED"]


def test_observe_that_is_out_of_time_leaves_the_rest_to_the_next_sweep(
    releases, outside, monkeypatch
):
    monkeypatch.setattr(sweeping, "LANE_SECONDS", -1.0)
    outside.observe()
    assert statuses(releases).count("SUCCEEDED") == 0

    monkeypatch.setattr(sweeping, "LANE_SECONDS", 60.0)
    outside.observe()

    assert statuses(releases) == ["SUCCEEDED"] * 3


def test_observe_by_a_worker_that_was_overtaken_settles_nothing(releases, monkeypatch):
    """It asked Git, stood still, and wakes up when another observes."""
    tip = judging.Connections.tip

    def stand_still(world, *place):
        found = tip(world, *place)
        Lease.objects.filter(target=tasks.OBSERVING).update(fence=99)
        return found

    monkeypatch.setattr(judging.Connections, "tip", stand_still)

    with suppress(leases.LeaseLostError):  # when it looks for more
        observe()

    assert statuses(releases) == ["VERIFYING"] * 3


def test_observe_tells_that_it_lives_as_long_as_it_looks_for_more(releases, monkeypatch):
    slow_down(monkeypatch)
    ends = []
    due = sweeping._by_place

    def note():
        ends.append(Lease.objects.get(target=tasks.OBSERVING).expires_at)
        return due()

    monkeypatch.setattr(sweeping, "_by_place", note)

    observe()

    assert len(ends) > 2
    assert ends == sorted(set(ends))
