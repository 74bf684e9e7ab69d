"""What a worker records while it holds a target: in transactions under the fence, one for a few promotions.

A promotion that somebody else moved meanwhile is left alone; a lost lease ends the work.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction

from approvals import policy, resealing
from approvals.execution import gates, orphans, recording
from approvals.execution.batches import (
    Batch,
    Commit,
    DigestMovedError,
    HistoryRewrittenError,
    SubjectChangedError,
)
from approvals.execution.recording import ApprovalLapsedError, State, UnforeseenError
from approvals.lifecycle import TransitionRefusedError
from approvals.models import Execution, Promotion
from approvals.models.promotion import PromotionQuerySet
from approvals.models.promotion import PromotionStatus as Status
from approvals.planning import ApplicationChangedError, ImageNotUsableError, NothingToWriteError
from updater import clock, leases, transactions
from updater.audit import Actor, AuditKind
from updater.connections import Connections
from updater.crashpoints import crashpoint
from updater.errors import UpdaterError
from updater.leases import Grant

logger = logging.getLogger(__name__)

# One transaction each would cost more than the push; all in one would keep the trail to itself for too long.
TOGETHER = 25
Write = Callable[[Promotion, datetime], None]

# What a write needs of the locked row: who decided, where it starts; afterwards only what the trail names.
_DECIDED = Promotion.objects.with_target().prefetch_related("decisions__by__groups")
_NAMED = Promotion.objects.with_names()

# What was approved is not what would be written: the people decide again.
_CHANGED = (SubjectChangedError, DigestMovedError, HistoryRewrittenError)
# Errors after which the promotion is pointless, not the machinery broken.
_POINTLESS = (ApplicationChangedError, ImageNotUsableError, NothingToWriteError)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The recording side of one hold on a target."""

    grant: Grant
    by: Actor
    ends_at: float = math.inf  # of the monotonic clock; nothing more is begun after it

    @property
    def is_out_of_time(self) -> bool:
        """Whether the target has had its share of this sweep."""
        return time.monotonic() > self.ends_at

    def settle(self, batch: Batch) -> list[Promotion]:
        """Record what was set aside, and what was found done; return the latter."""
        for promotion, error in batch.set_aside:
            self.set_aside(promotion, error)
        return self._apply_to(batch.found, self._found, rows=_DECIDED)

    def claim(self, batch: Batch) -> list[Promotion]:
        """Claim every promotion of the batch with its intended commit; return those that could be."""
        return self._apply_to(batch.commits, self._claim, rows=_DECIDED)

    def without_waiting(self, promotions: Sequence[Promotion]) -> list[Promotion]:
        """Return those whose gates are open; the others are told what they wait for."""
        closed = gates.closed(promotions, at=clock.now())
        for promotion in promotions:
            if error := closed.get(promotion.pk):
                self.not_ready([promotion], error)
        return [row for row in promotions if row.pk not in closed]

    def without_stopped(self, promotions: Sequence[Promotion]) -> list[Promotion]:
        """End those that a person asked to stop, the last moment before they are written; return the others."""
        asked = set(
            Promotion.objects.stopping()
            .filter(pk__in=[row.pk for row in promotions])
            .values_list("pk", flat=True)
        )
        for row in promotions:
            if row.pk in asked:
                self.apply(row, self._stopped)
        return [row for row in promotions if row.pk not in asked]

    def committed(self, batch: Batch) -> list[Promotion]:
        """Record that the commits of the batch stand on the branch; return their promotions."""
        written = self._apply_to(batch.commits, self._committed, rows=_NAMED)
        orphans.skip(self.grant, since=batch.base, tip=batch.tip)
        return written

    def errored(self, promotions: Iterable[Promotion], error: UpdaterError) -> None:
        """Stop these attempts."""
        for row in promotions:
            self.apply(row, partial(self._errored, error=error))

    def lost_sight(self, promotions: Iterable[Promotion], error: UpdaterError) -> None:
        """Say that nobody knows whether these were written."""
        for row in promotions:
            self.apply(row, partial(self._lost_sight, error=error))

    def not_ready(self, promotions: Sequence[Promotion], error: UpdaterError) -> None:
        """Leave them for later: the outside could not be looked at, and nothing was written."""
        for row in promotions:
            self.apply(row, partial(self._delay_or_stop, error=error))

    def written(self, promotion: Promotion, kind: AuditKind, step: str, probed: str) -> None:
        """Record the last write of an attempt; its outcome is observed from here on."""
        self.apply(promotion, partial(self._written, kind=kind, step=step, probed=probed))

    def crashed(self, promotion: Promotion, error: Exception) -> None:
        """Record that our own program failed on this promotion."""
        words = (
            f"Something unforeseen went wrong ({type(error).__name__}); the worker's log says more."
        )
        self.apply(promotion, partial(self._crashed, error=UnforeseenError(words)))

    def refreshed(self, promotions: Sequence[Promotion]) -> None:
        """Record that Argo CD was asked to look at these; their outcomes are observed from here on."""
        write = partial(
            self._written,
            kind=AuditKind.APPLICATION_REFRESHED,
            step=REFRESH,
            probed="Argo CD was asked to compare",
        )
        self.apply_all([(row, write) for row in promotions], rows=_NAMED)

    def claim_patch(self, promotion: Promotion, *, intended: str) -> bool:
        """Claim a promotion that is written by a patch of its Application."""

        def write(row: Promotion, at: datetime) -> None:
            execution = recording.claim(self.grant, row, base="", commit="", by=self.by, at=at)
            revalidated = {"intended": "All as sealed", "probed": f"Seal {row.short_seal} stands"}
            recording.step(execution, "Revalidate", **revalidated, state=State.DONE, at=at)
            recording.step(
                execution, PATCH, intended=intended, probed="", state=State.INTENDED, at=at
            )

        return self.apply(promotion, write)

    def set_aside(self, promotion: Promotion, error: UpdaterError) -> None:
        """Record why this promotion cannot go on as approved."""
        self.apply(promotion, partial(self._set_aside, error=error))

    def apply_all(
        self, writes: Sequence[tuple[Promotion, Write]], *, rows: PromotionQuerySet
    ) -> list[Promotion]:
        """Run many writes, some in one transaction each; return the promotions that nobody moved meanwhile."""
        parts = (writes[start : start + TOGETHER] for start in range(0, len(writes), TOGETHER))
        return [row for part in parts for row in self._together(part, rows)]

    @transactions.repeated
    def _together(
        self, writes: Sequence[tuple[Promotion, Write]], rows: PromotionQuerySet
    ) -> list[Promotion]:
        locked = rows.select_for_update(of=("self",)).order_by("pk")
        try:
            with transaction.atomic():
                at = leases.require_current(self.grant)
                found = {row.pk: row for row in locked.filter(pk__in=[row.pk for row, _ in writes])}
                for promotion, write in writes:
                    write(found[promotion.pk], at)
        except (ApprovalLapsedError, TransitionRefusedError):
            # One of them was moved: nothing was recorded, so each again alone.
            return [promotion for promotion, write in writes if self.apply(promotion, write)]
        return [promotion for promotion, _ in writes]

    def _apply_to(
        self, commits: Iterable[Commit], write: Callable[..., None], *, rows: PromotionQuerySet
    ) -> list[Promotion]:
        writes = [
            (row, partial(write, commit=commit)) for commit in commits for row in commit.promotions
        ]
        return self.apply_all(writes, rows=rows)

    @transactions.repeated
    def apply(self, promotion: Promotion, write: Write) -> bool:
        """Run one write under the fence on the locked row; False if somebody moved the row meanwhile."""
        rows = Promotion.objects.select_for_update(of=("self",)).with_target()
        try:
            with transaction.atomic():
                at = leases.require_current(self.grant)
                write(rows.get(pk=promotion.pk), at)
        except ApprovalLapsedError as error:
            self.apply(promotion, partial(self._lapse, error=error))
            return False
        except TransitionRefusedError as error:
            logger.warning(
                "promotion moved meanwhile",
                extra={"promotion": str(promotion.pk), "reason": str(error)},
            )
            return False
        return True

    def _written(
        self, row: Promotion, at: datetime, *, kind: AuditKind, step: str, probed: str
    ) -> None:
        execution = self._execution(row)
        recording.step(execution, step, intended=step, probed=probed, state=State.DONE, at=at)
        recording.written(row, execution, kind=kind, by=self.by, at=at)
        crashpoint("finish.in_transaction")

    def _stopped(self, row: Promotion, at: datetime) -> None:
        recording.stopped(row, by=self.by, at=at)

    def _lapse(self, row: Promotion, at: datetime, *, error: UpdaterError) -> None:
        recording.lapse(row, error, by=self.by, at=at)

    def _errored(self, row: Promotion, at: datetime, *, error: UpdaterError) -> None:
        recording.errored(row, error, by=self.by, at=at)

    def _crashed(self, row: Promotion, at: datetime, *, error: UnforeseenError) -> None:
        recording.crashed(self.grant, row, error, by=self.by, at=at)

    def _lost_sight(self, row: Promotion, at: datetime, *, error: UpdaterError) -> None:
        recording.lost_sight(row, error, by=self.by, at=at)

    def _claim(self, row: Promotion, at: datetime, *, commit: Commit) -> None:
        require_due(row, at)
        require_as_built(row, commit)
        execution = recording.claim(
            self.grant, row, base=commit.base, commit=commit.sha, by=self.by, at=at
        )
        branch = row.plan["branch"]
        revalidated = "Digest, files, policy, approvers as sealed", f"Seal {row.short_seal} stands"
        told = (
            ("Revalidate", *revalidated, State.DONE),
            ("Build commit", f"On {commit.base[:10]}", f"Commit {commit.sha[:10]}", State.DONE),
            (PUSH, f"{branch}: {commit.base[:10]} → {commit.sha[:10]}", "", State.INTENDED),
        )
        recording.begin_steps(execution, told, at=at)
        crashpoint("intent.in_transaction")

    def _committed(self, row: Promotion, at: datetime, *, commit: Commit) -> None:
        execution = self._execution(row)
        branch = row.plan["branch"]
        probed = f"{commit.sha[:10]} stands on {branch}"
        intended = f"{branch}: {commit.base[:10]} → {commit.sha[:10]}"
        recording.step(execution, PUSH, intended=intended, probed=probed, state=State.DONE, at=at)
        recording.committed(row, commit=commit.sha, by=self.by, at=at)
        crashpoint("record.in_transaction")

    def _found(self, row: Promotion, at: datetime, *, commit: Commit) -> None:
        execution = recording.claim(
            self.grant, row, base=commit.base, commit=commit.sha, by=self.by, at=at
        )
        probed = f"{commit.sha[:10]} found on {row.plan['branch']}, pushed by an earlier attempt"
        recording.step(
            execution, PUSH, intended="Push once", probed=probed, state=State.FOUND_DONE, at=at
        )
        if not row.pushed_at:
            recording.committed(row, commit=commit.sha, by=self.by, at=at)

    def _set_aside(self, row: Promotion, at: datetime, *, error: UpdaterError) -> None:
        if not isinstance(error, (*_CHANGED, *_POINTLESS)):
            self._delay_or_stop(row, at, error=error)
            return
        if row.is_stopping and row.status in (Status.EXECUTING, Status.ERRORED):
            recording.stopped(row, by=self.by, at=at)
            return
        if row.status in (Status.ERRORED, Status.UNKNOWN):
            recording.claim(self.grant, row, base="", commit="", by=self.by, at=at)
        recording.end_attempt(row, str(error), at=at)
        if _is_pointless(row, error):
            recording.withdraw(row, error, by=self.by, at=at)
        elif isinstance(error, SubjectChangedError):
            resealing.reseal(row, plan=error.plan, by=self.by, at=at)
        else:
            resealing.look_soon(row)
            recording.lapse(row, error, by=self.by, at=at)

    def _delay_or_stop(self, row: Promotion, at: datetime, *, error: UpdaterError) -> None:
        if row.status == Status.EXECUTING:
            recording.errored(row, error, by=self.by, at=at)
        else:
            recording.delay(row, error, by=self.by, at=at)

    def _execution(self, row: Promotion) -> Execution:
        return row.executions.get(ended_at=None)


