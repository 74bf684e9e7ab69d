"""Who judges releases: one worker at a time, and another one when that one stands still."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from approvals import tasks
from approvals.models import Lease, Promotion
from tests.integration.story.conftest import approve
from tests.integration.story.outside import Outside
from updater import clock, locks

pytestmark = pytest.mark.filterwarnings("ignore::celery.exceptions.CDeprecationWarning")


@contextmanager
def standing_still(*, lease_seconds: int) -> Iterator[None]:
    """Hold what a stopped worker holds: its session's lock, and a lease that ends then."""
    target = tasks.OBSERVING
    until = clock.now() + timedelta(seconds=lease_seconds)
    Lease.objects.create(target=target, holder="zombie", fence=7, expires_at=until)
    with psycopg.connect(**connection.get_connection_params()) as session:
        session.execute("SELECT pg_advisory_lock(%s)", [locks._key(f"target:{target}")])
        yield


def written(outside: Outside, sre) -> Promotion:
    promotion = approve(outside.offer(), sre)
    outside.execute()
    promotion.refresh_from_db()
    outside.report("example", ["main-e1f492f"], revision=promotion.commit)
    outside.look()
    return promotion


def test_observe_while_its_holder_stands_still_beyond_its_lease_goes_on(example, sre):
    promotion = written(example, sre)

    with standing_still(lease_seconds=-1):
        tasks.observe_outcomes()

    promotion.refresh_from_db()
    assert promotion.status == "SUCCEEDED"


def test_observe_while_another_worker_observes_leaves_it_alone(example, sre):
    promotion = written(example, sre)

    with standing_still(lease_seconds=60):
        tasks.observe_outcomes()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"
