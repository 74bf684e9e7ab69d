"""A running tag that is pushed again: looked at every hour, and an alarm."""

import json

import pytest

from tests.integration.scanning.worlds import World, scan
from updater.models import AuditEvent, ImageTag
from updater.selection import Strategy

pytestmark = pytest.mark.django_db
HOUR = 3600


@pytest.fixture
def world():
    with World() as one:
        one.world.push("acme/app", "main-0", created="2026-11-10T10:00:00Z")
        yield one


def _push_again(world):
    return world.world.push("acme/app", "main-0", created="2026-11-11T10:00:00Z")


def _alarms():
    return [json.loads(row.details) for row in AuditEvent.objects.filter(kind="tag.moved")]


def test_scan_after_an_hour_alarms_of_a_running_tag_that_was_pushed_again(world):
    world.track()
    scan(world)
    before = ImageTag.objects.get().digest
    after = _push_again(world)

    scan(world, later=HOUR + 1)

    [alarm] = _alarms()
    assert (alarm["tag"], alarm["what"]) == ("main-0", "runs")
    assert (alarm["before"], alarm["after"]) == (before, after)
    assert ImageTag.objects.get().digest == after


def test_scan_within_the_hour_spends_nothing_on_running_tags(world):
    world.track()
    scan(world)
    world.counts.clear()

    scan(world, later=HOUR - 60)

    assert "head" not in world.counts
    assert _alarms() == []


def test_scan_asks_at_once_for_a_tag_that_somebody_wants_looked_at(world):
    world.track()
    scan(world)
    after = _push_again(world)
    ImageTag.objects.update(digest_seen_at=None)

    scan(world, later=300)

    assert ImageTag.objects.get().digest == after


def test_scan_of_a_tag_that_is_followed_by_digest_alarms_nobody(world):
    world.track(strategy=Strategy.DIGEST, constraint="main-0", allow_tags="")
    scan(world)
    _push_again(world)

    scan(world, later=HOUR + 1)

    assert _alarms() == []


def test_scan_alarms_each_application_that_runs_the_tag_once(world):
    for alias in ("one", "two"):
        world.track(alias=alias)
    world.track(alias="idle", live="")
    scan(world)
    _push_again(world)

    scan(world, later=HOUR + 1)
    scan(world, later=2 * HOUR + 2)

    images = AuditEvent.objects.filter(kind="tag.moved").values_list("image", flat=True)
    assert sorted(images) == ["one", "two"]