def _is_pointless(row: Promotion, error: UpdaterError) -> bool:
    # A person asked for this very build: another one behind the same tag is not what they meant.
    is_asked_for = row.kind != Promotion.Kind.FORWARD and bool(row.requested_by)
    return isinstance(error, _POINTLESS) or (is_asked_for and isinstance(error, DigestMovedError))


PUSH = "Push"
PATCH = "Patch Application"
REFRESH = "Refresh Application"
REFRESH_SECONDS = 60.0  # for asking about what was pushed, however late it is


def refresh(promotion: Promotion, *, ledger: Ledger, world: Connections) -> None:
    """Ask Argo CD to look at the new commit now; without an answer the attempt stops and is tried again."""
    refresh_all([promotion], ledger=ledger, world=world)


def refresh_all(promotions: Iterable[Promotion], *, ledger: Ledger, world: Connections) -> None:
    """Ask Argo CD to look at all these; who could not be asked about stops and is tried again."""
    asked = []
    until = max(ledger.ends_at, time.monotonic() + REFRESH_SECONDS)
    for promotion in promotions:
        if time.monotonic() > until:
            break  # it is pushed: the next sweep finds its commit, and asks
        application = promotion.application
        try:
            crashpoint("refresh.before")
            world.cluster.refresh(
                application.namespace,
                application.name,
                stamp=str(promotion.pk),
                uid=application.uid,
            )
            crashpoint("refresh.after")
        except UpdaterError as error:
            ledger.errored([promotion], error)
        else:
            asked.append(promotion)
    ledger.refreshed(asked)
    crashpoint("finish.after")


def require_due(row: Promotion, at: datetime) -> None:
    """Refuse to start what expired while it waited for its turn."""
    if row.status == Status.APPROVED and at >= row.expires_at:
        raise TransitionRefusedError("The approval expired before it could start.")


def require_as_built(row: Promotion, commit: Commit) -> None:
    """Refuse a commit that names other approvers than stand now: one may have taken theirs back meanwhile."""
    built = next(each for each in commit.promotions if each.pk == row.pk)
    approvals = [{each.pk for each in policy.standing_approvals(of)} for of in (built, row)]
    if approvals[0] != approvals[1] or built.approved_at != row.approved_at:
        raise TransitionRefusedError("Its approvals changed while its commit was built.")
