"""Carries out all due promotions of one Git repository and branch: one fetch, one push.

Order: look and build → claim with the intended commits → push without force → record → refresh Argo CD.
"""

import random
import time
from collections.abc import Sequence
from uuid import UUID

from approvals.execution import batches, orphans, refreshing
from approvals.execution.batches import Batch
from approvals.execution.ledger import Ledger
from approvals.models import Promotion
from updater.connections import Connections
from updater.crashpoints import crashpoint
from updater.errors import TransientError, UpdaterError
from updater.integrations import git

MAX_PUSHES = 5  # of a branch that moves under us every time


def carry_out(promotions: Sequence[Promotion], *, ledger: Ledger, world: Connections) -> None:
    """Write, push and refresh; every promotion ends in a recorded state."""
    plan = promotions[0].plan
    try:
        crashpoint("preflight")
        mirror = world.mirror(plan["repository"], promotions[0].application.project, plan["secret"])
        written = _write(
            promotions, branch=plan["branch"], mirror=mirror, ledger=ledger, world=world
        )
    except UpdaterError as error:
        ledger.not_ready(promotions, error)
        return
    refreshing.refresh_all(written, ledger=ledger, world=world)


def _write(
    promotions: Sequence[Promotion],
    *,
    branch: str,
    mirror: git.GitMirror,
    ledger: Ledger,
    world: Connections,
) -> list[Promotion]:
    """Build and push until it stands on the branch; return the promotions whose commit is there.

    Raises:
        What fetching raises before anything was pushed; PushMovedError when the branch never rests.
    """
    left, written = list(promotions), []
    begun: set[UUID] = set()
    for attempt in range(MAX_PUSHES):
        cursor = orphans.before_fetch(promotions[0].plan["repository"], branch)
        batch = batches.build(left, branch=branch, mirror=mirror, world=world)
        crashpoint("build.after")
        orphans.look(ledger.grant, cursor, tip=batch.base, mirror=mirror, by=ledger.by)
        written += ledger.settle(batch)
        claimed = _claim(batch, begun, ledger=ledger)
        if len(claimed) < len(batch.promotions):
            left = claimed  # somebody may not go along: build the chain again without them
        elif _push(batch, mirror=mirror, ledger=ledger, world=world, written=written):
            return written
        else:
            left = list(batch.promotions)
            time.sleep(random.uniform(0, 0.2 * 2**attempt))  # noqa: S311  jitter, not a secret
        if not left:
            return written
        if ledger.is_out_of_time:
            break
    why = f"{branch} moved each time we pushed, {attempt + 1} in all"
    raise git.PushMovedError.of(promotions[0].plan["repository"], why)


def _claim(batch: Batch, begun: set[UUID], *, ledger: Ledger) -> list[Promotion]:
    """Claim the batch if all of it may still go; return the promotions that may."""
    # Building took its time: a hold or the end of a window may have come in between.
    waiting = [row for row in batch.promotions if row.pk not in begun]
    open_ones = {row.pk for row in ledger.without_waiting(waiting)}
    if len(open_ones) < len(waiting):
        return [row for row in batch.promotions if row.pk in begun | open_ones]
    claimed = ledger.without_stopped(ledger.claim(batch))
    begun |= {row.pk for row in claimed}
    return claimed


def _push(
    batch: Batch,
    *,
    mirror: git.GitMirror,
    ledger: Ledger,
    world: Connections,
    written: list[Promotion],
) -> bool:
    """Push the chain and record it; False when the branch moved and all is to be looked at anew."""
    if not batch.commits:
        return True
    try:
        crashpoint("push.before")
        mirror.push(batch.tip, batch.branch, expected=batch.expected)
        crashpoint("push.after")
    except git.PushMovedError:
        return False
    except git.PushDeclinedError as error:
        written += _push_alone(batch, error, ledger=ledger, world=world)
    except TransientError as error:
        written += _look_after(batch, error, mirror=mirror, ledger=ledger)
    except UpdaterError as error:
        ledger.errored(batch.promotions, error)
    else:
        written += ledger.committed(batch)
        crashpoint("record.after")
    return True


def _push_alone(
    batch: Batch, error: UpdaterError, *, ledger: Ledger, world: Connections
) -> list[Promotion]:
    """Try each Application alone: a declined chain may hold one bad commit."""
    if len(batch.commits) == 1:
        ledger.errored(batch.promotions, error)
        return []
    for commit in batch.commits:
        carry_out(commit.promotions, ledger=ledger, world=world)
    return []


def _look_after(
    batch: Batch, error: TransientError, *, mirror: git.GitMirror, ledger: Ledger
) -> list[Promotion]:
    """Look at the branch after a lost answer, and record what is certain."""
    try:
        tip = mirror.fetch(batch.branch)
        arrived = mirror.is_ancestor(batch.tip, tip)
    except UpdaterError as unclear:
        ledger.lost_sight(batch.promotions, unclear)
        return []
    if arrived:
        return ledger.committed(batch)
    ledger.errored(batch.promotions, error)
    return []
