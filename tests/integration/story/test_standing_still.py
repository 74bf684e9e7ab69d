"""Regular work: one worker at a time, another one when that one stands still, and none of them for ever."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest
from celery import current_app
from django.db import connection

from approvals import tasks as people
from approvals.models import Promotion
from tests.integration.story.conftest import approve
from tests.integration.story.outside import Outside
from updater import clock, leases, locks
from updater import tasks as machine
from updater.models import Application, Candidate, ImageRepository, Lease

pytestmark = pytest.mark.filterwarnings("ignore::celery.exceptions.CDeprecationWarning")
LONGEST = 15 * 60  # I3: whatever is not over is tried again within so many seconds


@dataclass(frozen=True)
class Work:
    """A kind of regular work: its lease, its task, what must be there before, and whether it was done."""

    lease: str
    task: Callable[[], None]
    prepare: Callable[[Outside], object]
    is_done: Callable[[], bool]


def _look(outside: Outside) -> None:
    outside.push("main-e1f492f", "backend")
    outside.look()


def _track(outside: Outside) -> None:
    outside.look()
    outside.push("main-e1f492f", "backend")
    ImageRepository.objects.update(next_scan_at=None)


ALL = [
    Work(
        machine.INVENTORY, machine.reconcile_inventory, lambda _: None, Application.objects.exists
    ),
    Work(machine.SCANNING, machine.scan_registries, _track, Candidate.objects.exists),
    Work(people.PROPOSING, people.propose_promotions, _look, Promotion.objects.exists),
]


@contextmanager
def standing_still(lease: str, *, lease_seconds: int) -> Iterator[None]:
    """Hold what a stopped worker holds: its session's lock, and a lease that ends then."""
    until = clock.now() + timedelta(seconds=lease_seconds)
    Lease.objects.create(target=lease, holder="zombie", fence=7, expires_at=until)
    with psycopg.connect(**connection.get_connection_params()) as session:
        session.execute("SELECT pg_advisory_lock(%s)", [locks._key(f"target:{lease}")])
        yield


@pytest.fixture(autouse=True)
def _short_watch(monkeypatch):
    monkeypatch.setattr(machine, "WATCH_SECONDS", 1)


@pytest.mark.parametrize("work", ALL, ids=lambda work: work.lease)
def test_work_whose_holder_stands_still_beyond_its_lease_goes_on(work, example):
    work.prepare(example)

    with standing_still(work.lease, lease_seconds=-1):
        work.task()

    assert work.is_done()


@pytest.mark.parametrize("work", ALL, ids=lambda work: work.lease)
def test_work_that_another_worker_does_is_left_to_it(work, example):
    work.prepare(example)

    with standing_still(work.lease, lease_seconds=60):
        work.task()

    assert Lease.objects.get(target=work.lease).fence == 7


def test_propose_by_a_worker_that_was_overtaken_opens_nothing(example):
    _look(example)

    with leases.hold(people.PROPOSING, holder="stopped", seconds=60) as grant:
        Lease.objects.filter(target=people.PROPOSING).update(fence=grant.fence + 1)
        with pytest.raises(leases.LeaseLostError):
            example.propose()

    assert not Promotion.objects.exists()
    assert Candidate.objects.get().problem == ""


@pytest.mark.parametrize(
    ("lease_seconds", "is_read"), [(-1, True), (60, False)], ids=["stopped", "alive"]
)
def test_read_authors_waits_for_who_reads_and_for_nobody_who_stands_still(
    lease_seconds, is_read, monkeypatch, transactional_db
):
    read = []
    monkeypatch.setattr(people.authorship, "sweep", lambda **_: read.append(True))

    with standing_still(people.AUTHORS, lease_seconds=lease_seconds):
        people.read_authors()

    assert bool(read) is is_read


def written(outside: Outside, sre) -> Promotion:
    promotion = approve(outside.offer(), sre)
    outside.execute()
    promotion.refresh_from_db()
    outside.report("example", ["main-e1f492f"], revision=promotion.commit)
    outside.look()
    return promotion


@pytest.mark.parametrize(
    ("lease_seconds", "status"), [(-1, "SUCCEEDED"), (60, "VERIFYING")], ids=["stopped", "alive"]
)
def test_observe_waits_for_who_observes_and_for_nobody_who_stands_still(
    lease_seconds, status, example, sre
):
    promotion = written(example, sre)

    with standing_still(people.OBSERVING, lease_seconds=lease_seconds):
        people.observe_outcomes()

    promotion.refresh_from_db()
    assert promotion.status == status


def test_every_task_of_ours_ends_before_anybody_waits_too_long_for_it():
    ours = {
        name: task
        for name, task in current_app.tasks.items()
        if name.startswith(("updater.", "approvals."))
    }

    assert len(ours) >= 6
    assert {
        name for name, task in ours.items() if not 0 < (task.time_limit or 0) < LONGEST
    } == set()
