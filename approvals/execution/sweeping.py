"""Which promotions are due, grouped by the target they write to; targets are worked on side by side.

Found is only what names the promotion and its target, again after every target that is done: the rows themselves,
with their plans, are read once, by the lane that works on the target, under its lease.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from approvals.execution import targets
from approvals.execution.destinations import Destination
from approvals.execution.proposals import Standing
from approvals.execution.targets import Due
from approvals.models import Promotion
from approvals.models.promotion import PromotionQuerySet
from approvals.models.promotion import PromotionStatus as Status
from updater import clock
from updater.audit import Actor
from updater.connections import Connections
from updater.lanes import Lanes, Task

MAX_DUE = 500
_PROGRESS = ("status", "attempts", "next_attempt_at")
_PLAN = ("method", "repository", "branch", "pull_request")
_APPLICATION = ("application__cluster", "application__namespace", "application__name")


def sweep(*, world: Connections, holder: str, by: Actor) -> int:
    """Carry out everything that is due, one target after the other; return how many promotions were looked at."""
    found = _by_target(due())
    for target, items in found.items():
        targets.carry_out(target, items, world=world, holder=holder, by=by)
    return sum(len(items) for items in found.values())


def sweep_side_by_side(*, holder: str, by: Actor) -> int:
    """Carry out everything that is due, several targets at once; return how many targets were worked on."""
    return Lanes(_tasks, partial(_carry_out, holder=holder, by=by)).run()


def due() -> Iterator[Due]:
    """Return what is due now, in the order in which it is begun."""
    columns = ("pk", *_PROGRESS, *_APPLICATION, *(f"plan__{key}" for key in _PLAN))
    for pk, *rest in _rows().values_list(*columns):
        progress, (cluster, namespace, name), plan = rest[:3], rest[3:6], rest[6:]
        named = dict(zip(_PLAN, plan, strict=True))
        destination = Destination.named(named, cluster, f"{namespace}/{name}")
        yield Due(pk, tuple(progress), destination)


def _carry_out(target: str, found: list[Due], *, holder: str, by: Actor) -> None:
    # Clients of the outside are for one thread each.
    targets.carry_out(target, found, world=Connections(), holder=holder, by=by)


def _tasks() -> Mapping[str, Task[list[Due]]]:
    return {
        target: Task(found[0].destination.host, frozenset(each.pk for each in found), found)
        for target, found in _by_target(due()).items()
    }


def _rows() -> PromotionQuerySet:
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
    return Promotion.objects.filter(waiting | started | unclear | left_open).order_by(
        _looks_last(), F("approved_at").asc(nulls_last=True), "created_at"
    )[:MAX_DUE]


def _looks_last() -> Case:
    # Hundreds may wait for their pull requests; who was just approved does not wait for them.
    return Case(When(pull_request={}, then=Value(0)), default=Value(1))


def _by_target(found: Iterable[Due]) -> dict[str, list[Due]]:
    groups: dict[str, list[Due]] = {}
    for each in found:
        groups.setdefault(each.destination.target, []).append(each)
    return groups
