"""Rings a worker right after a decision; without Redis the next sweep finds the work all the same.

Tasks are named, not imported: the web process never loads what only workers need.
"""

import logging

from kombu.exceptions import OperationalError

from updater.celery import app
from updater.crashpoints import crashpoint

logger = logging.getLogger(__name__)


def ring_execution() -> None:
    """Hurry the execution of what was just approved."""
    _ring("approvals.execute_promotions", queue="execute")


def ring_proposals() -> None:
    """Hurry the preparation of what was just asked for."""
    _ring("approvals.propose_promotions", queue="scan")


def _ring(name: str, *, queue: str) -> None:
    try:
        crashpoint("ring.before")
        app.send_task(name, queue=queue, retry=False)
        crashpoint("ring.after")
    except (OperationalError, OSError) as error:
        logger.warning("doorbell is out of order", extra={"task": name, "reason": str(error)})
