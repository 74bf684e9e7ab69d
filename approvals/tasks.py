"""The sweeps as Celery tasks.

Postgres is the queue of record: a lost message costs one beat interval, never a promotion.
"""

import os
import socket
from contextlib import suppress

from celery import shared_task
from django.conf import settings

from approvals import authorship, execution, outcomes, promotions, requested
from approvals.execution import leases
from updater import clock, locks, turns
from updater.audit import Actor
from updater.connections import Connections
from updater.crashpoints import crashpoint

WORKER = Actor(name="countersign", via="worker")
OBSERVING = "observe outcomes"


@shared_task(name="approvals.propose_promotions", soft_time_limit=120, time_limit=150)
def propose_promotions() -> None:
    """Prepare what people asked for; open, renew, expire and withdraw promotions."""
    clock.tell_of_skew()
    with suppress(locks.LockTakenError), locks.hold("propose promotions"):
        world = Connections()
        requested.sweep(world=world, by=WORKER)  # first: the way back sets offers aside
        promotions.sweep(world=world, by=WORKER)


@shared_task(name="approvals.read_authors", soft_time_limit=240, time_limit=270)
def read_authors() -> None:
    """Read who wrote what is proposed, where a policy asks for it."""
    with suppress(locks.LockTakenError), locks.hold("read authors"):
        if turns.take("read authors", every_seconds=settings.SWEEP_SECONDS):
            authorship.sweep(world=Connections(), by=WORKER)


@shared_task(name="approvals.execute_promotions", soft_time_limit=420, time_limit=450)
def execute_promotions() -> None:
    """Carry out what is approved and due, several targets at once."""
    execution.sweep_side_by_side(holder=_holder(), by=WORKER)
    crashpoint("execute.before_ack")


@shared_task(name="approvals.observe_outcomes", soft_time_limit=60, time_limit=80)
def observe_outcomes() -> None:
    """Judge what was written."""
    # A lease, not a lock alone: a worker that stands still must not keep every release from being judged.
    with suppress(locks.LockTakenError), leases.hold(OBSERVING, holder=_holder()):
        if turns.take("observe outcomes", every_seconds=settings.SWEEP_SECONDS):
            outcomes.sweep(world=Connections(), by=WORKER)


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
