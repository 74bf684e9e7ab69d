"""Claims: nobody scans twice, and the schedule hangs on time alone."""

import threading
from datetime import timedelta

import pytest
from django.db import connections, transaction

from tests import builders
from updater import clock
from updater.models import ImageRepository, Registry, TrackedImage
from updater.scanning import claiming

pytestmark = pytest.mark.django_db


def repositories(count, host="registry.example", **changes):
    registry = builders.make_registry(host)
    rows = [
        builders.make_image_repository(registry=registry, **{"next_scan_at": None} | changes)
        for _ in range(count)
    ]
    for row in rows:
        builders.make_tracked_image(image_repository=row)
    return registry, {row.pk for row in rows}


def test_claim_takes_what_is_due_once():
    registry, ids = repositories(3)
    at = clock.now()

    assert set(claiming.claim(registry, at=at, interval_seconds=120)) == ids
    assert claiming.claim(registry, at=at, interval_seconds=120) == []


def test_claim_moves_the_next_scan_by_the_interval_with_five_percent_of_jitter():
    registry, _ = repositories(30)
    at = clock.now()

    claiming.claim(registry, at=at, interval_seconds=120)

    waits = [
        (moment - at).total_seconds()
        for moment in ImageRepository.objects.values_list("next_scan_at", flat=True)
    ]
    assert all(114 <= wait <= 126 for wait in waits)
    assert len(set(waits)) > 20


def test_claim_takes_at_most_its_share_and_the_longest_waiting_first(monkeypatch):
    monkeypatch.setattr(claiming, "PER_HOST", 2)
    at = clock.now()
    registry, _ = repositories(2, next_scan_at=at - timedelta(seconds=5))
    _, oldest = repositories(2, next_scan_at=at - timedelta(seconds=50))

    assert set(claiming.claim(registry, at=at, interval_seconds=120)) == oldest


@pytest.mark.parametrize(
    ("changes", "is_due"),
    [
        ({"retry_at": None}, True),
        ({"retry_at": timedelta(seconds=-1)}, True),
        ({"retry_at": timedelta(seconds=1)}, False),
    ],
)
def test_hosts_due_passes_over_registries_to_be_left_alone(changes, is_due):
    registry, _ = repositories(1)
    at = clock.now()
    if changes["retry_at"]:
        Registry.objects.update(retry_at=at + changes["retry_at"])

    assert ([row.pk for row in claiming.hosts_due(at=at, busy=())] == [registry.pk]) is is_due


def test_hosts_due_passes_over_what_is_busy_unused_or_not_due():
    at = clock.now()
    repositories(1, "busy.example")
    repositories(1, "later.example", next_scan_at=at + timedelta(seconds=1))
    repositories(1, "unused.example")
    TrackedImage.objects.filter(image_repository__registry__host="unused.example").update(
        is_usable=False
    )

    assert claiming.hosts_due(at=at, busy={"busy.example"}) == []


def test_put_back_makes_claimed_repositories_due_again():
    registry, ids = repositories(2)
    at = clock.now()
    claiming.claim(registry, at=at, interval_seconds=120)

    claiming.put_back(ids, until=at)

    assert set(claiming.claim(registry, at=at, interval_seconds=120)) == ids


@pytest.mark.django_db(transaction=True)
def test_claim_by_two_workers_at_once_gives_each_repository_to_one():
    registry, ids = repositories(4)
    at = clock.now()
    theirs = []

    def claim_elsewhere():
        theirs.extend(claiming.claim(registry, at=at, interval_seconds=120))
        connections.close_all()

    with transaction.atomic():
        mine = claiming.claim(registry, at=at, interval_seconds=120)
        other = threading.Thread(target=claim_elsewhere)  # while our claim is not committed
        other.start()
        other.join(5)

    assert set(mine) == ids
    assert theirs == []
