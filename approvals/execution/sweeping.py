"""Which promotions are due, grouped by the target they write to; one target failing never holds the others."""

import logging
from collections.abc import Iterable, Sequence

from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from approvals.execution import application_target, gates, git_target, leases, pull_request_target
from approvals.execution.proposals import Standing
from approvals.execution.settling import Ledger
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import clock
from updater.audit import Actor
from updater.connections import Connections
from updater.errors import UpdaterError
from updater.locks import LockTakenError

logger = logging.getLogger(__name__)

MAX_DUE = 500


def sweep(*, world: Connections, holder: str, by: Actor) -> int:
    """Carry out everything that is due; return how many promotions were looked at."""
    targets = _by_target(_due())
    for target, promotions in targets.items():
        try:
            _carry_out(target, promotions, world=world, holder=holder, by=by)
        except LockTakenError:
            logger.info("target is busy", extra={"target": target})
        except UpdaterError as error:
            logger.warning("target failed", extra={"target": target, "reason": str(error)})
        except Exception:
            # One broken target must not hold up the others; the rows are still due.
            logger.exception("target crashed", extra={"target": target})
    return sum(len(promotions) for promotions in targets.values())


def target_of(promotion: Promotion) -> str:
    """Return the name of what the promotion writes to."""
    plan = promotion.plan
    if plan.get("pull_request"):
        return f"pull-request:{promotion.application.cluster}/{promotion.application}"
    if plan.get("method") == "git":
        return f"git:{plan['repository']}#{plan['branch']}"
    return f"application:{promotion.application.cluster}/{promotion.application}"


def _due() -> "Iterable[Promotion]":
    at = clock.now()
    in_flight = Promotion.objects.filter(
        tracked_image=OuterRef("tracked_image"), status__in=Status.in_flight()
    ).exclude(pk=OuterRef("pk"))
    waiting = Q(status__in=[Status.APPROVED, Status.ERRORED], next_attempt_at__lte=at) & ~Exists(
        in_flight
    )
    # An executing one is due when its worker is gone: its target's lock is free then. One that waits for its
    # pull request rests meanwhile, unless a newer one wants its place.
    newer = Promotion.objects.filter(
        tracked_image=OuterRef("tracked_image"), status=Status.APPROVED
    )
    is_time = Q(next_attempt_at=None) | Q(next_attempt_at__lte=at)
    started = Q(status=Status.EXECUTING) & (is_time | Exists(newer))
    left_open = is_time & Q(
        status__in=Status.over(), pull_request__state__in=[Standing.PROPOSED, Standing.OPEN]
    )
    unclear = Q(status=Status.UNKNOWN, pushed_at=None, next_attempt_at__lte=at)
    return (
        Promotion.objects.with_target()
        .prefetch_related("decisions__by")
        .filter(waiting | started | unclear | left_open)
        .order_by(_looks_last(), F("approved_at").asc(nulls_last=True), "created_at")[:MAX_DUE]
    )


def _looks_last() -> Case:
    # Hundreds may wait for their pull requests; who was just approved does not wait for them.
    return Case(When(pull_request={}, then=Value(0)), default=Value(1))


def _by_target(promotions: Iterable[Promotion]) -> dict[str, list[Promotion]]:
    targets: dict[str, list[Promotion]] = {}
    for promotion in promotions:
        targets.setdefault(target_of(promotion), []).append(promotion)
    return targets


def _carry_out(
    target: str, promotions: Sequence[Promotion], *, world: Connections, holder: str, by: Actor
) -> None:
    with leases.hold(target, holder=holder) as grant:
        ledger = Ledger(grant, by)
        still_due = _without_waiting(_reread(promotions), ledger)
        if not still_due:
            return
        if target.startswith("pull-request:"):
            pull_request_target.carry_out(still_due, ledger=ledger, world=world)
        elif target.startswith("git:"):
            git_target.carry_out(still_due, ledger=ledger, world=world)
        else:
            application_target.carry_out(still_due, ledger=ledger, world=world)


def _without_waiting(promotions: Sequence[Promotion], ledger: Ledger) -> list[Promotion]:
    """Return those whose gates are open; the others are told what they wait for."""
    closed = gates.closed(promotions, at=clock.now())
    for promotion in promotions:
        if error := closed.get(promotion.pk):
            ledger.not_ready([promotion], error)
    return [row for row in promotions if row.pk not in closed]


def _reread(promotions: Sequence[Promotion]) -> list[Promotion]:
    """Read the rows again under the lease: another worker may have finished them meanwhile."""
    rows = (
        Promotion.objects.with_target()
        .select_related("tracked_image__image_repository__registry")
        .prefetch_related("decisions__by")
    )
    fresh = {row.pk: row for row in rows.filter(pk__in=[row.pk for row in promotions])}
    for row in fresh.values():
        row.tracked_image.application = row.application  # the same row, already here
    before = {row.pk: _progress(row) for row in promotions}
    return [
        fresh[row.pk]
        for row in promotions
        if row.pk in fresh and _progress(fresh[row.pk]) == before[row.pk]
    ]


def _progress(row: Promotion) -> tuple[object, ...]:
    return row.status, row.attempts, row.next_attempt_at
