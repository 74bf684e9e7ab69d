"""The sweeps as Celery tasks, and the doorbell that rings one right after a decision.

Postgres is the queue of record: a lost message costs one beat interval, never a promotion.
"""

import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress

from celery import shared_task
from kombu.exceptions import OperationalError
from updater.connections import Connections

from approvals import execution, outcomes, promotions
from updater import locks
from updater.audit import Actor

logger = logging.getLogger(__name__)

WORKER = Actor(name="countersign", via="worker")


@shared_task(name="approvals.propose_promotions", queue="scan", soft_time_limit=120, time_limit=150)
def propose_promotions() -> None:
    """Open, renew, expire and withdraw promotions."""
    with (
        suppress(locks.LockTakenError),
        locks.hold("propose promotions"),
        Connections.open() as world,
    ):
        promotions.sweep(world=world, by=WORKER)


@shared_task(
    name="approvals.execute_promotions", queue="execute", soft_time_limit=150, time_limit=170
)
def execute_promotions() -> None:
    """Carry out what is approved and due."""
    with Connections.open() as world:
        execution.sweep(world=world, holder=_holder(), by=WORKER)


@shared_task(name="approvals.observe_outcomes", queue="execute", soft_time_limit=60, time_limit=80)
def observe_outcomes() -> None:
    """Judge what was written."""
    with (
        suppress(locks.LockTakenError),
        locks.hold("observe outcomes"),
        Connections.open() as world,
    ):
        outcomes.sweep(world=world, by=WORKER)


def ring_execution() -> None:
    """Hurry the execution of what was just approved; without Redis the next sweep does it."""
    _ring("approvals.execute_promotions", execute_promotions.delay)


def ring_proposals() -> None:
    """Hurry the next look at open promotions."""
    _ring("approvals.propose_promotions", propose_promotions.delay)


def _ring(name: str, delay: Callable[[], object]) -> None:
    try:
        delay()
    except (OperationalError, OSError) as error:
        logger.warning("doorbell is out of order", extra={"task": name, "reason": str(error)})


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
