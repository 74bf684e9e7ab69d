"""Regular work goes by the database's time, once an interval, whatever clocks and queues do."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from updater import turns
from updater.models import Turn


def test_take_first_time_begins(db):
    assert turns.take("inventory", every_seconds=30)


def test_take_right_after_another_does_nothing(db):
    turns.take("inventory", every_seconds=30)

    assert not turns.take("inventory", every_seconds=30)


def test_take_of_other_work_is_not_held_up(db):
    turns.take("inventory", every_seconds=30)

    assert turns.take("observe outcomes", every_seconds=5)


@pytest.mark.parametrize(("seconds_ago", "is_taken"), [(14, False), (16, True)])
def test_take_after_half_an_interval_begins_again(db, seconds_ago, is_taken):
    begun_at = Now() - timedelta(seconds=seconds_ago)
    Turn.objects.create(name="inventory", begun_at=begun_at)

    assert turns.take("inventory", every_seconds=30) is is_taken


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)], ids=str)
def test_take_with_a_wrong_clock_goes_by_the_database(db, ahead):
    turns.take("inventory", every_seconds=30)

    with time_machine.travel(timezone.now() + ahead):
        assert not turns.take("inventory", every_seconds=30)


# Found by a schedule of tests/faults: the only worker's clock was an hour ahead, and nothing was ever observed.
@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_message_of_beat_is_taken_by_a_worker_whose_clock_is_hours_ahead(name):
    seconds = settings.CELERY_BEAT_SCHEDULE[name]["options"]["expires"]

    assert seconds > timedelta(hours=12).total_seconds()
