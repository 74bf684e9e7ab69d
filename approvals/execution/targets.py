"""Carries out what is due for one target, under its lease; no error leaves, and none holds up other targets.

A target has a share of a sweep's time. Its promotions are written in parts, in the order of approval; no part is begun
after that share, so that a sweep comes to its end before anybody ends it in the middle of a write.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from django.db.models import Exists, OuterRef, Q

from approvals.execution import (
    application_target,
    git_target,
    pull_request_target,
    retrying,
)
from approvals.execution.destinations import Destination
from approvals.execution.ledger import Ledger
from approvals.models import Promotion
from approvals.models.promotion import PromotionQuerySet
from approvals.models.promotion import PromotionStatus as Status
from updater import breakers, clock, leases
from updater.audit import Actor
from updater.connections import Connections
from updater.errors import UpdaterError
from updater.integrations import git, kubernetes
from updater.locks import LockTakenError

logger = logging.getLogger(__name__)

TARGET_SECONDS = 90.0  # after this nothing more is begun on a target in this sweep
TOGETHER = 50  # promotions of one push
MAX_ALONG = 500  # that waited for a silent host and go along with one that is due
_SILENCES = (
    breakers.HostRestingError.code,
    git.RepositoryUnreachableError.code,
    git.GitTimeoutError.code,
    kubernetes.ClusterUnreachableError.code,
)


@dataclass(frozen=True, slots=True)
class Due:
    """A promotion that is due, as it stood when it was found: enough to bring it to its target."""

    pk: UUID
    progress: tuple[object, ...]
    destination: Destination


def carry_out(
    target: str, found: Sequence[Due], *, world: Connections, holder: str, by: Actor
) -> None:
    """Write to one target what is due there."""
    try:
        _carry_out(target, found, world=world, holder=holder, by=by)
    except LockTakenError:
        logger.info("target is busy", extra={"target": target})
    except UpdaterError as error:
        logger.warning("target failed", extra={"target": target, "reason": str(error)})
    except (DatabaseError, InterfaceError):
        logger.exception("no database", extra={"target": target})  # the rows are still due
    except Exception as error:
        logger.exception("target crashed", extra={"target": target})
        if len(found) > 1:
            # One of them is poison: each alone, so that the others get through.
            for due in found:
                carry_out(target, [due], world=world, holder=holder, by=by)
        else:
            _set_back(target, found[0].pk, error, holder=holder, by=by)


def _carry_out(
    target: str, found: Sequence[Due], *, world: Connections, holder: str, by: Actor
) -> None:
    with leases.hold(target, holder=holder) as grant:
        ledger = Ledger(grant, by, ends_at=time.monotonic() + TARGET_SECONDS)
        before: Sequence[Promotion] = ()
        for number, part in enumerate(_parts(_read(target, found))):
            # The first is always begun, however long the reading took: slow, and never stuck.
            if number and (ledger.is_out_of_time or _is_any_left(before)):
                return  # the rest is due, and comes after what was left here
            before = ledger.without_waiting(part)
            if before:
                _write(target, before, ledger=ledger, world=world)


def _write(target: str, due: Sequence[Promotion], *, ledger: Ledger, world: Connections) -> None:
    if target.startswith("pull-request:"):
        pull_request_target.carry_out(due, ledger=ledger, world=world)
    elif target.startswith("git:"):
        git_target.carry_out(due, ledger=ledger, world=world)
    else:
        application_target.carry_out(due, ledger=ledger, world=world)


def _parts(promotions: Sequence[Promotion]) -> Iterator[Sequence[Promotion]]:
    for start in range(0, len(promotions), TOGETHER):
        yield promotions[start : start + TOGETHER]


def _is_any_left(promotions: Sequence[Promotion]) -> bool:
    """Whether one of them is neither written nor over: nobody later may be written before it."""
    if not promotions:
        return False
    unwritten = [Status.APPROVED, Status.EXECUTING, Status.ERRORED, Status.UNKNOWN]
    rows = Promotion.objects.filter(pk__in=[row.pk for row in promotions])
    return rows.filter(status__in=unwritten).exists()


def _set_back(target: str, pk: UUID, error: Exception, *, holder: str, by: Actor) -> None:
    """Count the attempt and wait longer each time, in the end for a person."""
    try:
        with leases.hold(target, holder=holder) as grant:
            Ledger(grant, by).crashed(Promotion.objects.get(pk=pk), error)
    except Exception:
        logger.exception("crash not recorded", extra={"promotion": str(pk)})
        retrying.postpone(pk, at=clock.now())


def _read(target: str, found: Sequence[Due]) -> list[Promotion]:
    """Read the rows under the lease: another worker may have finished them meanwhile.

    What is UNKNOWN here goes along first, due or not: nobody writes before it was looked for. So does what waits
    only because a host was silent: were it left until its own time, a later approval would be written before it.
    """
    rows = (
        Promotion.objects.with_target()
        .select_related("tracked_image__image_repository__registry")
        .prefetch_related("decisions")
    )
    fresh = {row.pk: row for row in rows.filter(pk__in=[due.pk for due in found])}
    still = [
        fresh[due.pk]
        for due in found
        if due.pk in fresh and progress_of(fresh[due.pk]) == due.progress
    ]
    if not still:
        return []
    others = _going_along(_written_by_the_same(rows.exclude(pk__in=fresh), still[0]))
    first = [row for row in others if row.status == Status.UNKNOWN]
    silent = [row for row in others if row.status == Status.APPROVED]
    together = [*first, *_by_approval([*still, *silent])]
    for row in together:
        row.tracked_image.application = row.application  # the same row, already here
    return [row for row in together if Destination.of(row).target == target]


def _going_along(rows: PromotionQuerySet) -> list[Promotion]:
    unknown = Q(status=Status.UNKNOWN, pushed_at=None)
    next_in_line = Promotion.objects.next_in_line().filter(pk=OuterRef("pk"))
    silent = Q(status=Status.APPROVED, error_code__in=_SILENCES) & Exists(next_in_line)
    # UNKNOWN before APPROVED: no limit may leave out what must be looked for.
    return list(rows.filter(unknown | silent).order_by("-status", "approved_at")[:MAX_ALONG])


def _written_by_the_same(rows: PromotionQuerySet, promotion: Promotion) -> PromotionQuerySet:
    plan = promotion.plan
    if plan.get("method") == "git" and not plan.get("pull_request"):
        return rows.filter(plan__repository=plan["repository"], plan__branch=plan["branch"])
    return rows.filter(application=promotion.application)


def _by_approval(promotions: Sequence[Promotion]) -> list[Promotion]:
    """Return them as they were approved; what needs no approval any more, such as a look, comes last."""
    approved = [row for row in promotions if row.approved_at is not None]
    rest = [row for row in promotions if row.approved_at is None]
    return [*sorted(approved, key=attrgetter("approved_at", "created_at")), *rest]


def progress_of(row: Promotion) -> tuple[object, ...]:
    """Return what is different after every attempt and every delay."""
    return row.status, row.attempts, row.next_attempt_at
