"""Leases: a dead holder frees at once, one that stands still after its time, and what it then writes is refused."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction

from tests import builders
from tests.integration.scanning.worlds import World, scan
from tests.integration.updater.test_inventory import BY, HOW, _manifest
from updater import clock, inventory, leases, locks
from updater.models import Application, Candidate, ImageRepository, ImageTag, Lease

TARGET = "inventory"


@contextmanager
def held_elsewhere(*, lease_seconds: float) -> Iterator[psycopg.Connection]:
    """Hold what a worker in the middle of its work holds: the lock of its session, and a lease that ends then."""
    until = clock.now() + timedelta(seconds=lease_seconds)
    Lease.objects.update_or_create(
        target=TARGET, defaults={"holder": "elsewhere", "fence": 7, "expires_at": until}
    )
    with psycopg.connect(**connection.get_connection_params()) as session:
        session.execute("SELECT pg_advisory_lock(%s)", [locks._key(f"target:{TARGET}")])
        session.commit()
        yield session


def _wait_until_no_lock_is_held() -> None:
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            if cursor.fetchone() == (0,):
                return
            time.sleep(0.02)
    raise AssertionError("a session that was closed keeps its lock")


@contextmanager
def overtaken() -> Iterator[leases.Grant]:
    """Run the block as a worker that stood still so long that another one has done its work meanwhile."""
    with leases.hold(TARGET, holder="stopped", seconds=60) as grant:
        Lease.objects.filter(target=TARGET).update(fence=grant.fence + 1, holder="next")
        yield grant


def test_hold_while_another_works_is_refused(db):
    with (
        held_elsewhere(lease_seconds=60),
        pytest.raises(locks.LockTakenError),
        leases.hold(TARGET, holder="next", seconds=60),
    ):
        pass


def test_hold_after_the_lease_of_one_that_stands_still_takes_over(db):
    with (
        held_elsewhere(lease_seconds=-1),
        leases.hold(TARGET, holder="next", seconds=60) as grant,
    ):
        assert (grant.holder, grant.fence) == ("next", 8)


def test_hold_after_the_holder_died_takes_over_at_once(db):
    with held_elsewhere(lease_seconds=600):
        pass  # its session ends, its lease is not over
    _wait_until_no_lock_is_held()

    with leases.hold(TARGET, holder="next", seconds=60) as grant:
        assert grant.fence == 8


def test_hold_is_as_long_as_was_asked_for_and_each_recording_begins_it_anew(transactional_db):
    with leases.hold(TARGET, holder="one", seconds=600):
        Lease.objects.update(expires_at=clock.now())
        with transaction.atomic():
            leases.require_held()

        left = Lease.objects.get().expires_at - clock.now()

    assert timedelta(seconds=570) < left <= timedelta(seconds=600)
    assert Lease.objects.get().expires_at is None


def test_require_held_outside_of_any_lease_lets_pages_and_commands_write(db):
    leases.require_held()


def test_require_held_after_another_took_over_refuses(db):
    with overtaken(), pytest.raises(leases.LeaseLostError):
        leases.require_held()


def test_require_held_holds_for_other_threads_that_run_under_the_lease(transactional_db):
    found = []

    def look(grant: leases.Grant) -> None:
        try:
            leases.require_held()  # a thread begins under no lease
            with leases.under(grant), pytest.raises(leases.LeaseLostError) as refused:
                leases.require_held()
            found.append(refused.type)
        finally:
            connection.close()

    with overtaken() as grant:
        thread = threading.Thread(target=look, args=[grant])
        thread.start()
        thread.join()

    assert found == [leases.LeaseLostError]


def test_hold_of_the_overtaken_leaves_the_lease_of_the_next_one_alone(db):
    until = clock.now() + timedelta(seconds=60)

    with overtaken():
        Lease.objects.update(expires_at=until)

    assert Lease.objects.get().expires_at == until


def test_reconcile_by_an_overtaken_worker_writes_no_older_listing_over_a_newer_one(db):
    newer = [_manifest(version="2"), _manifest("second")]
    inventory.reconcile(newer, how=HOW, by=BY, at=clock.now())

    with overtaken(), pytest.raises(leases.LeaseLostError):
        inventory.reconcile([_manifest(version="1")], how=HOW, by=BY, at=clock.now())

    versions = Application.objects.order_by("name").values_list("read_version", "vanished_at")
    assert [(version.partition(":")[0], gone) for version, gone in versions] == [
        ("2", None),
        ("1", None),
    ]


@pytest.mark.parametrize(
    ("kind", "version"), [("MODIFIED", "1"), ("DELETED", "1")], ids=["modified", "deleted"]
)
def test_follow_by_an_overtaken_worker_takes_in_no_old_event(kind, version, db):
    inventory.reconcile([_manifest(version="2")], how=HOW, by=BY, at=clock.now())

    with overtaken(), pytest.raises(leases.LeaseLostError):
        inventory.follow(kind, _manifest(version=version), how=HOW, by=BY, at=clock.now())

    row = Application.objects.get()
    assert (row.read_version.partition(":")[0], row.vanished_at) == ("2", None)


def test_forget_missing_by_an_overtaken_worker_lets_nothing_vanish(db):
    builders.make_application()

    with overtaken(), pytest.raises(leases.LeaseLostError):
        inventory.reconcile([], how=HOW, by=BY, at=clock.now())

    assert Application.objects.get().vanished_at is None


def test_scan_by_an_overtaken_worker_claims_and_writes_nothing(db):
    with World() as world:
        world.world.push("acme/app", "main-0", created="2026-11-10T10:00:00Z")
        world.world.push("acme/app", "main-1", created="2026-11-11T10:00:00Z")
        world.track()
        with overtaken(), pytest.raises(leases.LeaseLostError):
            scan(world)

    assert ImageRepository.objects.get().next_scan_at is None
    assert not ImageTag.objects.exists()
    assert not Candidate.objects.exists()


def test_scan_by_a_worker_that_is_overtaken_after_its_claim_keeps_the_newer_list(db):
    """It claimed, stood still, and wakes up when another has written a list with one more tag."""
    with World() as world:
        world.world.push("acme/app", "main-0", created="2026-11-10T10:00:00Z")
        world.track()
        scan(world)
        world.world.push("acme/app", "main-1", created="2026-11-11T10:00:00Z")
        scan(world, later=3600)
        world.world.content.untag("acme/app", "main-1")

        with leases.hold(TARGET, holder="stopped", seconds=60) as grant:

            def log_in(*_: object) -> None:  # asked for between the claim and the first request
                Lease.objects.update(fence=grant.fence + 1)

            scan(world, later=7200, credentials=log_in)

    assert ImageTag.objects.get(name="main-1").removed_at is None
    assert ImageRepository.objects.get().error_code == ""
