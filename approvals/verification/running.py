"""Reads what there is and runs every check over it.

The product may run meanwhile. Rows are read before Git and again after it: what the first rows call written must
stand in Git, and what stands in Git must be approved in the second ones.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from approvals.models import Promotion
from approvals.verification import (
    approvers,
    branch_reading,
    commits,
    contents,
    heads,
    order,
    progress,
    row_reading,
    starts,
    trail,
)
from approvals.verification.facts import BranchFacts, PromotionFacts
from approvals.verification.findings import Finding, Report, Unchecked
from updater import chain, clock
from updater.connections import Connections


def verify(*, world: Connections, only: Collection[UUID] | None = None) -> Report:
    """Check every invariant that rows and Git can tell, `only` for some promotions; nothing is written anywhere."""
    report = Report()
    with _snapshot():
        before = row_reading.rows(only)
    branches: list[BranchFacts] = []
    for read in branch_reading.read(row_reading.places(before), world=world):
        if isinstance(read, Unchecked):
            report.unchecked.append(read)
        else:
            branches.append(read)
    _check_written(report, [row_reading.promotion(row) for row in before], branches)
    with _snapshot():
        _check_rows(report, row_reading.rows(only), branches, only, at=clock.now())
    return report


@contextmanager
def _snapshot() -> Iterator[None]:
    """Let all reads of the block see one moment."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _check_written(
    report: Report, promotions: list[PromotionFacts], branches: list[BranchFacts]
) -> None:
    by_place = {branch.place: branch for branch in branches}
    written = [row for row in promotions if row.is_written and row.method == "git"]
    report.add("I1", commits.check_written(written, by_place), count=len(written))


def _check_rows(
    report: Report,
    rows: list[Promotion],
    branches: list[BranchFacts],
    only: Collection[UUID] | None,
    *,
    at: datetime,
) -> None:
    facts = [row_reading.promotion(row) for row in rows]
    by_id = {row.id: row for row in facts}
    total = sum(len(branch.commits) for branch in branches)
    report.add("I2", commits.check_approved(branches, by_id), count=total)
    report.add("I4", contents.check(branches, by_id), count=total)
    report.add("I8", order.check_branches(branches, by_id), count=total)
    report.add("I8", order.check_patches(facts), count=sum(row.method == "argocd" for row in facts))
    _check_heads(report, branches, by_id)
    report.add("I7", starts.check_digests(by_id, branches), count=total)
    _check_lives(report, rows, by_id, only, at=at)


def _check_heads(
    report: Report, branches: list[BranchFacts], by_id: dict[str, PromotionFacts]
) -> None:
    named = heads.named(branches, by_id)
    stands = row_reading.trail_at(named)
    report.add("I5", heads.check(branches, by_id, stands), count=0)
    report.checked["heads"] = len(named)


def _check_lives(
    report: Report,
    rows: list[Promotion],
    by_id: dict[str, PromotionFacts],
    only: Collection[UUID] | None,
    *,
    at: datetime,
) -> None:
    attempts = row_reading.attempts()
    deadline = timedelta(seconds=settings.OUTCOME_DEADLINE_SECONDS)
    last = {name: found[-1] for name, found in attempts.items() if found[-1].ended_at is None}
    lost = progress.check_not_lost(by_id.values(), last, at=at, outcome_deadline=deadline)
    report.add("I3", lost, count=len(by_id))
    report.add("I5", _check_chain(report), count=0)
    counts = {name: len(found) for name, found in attempts.items()}
    report.add(
        "I5",
        trail.check(row_reading.events(only), by_id, counts, row_reading.requests()),
        count=len(by_id),
    )
    approved = list(row_reading.approved(rows, row_reading.approved_by_people()))
    report.add("I6", approvers.check(approved), count=len(approved))
    limits = row_reading.limits(rows)
    report.add("I7", starts.check(by_id, row_reading.events(only), limits), count=len(limits))
    report.add("I10", progress.check_ended(by_id.values(), row_reading.running()), count=len(by_id))


def _check_chain(report: Report) -> Iterator[Finding]:
    found = chain.verify()
    report.checked["events"] = found.count
    if found.broken_at is not None:
        yield Finding("I5", f"event {found.broken_at}", "The chain of the trail is broken here.")
