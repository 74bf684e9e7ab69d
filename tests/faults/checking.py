"""All checkers after a run: `verify executions` for what rows and Git tell, I9 and I11 for what only a rig can see."""

import time
from collections.abc import Collection

from django.db import connection

from approvals import verification
from approvals.models import Promotion
from tests.faults import canaries
from tests.faults.applications import Story
from tests.faults.rig import Rig
from tests.faults.workers import Process
from updater import clock
from updater.connections import Connections
from updater.models import Lease

PATIENCE_SECONDS = 5


def violations(rig: Rig, stories: Collection[Story]) -> list[str]:
    """Return everything that the checkers of rows and Git find, and what they could not look at."""
    names = [story.name for story in stories]
    rows = Promotion.objects.filter(application__name__in=names)
    report = verification.verify(world=Connections(), only=set(rows.values_list("pk", flat=True)))
    found = [f"{item.invariant} {item.about}: {item.sentence}" for item in report.findings]
    return found + [f"not checked {item.about}: {item.why}" for item in report.unchecked]


def leaks(rig: Rig) -> list[str]:
    """I9: return the places in which a credential turned up."""
    logs = [process.log for process in rig.nursery.processes]
    repositories = rig.outside.git.repositories
    return canaries.found_in(logs, [repositories.path(name) for name in repositories.names()])


def orphans(rig: Rig, dead: Collection[Process] = ()) -> list[str]:
    """I11: return what was left behind, after a short wait for what is just being finished."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (left := _orphans(rig, dead)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def _orphans(rig: Rig, dead: Collection[Process]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        locks = cursor.fetchone()[0]
    held = Lease.objects.filter(expires_at__gt=clock.now()).values_list("target", flat=True)
    mirrors = rig.folder / "worker" / "mirrors"
    return [
        *([f"{locks} advisory locks"] if locks else []),
        *(f"lease of {target}" for target in held),
        *(f"file {path}" for path in mirrors.glob("*/private/*")),
        *(f"process {pid} of a dead worker" for one in dead for pid in one.group()),
    ]
