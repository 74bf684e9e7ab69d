"""Releases are judged side by side: neither a slow Git host nor a promotion that breaks the judge stops the others.

What the judge says of an Application and of real commits is the business of the stories; here it says what it is told.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.utils import timezone

from approvals import outcomes, tasks
from approvals.models import Promotion
from approvals.outcomes import judging, settling, sweeping
from approvals.outcomes.judging import Finding, Outcome
from tests import builders
from tests.integration.conftest import WORKER
from updater import leases
from updater.models import Lease

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 60
GOOD = Outcome(Finding.SUCCEEDED, "Synced and Healthy.")


@pytest.fixture
def releases() -> list[Promotion]:
    """One written promotion in each of three repositories."""
    rows = []
    for number in range(3):
        url = f"https://git-{number}.example.com/shop/deploy.git"
        image = builders.make_tracked_image(builders.make_application(f"shop-{number}"))
        row = builders.make_promotion(
            builders.make_candidate(image),
            status="VERIFYING",
            commit="c" * 40,
            pushed_at=timezone.now(),
        )
        row.plan["repository"] = url
        row.save()
        rows.append(row)
    return rows


@pytest.fixture
def settled(monkeypatch) -> list[UUID]:
    """The promotions in the order in which they were settled."""
    settle, order = settling.settle, []

    def note(row, *outcome, **around):
        settle(row, *outcome, **around)
        order.append(row.pk)

    monkeypatch.setattr(settling, "settle", note)
    return order


@pytest.fixture
def judge(monkeypatch) -> dict[UUID, Callable[[], object]]:
    """What happens when these are judged; all end well."""
    happens: dict[UUID, Callable[[], object]] = {}

    def tell(row, **_):
        happens.get(row.pk, lambda: None)()
        return GOOD

    monkeypatch.setattr(judging, "judge", tell)
    return happens


def observe() -> None:
    with leases.hold(tasks.OBSERVING, holder="worker-1") as grant:
        outcomes.sweep_side_by_side(grant, by=WORKER)


def statuses(rows: list[Promotion]) -> list[str]:
    return [Promotion.objects.get(pk=row.pk).status for row in rows]


def poison() -> None:
    raise KeyError("poison")


def wait_until(is_so: Callable[[], bool]) -> None:
    """Be as slow as it takes, or until patience ends."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so() and time.monotonic() < until:
        time.sleep(0.05)


def test_observe_with_a_slow_git_host_judges_the_others_meanwhile(releases, judge, settled):
    slow, *others = releases
    judge[slow.pk] = lambda: wait_until(lambda: len(settled) == len(others))

    observe()

    assert settled[-1] == slow.pk
    assert statuses(releases) == ["SUCCEEDED"] * 3


def test_observe_while_a_host_is_slow_looks_at_what_is_written_meanwhile(
    releases, judge, settled, settings
):
    settings.SWEEP_SECONDS = 1
    slow, late, other = releases
    Promotion.objects.filter(pk=late.pk).update(status="APPROVED")
    judge[other.pk] = lambda: Promotion.objects.filter(pk=late.pk).update(status="VERIFYING")
    judge[slow.pk] = lambda: wait_until(lambda: late.pk in settled)

    observe()

    assert settled == [other.pk, late.pk, slow.pk]


def test_observe_while_a_host_is_slow_looks_at_the_others_again(
    releases, judge, settings, monkeypatch
):
    settings.SWEEP_SECONDS = 1
    slow, waiting, _ = releases
    looks = []
    judge[waiting.pk] = lambda: looks.append(True)
    tell = judging.judge

    def not_yet(row, **around):
        outcome = tell(row, **around)
        is_early = row.pk == waiting.pk and len(looks) < 3
        return Outcome(Finding.WAITING, "No pod runs it yet.") if is_early else outcome

    monkeypatch.setattr(judging, "judge", not_yet)
    judge[slow.pk] = lambda: wait_until(lambda: len(looks) == 3)

    observe()

    assert statuses(releases) == ["SUCCEEDED"] * 3


@pytest.mark.parametrize("how", ["side by side", "one by one"])
def test_observe_with_one_that_cannot_be_judged_goes_on_with_the_others(how, releases, judge):
    judge[releases[0].pk] = poison

    observe() if how == "side by side" else outcomes.sweep(world=None, by=WORKER)

    assert statuses(releases) == ["VERIFYING", "SUCCEEDED", "SUCCEEDED"]
    reason = Promotion.objects.get(pk=releases[0].pk).status_reason
    assert reason == "Something unforeseen went wrong (KeyError); the worker's log says more."


def test_observe_of_one_that_can_never_be_judged_says_so_after_the_deadline(
    releases, judge, settings
):
    judge[releases[0].pk] = poison
    late = timezone.now() - timedelta(seconds=settings.OUTCOME_DEADLINE_SECONDS + 1)
    Promotion.objects.filter(pk=releases[0].pk).update(pushed_at=late)

    observe()

    assert statuses(releases) == ["UNKNOWN", "SUCCEEDED", "SUCCEEDED"]


def test_observe_when_one_cannot_be_settled_goes_on_with_the_others(releases, judge, monkeypatch):
    settle = settling.settle

    def choke(row, *outcome, **around):
        if row.pk == releases[0].pk:
            poison()
        settle(row, *outcome, **around)

    monkeypatch.setattr(settling, "settle", choke)

    observe()

    assert statuses(releases) == ["VERIFYING", "SUCCEEDED", "SUCCEEDED"]


def test_observe_that_is_out_of_time_leaves_the_rest_to_the_next_sweep(
    releases, judge, monkeypatch
):
    monkeypatch.setattr(sweeping, "LANE_SECONDS", -1.0)
    outcomes.sweep(world=None, by=WORKER)
    assert "SUCCEEDED" not in statuses(releases)

    monkeypatch.setattr(sweeping, "LANE_SECONDS", 60.0)
    outcomes.sweep(world=None, by=WORKER)

    assert statuses(releases) == ["SUCCEEDED"] * 3


def test_observe_does_not_look_at_what_is_slow_again_in_the_same_sweep(
    releases, judge, settings, monkeypatch
):
    settings.SWEEP_SECONDS = 1
    monkeypatch.setattr(sweeping, "SLOW_SECONDS", -1.0)
    looks = []
    for row in releases:
        judge[row.pk] = partial(looks.append, row.pk)
    monkeypatch.setattr(settling, "settle", lambda *_, **__: None)  # and stays due

    observe()

    assert sorted(looks) == sorted(row.pk for row in releases)


def test_observe_by_a_worker_that_was_overtaken_settles_nothing(releases, judge):
    """It asked Git, stood still, and wakes up when another observes."""
    overtake = Lease.objects.filter(target=tasks.OBSERVING)
    for row in releases:
        judge[row.pk] = lambda: overtake.update(fence=99)

    with suppress(leases.LeaseLostError):  # when it looks for more
        observe()

    assert statuses(releases) == ["VERIFYING"] * 3


def test_observe_tells_that_it_lives_as_long_as_it_looks_for_more(releases, judge, monkeypatch):
    ends = []
    due = sweeping._by_place

    def note():
        ends.append(Lease.objects.get(target=tasks.OBSERVING).expires_at)
        return due()

    monkeypatch.setattr(sweeping, "_by_place", note)
    judge[releases[0].pk] = lambda: wait_until(lambda: len(ends) > 2)

    observe()

    assert len(ends) > 2
    assert ends == sorted(set(ends))
