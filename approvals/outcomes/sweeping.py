"""Which written promotions are looked at: those of one repository and branch by one lane, with one fetch.

While one host is slow, the others are looked at again and again, once an interval. No promotion stops another.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q

from approvals.models import Promotion
from approvals.models.promotion import PromotionQuerySet
from approvals.models.promotion import PromotionStatus as Status
from approvals.outcomes import judging, settling
from approvals.outcomes.judging import Finding, Outcome
from updater import clock, leases, repository_urls
from updater.audit import Actor
from updater.connections import Connections
from updater.crashpoints import crashpoint
from updater.lanes import Lanes, Task
from updater.leases import Grant

logger = logging.getLogger(__name__)

START_SECONDS = 240.0  # nothing is begun later than this after the start of a sweep
LANE_SECONDS = (
    60.0  # one lane looks at no further promotion after this; the rest is for the next sweep
)
SLOW_SECONDS = 10.0  # what took longer is not looked at again in this sweep


def sweep(*, world: Connections, by: Actor) -> int:
    """Judge every written promotion once, one after the other; return how many were looked at."""
    return _look_at_all(_in_order(_written()), world=world, by=by)


def sweep_side_by_side(grant: Grant, *, by: Actor) -> int:
    """Judge what is written in several repositories at once, under this lease; return how many looks there were."""
    looks = _Looks(grant, by)
    return Lanes(looks.due, looks.take, start_seconds=START_SECONDS).run()


@dataclass(frozen=True, slots=True)
class _Looks:
    """One sweep by several lanes."""

    grant: Grant
    by: Actor
    _slow: set[str] = field(default_factory=set)

    def due(self) -> Mapping[str, Task[list[UUID]]]:
        """Return what is written, by place, and tell that this worker lives."""
        leases.require_current(self.grant)
        interval = int(time.monotonic() // max(1, settings.SWEEP_SECONDS))
        return {
            place: Task(host, interval, ids)
            for (place, host), ids in _by_place().items()
            if place not in self._slow
        }

    def take(self, place: str, ids: list[UUID]) -> None:
        """Judge the promotions of one place."""
        since = time.monotonic()
        rows = _in_order(_written().filter(pk__in=ids))
        try:
            with leases.under(self.grant):
                _look_at_all(rows, world=Connections(), by=self.by)
        except leases.LeaseLostError:
            logger.info("others observe now", extra={"place": place})
        if time.monotonic() - since > SLOW_SECONDS:
            self._slow.add(place)


def _written() -> PromotionQuerySet:
    is_written = Q(status=Status.VERIFYING) | Q(status=Status.UNKNOWN, pushed_at__isnull=False)
    return Promotion.objects.filter(is_written)


def _in_order(rows: PromotionQuerySet) -> PromotionQuerySet:
    return rows.with_target().order_by(F("pushed_at").asc(nulls_first=True), "created_at")


def _by_place() -> dict[tuple[str, str], list[UUID]]:
    found: dict[tuple[str, str], list[UUID]] = defaultdict(list)
    columns = ("pk", "plan__method", "plan__repository", "plan__branch", "application__cluster")
    for pk, method, repository, branch, cluster in _written().values_list(*columns):
        if method == "git":
            found[f"{repository}#{branch}", repository_urls.host(str(repository))].append(pk)
        else:
            found[cluster, cluster].append(pk)  # only the cluster is asked, if anything
    return found


def _look_at_all(rows: Iterable[Promotion], *, world: Connections, by: Actor) -> int:
    """Look at one after the other; whatever happens to one happens to no other."""
    ends_at = time.monotonic() + LANE_SECONDS
    looked_at = 0
    for promotion in rows:
        if time.monotonic() > ends_at:
            break
        looked_at += 1
        try:
            _look_at(promotion, world=world, by=by)
        except leases.LeaseLostError:
            raise
        except Exception:
            logger.exception("outcome not settled", extra={"promotion": str(promotion.pk)})
    return looked_at


def _look_at(promotion: Promotion, *, world: Connections, by: Actor) -> None:
    crashpoint("observe.before")
    at = clock.now()
    outcome = _outcome(promotion, world=world, by=by, at=at)
    settling.settle(promotion, outcome, by=by, at=at)


def _outcome(promotion: Promotion, *, world: Connections, by: Actor, at: datetime) -> Outcome:
    try:
        outcome = judging.judge(promotion, world=world, at=at)
        if outcome.finding is Finding.OUT_OF_SYNC:
            return settling.ask_for_sync(promotion, outcome, world=world, by=by, at=at)
    except Exception as error:
        # One that can never be judged comes to its deadline, and to people, all the same.
        logger.exception("outcome not judged", extra={"promotion": str(promotion.pk)})
        words = (
            f"Something unforeseen went wrong ({type(error).__name__}); the worker's log says more."
        )
        return Outcome(Finding.UNCLEAR, words)
    return outcome
