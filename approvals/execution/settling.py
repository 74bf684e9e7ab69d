"""What a worker records while it holds a target: each call one transaction under the fence.

A promotion that somebody else moved meanwhile is left alone; a lost lease ends the work.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction

from approvals import resealing
from approvals.execution import leases, recording
from approvals.execution.batches import (
    Batch,
    Commit,
    DigestMovedError,
    HistoryRewrittenError,
    SubjectChangedError,
)
from approvals.execution.leases import Grant
from approvals.execution.recording import ApprovalLapsedError, State
from approvals.lifecycle import TransitionRefusedError
from approvals.models import Execution, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.planning import ApplicationChangedError, ImageNotUsableError, NothingToWriteError
from updater import clock
from updater.audit import Actor, AuditKind
from updater.connections import Connections
from updater.errors import UpdaterError

logger = logging.getLogger(__name__)

# What was approved is not what would be written: the people decide again.
_CHANGED = (SubjectChangedError, DigestMovedError, HistoryRewrittenError)
# Errors after which the promotion is pointless, not the machinery broken.
_POINTLESS = (ApplicationChangedError, ImageNotUsableError, NothingToWriteError)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The recording side of one hold on a target."""

    grant: Grant
    by: Actor

    def settle(self, batch: Batch) -> list[Promotion]:
        """Record what was set aside, and what was found done; return the latter."""
        for promotion, error in batch.set_aside:
            self.set_aside(promotion, error)
        return [
            row
            for commit in batch.found
            for row in commit.promotions
            if self._record(row, partial(self._found, commit=commit))
        ]

    def claim(self, batch: Batch) -> list[Promotion]:
        """Claim every promotion of the batch with its intended commit; return those that could be."""
        return [
            row
            for commit in batch.commits
            for row in commit.promotions
            if self._record(row, partial(self._claim, commit=commit))
        ]

    def committed(self, commits: Iterable[Commit]) -> list[Promotion]:
        """Record that these commits stand on the branch; return their promotions."""
        return [
            row
            for commit in commits
            for row in commit.promotions
            if self._record(row, partial(self._committed, commit=commit))
        ]

    def errored(self, promotions: Iterable[Promotion], error: UpdaterError) -> None:
        """Stop these attempts."""
        for row in promotions:
            self._record(row, partial(self._errored, error=error))

    def lost_sight(self, promotions: Iterable[Promotion], error: UpdaterError) -> None:
        """Say that nobody knows whether these were written."""
        for row in promotions:
            self._record(row, partial(self._lost_sight, error=error))

    def not_ready(self, promotions: Sequence[Promotion], error: UpdaterError) -> None:
        """Leave them for later: the outside could not be looked at, and nothing was written."""
        for row in promotions:
            self._record(row, partial(self._delay_or_stop, error=error))

    def written(self, promotion: Promotion, kind: AuditKind, step: str, probed: str) -> None:
        """Record the last write of an attempt; its outcome is observed from here on."""

        def write(row: Promotion, at: datetime) -> None:
            execution = self._execution(row)
            recording.step(execution, step, intended=step, probed=probed, state=State.DONE, at=at)
            recording.written(row, execution, kind=kind, by=self.by, at=at)

        self._record(promotion, write)

    def claim_patch(self, promotion: Promotion, *, intended: str) -> bool:
        """Claim a promotion that is written by a patch of its Application."""

        def write(row: Promotion, at: datetime) -> None:
            execution = recording.claim(self.grant, row, base="", commit="", by=self.by, at=at)
            revalidated = {"intended": "All as sealed", "probed": f"Seal {row.short_seal} stands"}
            recording.step(execution, "Revalidate", **revalidated, state=State.DONE, at=at)
            recording.step(
                execution, PATCH, intended=intended, probed="", state=State.INTENDED, at=at
            )

        return self._record(promotion, write)

    def set_aside(self, promotion: Promotion, error: UpdaterError) -> None:
        """Record why this promotion cannot go on as approved."""
        self._record(promotion, partial(self._set_aside, error=error))

    def _record(self, promotion: Promotion, write: Callable[[Promotion, datetime], None]) -> bool:
        """Run one write under the fence on the locked row; False if somebody moved the row meanwhile."""
        rows = Promotion.objects.select_for_update(of=("self",)).with_target()
        try:
            with transaction.atomic():
                leases.require_current(self.grant)
                write(rows.get(pk=promotion.pk), clock.now())
        except ApprovalLapsedError as error:
            self._record(promotion, partial(self._lapse, error=error))
            return False
        except TransitionRefusedError as error:
            logger.warning(
                "promotion moved meanwhile",
                extra={"promotion": str(promotion.pk), "reason": str(error)},
            )
            return False
        return True

    def _lapse(self, row: Promotion, at: datetime, *, error: UpdaterError) -> None:
        recording.lapse(row, error, by=self.by, at=at)

    def _errored(self, row: Promotion, at: datetime, *, error: UpdaterError) -> None:
        recording.errored(row, error, by=self.by, at=at)

    def _lost_sight(self, row: Promotion, at: datetime, *, error: UpdaterError) -> None:
        recording.lost_sight(row, error, by=self.by, at=at)

    def _claim(self, row: Promotion, at: datetime, *, commit: Commit) -> None:
        _require_due(row, at)
        execution = recording.claim(
            self.grant, row, base=commit.base, commit=commit.sha, by=self.by, at=at
        )
        branch = row.plan["branch"]
        for name, intended, probed, state in (
            (
                "Revalidate",
                "Digest, files, policy, approvers as sealed",
                f"Seal {row.short_seal} stands",
                State.DONE,
            ),
            ("Build commit", f"On {commit.base[:10]}", f"Commit {commit.sha[:10]}", State.DONE),
            (PUSH, f"{branch}: {commit.base[:10]} → {commit.sha[:10]}", "", State.INTENDED),
        ):
            recording.step(execution, name, intended=intended, probed=probed, state=state, at=at)

    def _committed(self, row: Promotion, at: datetime, *, commit: Commit) -> None:
        execution = self._execution(row)
        branch = row.plan["branch"]
        probed = f"{commit.sha[:10]} stands on {branch}"
        intended = f"{branch}: {commit.base[:10]} → {commit.sha[:10]}"
        recording.step(execution, PUSH, intended=intended, probed=probed, state=State.DONE, at=at)
        recording.committed(row, commit=commit.sha, by=self.by, at=at)

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
        if row.status in (Status.ERRORED, Status.UNKNOWN):
            recording.claim(self.grant, row, base="", commit="", by=self.by, at=at)
        recording.end_attempt(row, str(error), at=at)
        if isinstance(error, _POINTLESS):
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


PUSH = "Push"
PATCH = "Patch Application"
REFRESH = "Refresh Application"


def refresh(promotion: Promotion, *, ledger: Ledger, world: Connections) -> None:
    """Ask Argo CD to look at the new commit now; without an answer the attempt stops and is tried again."""
    application = promotion.application
    try:
        world.cluster.refresh(application.namespace, application.name, stamp=str(promotion.pk))
    except UpdaterError as error:
        ledger.errored([promotion], error)
        return
    ledger.written(
        promotion, AuditKind.APPLICATION_REFRESHED, REFRESH, "Argo CD was asked to compare"
    )


def _require_due(row: Promotion, at: datetime) -> None:
    if row.status == Status.APPROVED and at >= row.expires_at:
        raise TransitionRefusedError("The approval expired before it could start.")
