"""Which promotions are due, grouped by the target they write to; targets are worked on side by side."""

from collections.abc import Iterable, Mapping
from functools import partial

from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from approvals.execution import targets
from approvals.execution.proposals import Standing
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import clock
from updater.audit import Actor
from updater.connections import Connections
from updater.lanes import Lanes, Task

MAX_DUE = 500


def sweep(*, world: Connections, holder: str, by: Actor) -> int:
    """Carry out everything that is due, one target after the other; return how many promotions were looked at."""
    due = _by_target(_due())
    for target, promotions in due.items():
        targets.carry_out(target, promotions, world=world, holder=holder, by=by)
    return sum(len(promotions) for promotions in due.values())


def sweep_side_by_side(*, holder: str, by: Actor) -> int:
    """Carry out everything that is due, several targets at once; return how many targets were worked on."""
    return Lanes(_tasks, partial(_carry_out, holder=holder, by=by)).run()


def _carry_out(target: str, promotions: list[Promotion], *, holder: str, by: Actor) -> None:
    # Clients of the outside are for one thread each.
    targets.carry_out(target, promotions, world=Connections(), holder=holder, by=by)


def _tasks() -> Mapping[str, Task[list[Promotion]]]:
    return {
        target: Task(targets.host_of(rows[0]), frozenset(row.pk for row in rows), rows)
        for target, rows in _by_target(_due()).items()
    }


def _due() -> "Iterable[Promotion]":
    at = clock.now()
    is_due = Q(status__in=[Status.APPROVED, Status.ERRORED], next_attempt_at__lte=at)
    waiting = is_due & Q(pk__in=Promotion.objects.filter(is_due).next_in_line().values("pk"))
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
    found: dict[str, list[Promotion]] = {}
    for promotion in promotions:
        found.setdefault(targets.name_of(promotion), []).append(promotion)
    return found
