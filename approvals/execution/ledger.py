"""What a worker records while it holds a target, verb by verb: each write of one promotion runs under the fence."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from approvals.execution import endings, gates, orphans, recording, setting_aside, start_checks
from approvals.execution.batches import Batch, Commit
from approvals.execution.endings import UnforeseenError
from approvals.execution.fenced_writes import FencedWrites
from approvals.execution.recording import State
from approvals.models import Execution, Promotion
from approvals.models.promotion import PromotionQuerySet
from updater import clock
from updater.audit import AuditKind
from updater.crashpoints import crashpoint
from updater.errors import UpdaterError

PUSH = "Push"
PATCH = "Patch Application"
REFRESH = "Refresh Application"

# What a write needs of the locked row: who decided, where it starts; afterwards only what the trail names.
_DECIDED = Promotion.objects.with_target().prefetch_related("decisions__by__groups")
_NAMED = Promotion.objects.with_names()


@dataclass(frozen=True, slots=True)
class Ledger(FencedWrites):
    """The recording side of one hold on a target."""

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
                self.apply(row, partial(endings.stopped, by=self.by))
        return [row for row in promotions if row.pk not in asked]

    def committed(self, batch: Batch) -> list[Promotion]:
        """Record that the commits of the batch stand on the branch; return their promotions."""
        written = self._apply_to(batch.commits, self._committed, rows=_NAMED)
        orphans.skip(self.grant, since=batch.base, tip=batch.tip)
        return written

    def errored(self, promotions: Iterable[Promotion], error: UpdaterError) -> None:
        """Stop these attempts."""
        for row in promotions:
            self.apply(row, partial(endings.errored, error=error, by=self.by))

    def lost_sight(self, promotions: Iterable[Promotion], error: UpdaterError) -> None:
        """Say that nobody knows whether these were written."""
        for row in promotions:
            self.apply(row, partial(endings.lost_sight, error=error, by=self.by))

    def not_ready(self, promotions: Sequence[Promotion], error: UpdaterError) -> None:
        """Leave them for later: the outside could not be looked at, and nothing was written."""
        for row in promotions:
            self.apply(row, partial(setting_aside.delay_or_stop, error=error, by=self.by))

    def written(self, promotion: Promotion, kind: AuditKind, step: str, probed: str) -> None:
        """Record the last write of an attempt; its outcome is observed from here on."""
        self.apply(promotion, partial(self._written, kind=kind, step=step, probed=probed))

    def crashed(self, promotion: Promotion, error: Exception) -> None:
        """Record that our own program failed on this promotion."""
        words = (
            f"Something unforeseen went wrong ({type(error).__name__}); the worker's log says more."
        )
        write = partial(endings.crashed, self.grant, error=UnforeseenError(words), by=self.by)
        self.apply(promotion, write)

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
        write = partial(setting_aside.set_aside, self.grant, error=error, by=self.by)
        self.apply(promotion, write)

    def _apply_to(
        self, commits: Iterable[Commit], write: Callable[..., None], *, rows: PromotionQuerySet
    ) -> list[Promotion]:
        writes = [
            (row, partial(write, commit=commit)) for commit in commits for row in commit.promotions
        ]
        return self.apply_all(writes, rows=rows)

    def _written(
        self, row: Promotion, at: datetime, *, kind: AuditKind, step: str, probed: str
    ) -> None:
        execution = self._execution(row)
        recording.step(execution, step, intended=step, probed=probed, state=State.DONE, at=at)
        recording.written(row, execution, kind=kind, by=self.by, at=at)
        crashpoint("finish.in_transaction")

    def _claim(self, row: Promotion, at: datetime, *, commit: Commit) -> None:
        start_checks.require_due(row, at)
        start_checks.require_as_built(row, commit)
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

    def _execution(self, row: Promotion) -> Execution:
        return row.executions.get(ended_at=None)
