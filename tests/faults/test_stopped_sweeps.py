"""A worker that stands still in regular work keeps it from nobody for ever, and writes nothing more of it."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from approvals.models import Promotion
from tests.faults.applications import Story
from tests.faults.rig import Rig
from tests.faults.workers import Process
from updater import clock
from updater.models import Application, Candidate, ImageRepository, Lease, Turn

WAIT_SECONDS = 30
BUILD = "main-e1f492f"


@dataclass(frozen=True)
class Sweep:
    """A kind of regular work: its lease, its task, how to make work for it, and what shows that it was done."""

    lease: str
    task: str
    prepare: Callable[[Rig], Story]
    is_done: Callable[[Story], bool]

    def __str__(self) -> str:
        return self.task


def _unread(rig: Rig) -> Story:
    return rig.story()


def _unscanned(rig: Rig) -> Story:
    story = rig.story()
    rig.look()
    rig.outside.push(BUILD, story.image)
    ImageRepository.objects.filter(name=f"acme/{story.image}").update(next_scan_at=None)
    return story


def _unproposed(rig: Rig) -> Story:
    story = rig.story()
    rig.outside.push(BUILD, story.image)
    rig.look(story)
    return story


def _is_read(story: Story) -> bool:
    return Application.objects.filter(name=story.name).exists()


def _is_offered(story: Story) -> bool:
    offered = Candidate.objects.filter(tracked_image__application__name=story.name)
    return offered.filter(tag=BUILD).exists()


def _is_proposed(story: Story) -> bool:
    return Promotion.objects.filter(application__name=story.name).exists()


SWEEPS = [
    Sweep("inventory", "updater.reconcile_inventory", _unread, _is_read),
    Sweep("scan registries", "updater.scan_registries", _unscanned, _is_offered),
    Sweep("propose promotions", "approvals.propose_promotions", _unproposed, _is_proposed),
]


@pytest.mark.parametrize("sweep", SWEEPS, ids=str)
def test_sweep_of_a_worker_that_stands_still_is_done_by_another_and_not_by_itself(rig, sweep):
    story = sweep.prepare(rig)
    victim = _stopped_in(rig, sweep)
    fresh = rig.nursery.start("worker", {}, queues="scan")

    _let_time_pass()
    _wait(lambda: sweep.is_done(story), fresh, meanwhile=lambda: _ring(rig, sweep))
    fresh.kill()
    other = sweep.prepare(rig)
    _let_time_pass()
    victim.send(signal.SIGCONT)
    _wait(lambda: "lease lost" in victim.log.read_text(errors="replace"), victim)

    assert not sweep.is_done(other)
    _wait(lambda: sweep.is_done(other), victim, meanwhile=lambda: _ring(rig, sweep))  # as anybody
    victim.kill()


def _stopped_in(rig: Rig, sweep: Sweep) -> Process:
    log = rig.folder / f"fired-{sweep.task}"
    orders = {"FAULTS": "lease.claimed=stop", "FAULTS_LOG": str(log)}
    victim = rig.nursery.start("worker", orders, queues="scan")
    victim.wait_until_ready()
    _ring(rig, sweep)
    _wait(lambda: log.exists() and victim.is_stopped(), victim)
    return victim


def _ring(rig: Rig, sweep: Sweep) -> None:
    """Ring as beat does, when the work is due again."""
    Turn.objects.update(begun_at=clock.now() - timedelta(hours=1))
    rig.celery.send_task(sweep.task, queue="scan", expires=5)


def _let_time_pass() -> None:
    """Let every lease be over, and every kind of work be due."""
    long_ago = clock.now() - timedelta(hours=1)
    Lease.objects.exclude(expires_at=None).update(expires_at=long_ago)
    Turn.objects.update(begun_at=long_ago)


def _wait(
    happened: Callable[[], bool], process: Process, meanwhile: Callable[[], None] = lambda: None
) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not happened():
        words = process.log.read_text(encoding="utf-8", errors="replace")[-3000:]
        assert time.monotonic() < until, words
        meanwhile()
        time.sleep(0.2)
