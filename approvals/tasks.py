"""The sweeps as Celery tasks.

Postgres is the queue of record: a lost message costs one beat interval, never a promotion.
"""

from celery import shared_task
from django.conf import settings

from approvals import authorship, execution, outcomes, promotions, requested
from updater import clock, leases, turns
from updater.audit import Actor
from updater.connections import Connections
from updater.crashpoints import crashpoint
from updater.leases import Grant

WORKER = Actor(name="countersign", via="worker")
PROPOSING, AUTHORS, OBSERVING = "propose promotions", "read authors", "observe outcomes"
# A sweep's lease is as long as its hard limit: a live worker never loses it, a stopped one blocks nobody for longer.
PROPOSING_LIMIT, AUTHORS_LIMIT = 150, 270


@shared_task(name="approvals.propose_promotions", soft_time_limit=120, time_limit=PROPOSING_LIMIT)
@leases.alone(PROPOSING, seconds=PROPOSING_LIMIT)
def propose_promotions(_: Grant) -> None:
    """Prepare what people asked for; open, renew, expire and withdraw promotions."""
    clock.tell_of_skew()
    world = Connections()
    requested.sweep(world=world, by=WORKER)  # first: the way back sets offers aside
    promotions.sweep(world=world, by=WORKER)


@shared_task(name="approvals.read_authors", soft_time_limit=240, time_limit=AUTHORS_LIMIT)
@leases.alone(AUTHORS, seconds=AUTHORS_LIMIT)
def read_authors(_: Grant) -> None:
    """Read who wrote what is proposed, where a policy asks for it."""
    if turns.take(AUTHORS, every_seconds=settings.SWEEP_SECONDS):
        authorship.sweep(world=Connections(), by=WORKER)


# Nothing is begun after 150 s. A target begun then may wait two minutes each for its mirror, the fetch, the blobs and
# the push, and has a minute and a half for the rest (execution.targets); no thread can be interrupted in a wait.
@shared_task(name="approvals.execute_promotions", soft_time_limit=780, time_limit=810)
def execute_promotions() -> None:
    """Carry out what is approved and due, several targets at once."""
    execution.sweep_side_by_side(holder=leases.this_process(), by=WORKER)
    crashpoint("execute.before_ack")


# No place is begun after four minutes and no promotion a minute later; its last wait is two minutes for the mirror, two
# for the Git host and half a one for the cluster. No thread can be interrupted in a wait.
@shared_task(name="approvals.observe_outcomes", soft_time_limit=600, time_limit=630)
@leases.alone(OBSERVING)
def observe_outcomes(grant: Grant) -> None:
    """Judge what was written."""
    if turns.take(OBSERVING, every_seconds=settings.SWEEP_SECONDS):
        outcomes.sweep_side_by_side(grant, by=WORKER)
