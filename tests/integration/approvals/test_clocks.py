"""T04 and T05: what is decided goes by the database's clock, whatever the machine's own clock says."""

import logging
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from approvals import decisions, doorbell, tasks
from approvals.models import Promotion
from tests import builders
from updater import clock, leases, locks
from updater.audit import Actor
from updater.leases import Grant
from updater.models import Lease

SHIFTS = [timedelta(minutes=10), timedelta(minutes=-10), timedelta(days=1), timedelta(days=-1)]
TARGET = "https://git.example.com/shop/deploy.git main"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)


def _approve(promotion: Promotion, person: User) -> Promotion:
    by = Actor(name=person.username, kind="person", via="page", user_id=person.pk)
    return decisions.approve(
        promotion_id=promotion.pk, seal=promotion.seal, reason="", person=person, by=by
    )


@pytest.mark.parametrize("shift", SHIFTS, ids=str)
def test_t04_approve_in_time_by_the_database_stands_and_bears_its_time(shift, sre: User, db: None):
    now = clock.now()
    promotion = builders.make_promotion(expires_at=now + timedelta(minutes=5))

    with time_machine.travel(timezone.now() + shift):
        approved = _approve(promotion, sre)

    assert abs(approved.approved_at - now) < timedelta(minutes=1)
    assert abs(approved.decisions.get().at - now) < timedelta(minutes=1)


@pytest.mark.parametrize("shift", SHIFTS, ids=str)
def test_t04_approve_too_late_by_the_database_is_refused(shift, sre: User, db: None):
    promotion = builders.make_promotion(expires_at=clock.now() - timedelta(minutes=5))

    with (
        time_machine.travel(timezone.now() + shift),
        pytest.raises(decisions.AlreadyDecidedError, match="expired"),
    ):
        _approve(promotion, sre)


@pytest.mark.parametrize("shift", SHIFTS, ids=str)
def test_t04_offers_go_by_the_database_too(shift, sre: User, client, db: None):
    promotion = builders.make_promotion(expires_at=clock.now() + timedelta(minutes=5))
    client.force_login(sre)

    with time_machine.travel(timezone.now() + min(shift, timedelta(minutes=10)), tick=False):
        actions = client.get(f"/api/v1/promotions/{promotion.pk}").json()["actions"]

    assert next(action for action in actions if action["verb"] == "approve")["possible"]


@pytest.mark.parametrize(
    ("shift", "is_told"), [(31, True), (-31, True), (3600, True), (5, False)], ids=str
)
def test_t04_clock_that_differs_by_more_than_half_a_minute_is_told(shift, is_told, db, caplog):
    with (
        caplog.at_level(logging.WARNING),
        time_machine.travel(timezone.now() + timedelta(seconds=shift)),
    ):
        clock.tell_of_skew()

    told = [record for record in caplog.records if "clock" in record.message]
    assert bool(told) is is_told


# Celery announces the end of a task option that we use.
@pytest.mark.filterwarnings("ignore:.*:celery.exceptions.CDeprecationWarning")
def test_t04_every_proposing_sweep_looks_at_the_clock(monkeypatch, db):
    looks = []
    monkeypatch.setattr(clock, "tell_of_skew", lambda: looks.append(True))
    monkeypatch.setattr(tasks.requested, "sweep", lambda **_: None)
    monkeypatch.setattr(tasks.promotions, "sweep", lambda **_: None)
    monkeypatch.setattr(tasks, "Connections", lambda: None)

    tasks.propose_promotions()

    assert looks == [True]


def _lease(*, seconds_left: int) -> None:
    until = clock.now() + timedelta(seconds=seconds_left)
    Lease.objects.create(target=TARGET, holder="first", fence=7, expires_at=until)


@pytest.mark.parametrize("shift", SHIFTS, ids=str)
def test_t05_lease_that_runs_is_not_taken_over_when_the_clock_steps(shift, db):
    _lease(seconds_left=60)

    with time_machine.travel(timezone.now() + shift), pytest.raises(locks.LockTakenError):
        leases._claim(TARGET, holder="second", seconds=60, holder_is_dead=False)


@pytest.mark.parametrize("shift", SHIFTS, ids=str)
def test_t05_lease_that_is_over_is_taken_over_with_a_higher_fence(shift, db):
    _lease(seconds_left=-1)

    with time_machine.travel(timezone.now() + shift):
        grant = leases._claim(TARGET, holder="second", seconds=60, holder_is_dead=False)

    assert (grant.holder, grant.fence) == ("second", 8)
    with pytest.raises(leases.LeaseLostError):
        leases.require_current(Grant(TARGET, "first", 7, seconds=60))


@pytest.mark.parametrize("shift", SHIFTS, ids=str)
def test_t05_heartbeat_counts_from_the_database_time(shift, db):
    _lease(seconds_left=60)

    with time_machine.travel(timezone.now() + shift):
        leases.require_current(Grant(TARGET, "first", 7, seconds=settings.LEASE_SECONDS))

    left = Lease.objects.get().expires_at - clock.now()
    assert abs(left - timedelta(seconds=settings.LEASE_SECONDS)) < timedelta(seconds=30)
