"""What a worker records of a pull request on its way: each call one transaction a promotion, under the fence."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from approvals import lifecycle
from approvals.execution import proposals, recording, retrying, start_checks
from approvals.execution.batches import Commit
from approvals.execution.fenced_writes import Write
from approvals.execution.ledger import Ledger
from approvals.execution.proposals import Record, Standing
from approvals.execution.pull_request_reasons import WAITING
from approvals.execution.recording import State
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import audit
from updater.audit import AuditKind
from updater.errors import UpdaterError

PUSH, OPEN, WAIT = "Push branch", "Open pull request", "Wait for merge"
LEFT_OPEN_SECONDS = 300  # between attempts to close one that nobody waits for


@dataclass(frozen=True, slots=True)
class Facts:
    """The recording side for the promotions of one pull request."""

    ledger: Ledger

    def claim(self, commit: Commit, record: Record) -> list[Promotion]:
        """Claim every promotion of the commit, the intent first; return those that could be."""
        return each(
            self.ledger, commit.promotions, partial(self._claim, commit=commit, record=record)
        )

    def resume(self, promotions: Iterable[Promotion], record: Record) -> None:
        """Start an attempt for those whose last one ended, to go on with what stands on the host."""
        ended = [row for row in promotions if row.status != Status.EXECUTING]
        each(self.ledger, ended, partial(self._resume, record=record))

    def pushed(self, commit: Commit, record: Record, *, is_found: bool) -> None:
        """Record that the branch stands at our commit."""
        each(
            self.ledger, commit.promotions, partial(self._pushed, record=record, is_found=is_found)
        )

    def opened(
        self, promotions: Iterable[Promotion], record: Record, *, is_found: bool, note: str = ""
    ) -> None:
        """Record the pull request, and wait for its merge from here on."""
        write = partial(self._opened, record=record, is_found=is_found, note=note)
        each(self.ledger, promotions, write)

    def waits(self, promotions: Iterable[Promotion], record: Record, why: str) -> None:
        """Say what it waits for, and when the next look is due."""
        each(self.ledger, promotions, partial(self._waits, record=record, why=why))

    def merged(
        self, promotions: Iterable[Promotion], record: Record, *, commit: str, who: str
    ) -> list[Promotion]:
        """Record that the base branch holds the sealed change; return those that it was recorded for."""
        return each(
            self.ledger, promotions, partial(self._merged, record=record, commit=commit, who=who)
        )

    def postponed(self, promotions: Iterable[Promotion], error: UpdaterError) -> None:
        """Look again later: the host could not be asked."""
        each(self.ledger, promotions, partial(self._postponed, error=error))

    def merged_anyway(self, promotions: Iterable[Promotion], record: Record, *, who: str) -> None:
        """Record, for promotions that are over, that their change was merged nevertheless."""
        merged = replace(record, state=Standing.MERGED)
        news = [row for row in promotions if row.pull_request != merged.as_json()]
        each(self.ledger, news, partial(self._merged_anyway, record=merged, who=who))

    def _claim(self, row: Promotion, at: datetime, *, commit: Commit, record: Record) -> None:
        start_checks.require_due(row, at)
        start_checks.require_as_built(row, commit)
        by = self.ledger.by
        execution = recording.claim(
            self.ledger.grant, row, base=commit.base, commit=record.head_sha, by=by, at=at
        )
        keep(row, record)
        step = partial(recording.step, execution, at=at)
        stands = f"Seal {row.short_seal} stands"
        step(
            "Revalidate",
            intended="Digest, files, policy, approvers as sealed",
            probed=stands,
            state=State.DONE,
        )
        built = f"Commit {record.head_sha[:10]}"
        step("Build commit", intended=f"On {commit.base[:10]}", probed=built, state=State.DONE)
        step(PUSH, intended=_push_in_words(record), probed="", state=State.INTENDED)

    def _resume(self, row: Promotion, at: datetime, *, record: Record) -> None:
        by = self.ledger.by
        execution = recording.claim(
            self.ledger.grant, row, base="", commit=record.head_sha, by=by, at=at
        )
        recording.step(
            execution,
            WAIT,
            intended=_merge_in_words(record),
            probed="",
            state=State.INTENDED,
            at=at,
        )

    def _pushed(self, row: Promotion, at: datetime, *, record: Record, is_found: bool) -> None:
        execution = row.executions.get(ended_at=None)
        probed = f"{record.head_sha[:10]} stands on {record.head}"
        if is_found:
            probed += ", pushed by an earlier attempt"
        step = partial(recording.step, execution, at=at)
        state = State.FOUND_DONE if is_found else State.DONE
        step(PUSH, intended=_push_in_words(record), probed=probed, state=state)
        step(OPEN, intended=_open_in_words(record), probed="", state=State.INTENDED)

    def _opened(
        self, row: Promotion, at: datetime, *, record: Record, is_found: bool, note: str
    ) -> None:
        execution = row.executions.get(ended_at=None)
        keep(row, record)
        probed = " ".join(filter(None, (f"{record.name}:", record.url, note)))
        step = partial(recording.step, execution, at=at)
        state = State.FOUND_DONE if is_found else State.DONE
        step(OPEN, intended=_open_in_words(record), probed=probed, state=state)
        step(WAIT, intended=_merge_in_words(record), probed="", state=State.INTENDED)
        tell(self.ledger, row, AuditKind.PULL_REQUEST_OPENED, record)
        self._rest(row, record, "", at=at)

    def _waits(self, row: Promotion, at: datetime, *, record: Record, why: str) -> None:
        keep(row, record)
        self._rest(row, record, why, at=at)

    def _rest(self, row: Promotion, record: Record, why: str, *, at: datetime) -> None:
        waits = f"{record.name} waits to be merged" + (f": {why}." if why else ".")
        # Somebody may have asked to stop it while we looked.
        rest = timedelta() if row.is_stopping else proposals.wait(record, at=at)
        Promotion.objects.filter(pk=row.pk).update(
            status_reason=" ".join(filter(None, (waits, record.url))),
            error_code="",
            next_attempt_at=at + rest,
        )

    def _merged(
        self, row: Promotion, at: datetime, *, record: Record, commit: str, who: str
    ) -> None:
        execution = row.executions.get(ended_at=None)
        keep(row, replace(record, state=Standing.MERGED))
        by_whom = f" by {who}" if who else ""
        recording.step(
            execution,
            WAIT,
            intended=_merge_in_words(record),
            probed=f"{record.name} was merged{by_whom}; {commit[:10]} on {record.base} holds the change",
            state=State.DONE,
            at=at,
        )
        tell(self.ledger, row, AuditKind.PULL_REQUEST_MERGED, record, who=who)
        recording.committed(row, commit=commit, by=self.ledger.by, at=at)

    def _merged_anyway(self, row: Promotion, at: datetime, *, record: Record, who: str) -> None:  # noqa: ARG002  as `apply` calls it
        keep(row, record)
        tell(self.ledger, row, AuditKind.PULL_REQUEST_MERGED, record, who=who)

    def _postponed(self, row: Promotion, at: datetime, *, error: UpdaterError) -> None:
        postpone(self.ledger, row, error, at=at)


def postpone(ledger: Ledger, row: Promotion, error: UpdaterError, *, at: datetime) -> None:
    """Look again later; one that is over has no reason to be told any more."""
    if row.status in WAITING:
        retrying.delay(row, error, by=ledger.by, at=at)
        return
    later = at + timedelta(seconds=LEFT_OPEN_SECONDS)
    Promotion.objects.filter(pk=row.pk).update(next_attempt_at=later)


def each(ledger: Ledger, promotions: Iterable[Promotion], write: Write) -> list[Promotion]:
    """Run one write for each promotion; return those that nobody moved meanwhile."""
    return [row for row in promotions if ledger.apply(row, write)]


def tell(ledger: Ledger, row: Promotion, kind: AuditKind, record: Record, **details: str) -> None:
    """Record an event about a pull request; a detail that is empty is left out."""
    facts = {
        "pull_request": record.called,
        "url": record.url,
        "head": record.head,
        "base": record.base,
        "commit": record.head_sha,
        "seal": row.seal,
    }
    told = {**facts, **{key: value for key, value in details.items() if value}}
    audit.record(kind=kind, by=ledger.by, subject=lifecycle.subject_of(row), details=told)


def keep(row: Promotion, record: Record) -> None:
    """Write what the promotion remembers of its pull request."""
    Promotion.objects.filter(pk=row.pk).update(pull_request=record.as_json())
    row.pull_request = record.as_json()


def _push_in_words(record: Record) -> str:
    return f"{record.head} at {record.head_sha[:10]}"


def _open_in_words(record: Record) -> str:
    return f"From {record.head} to {record.base}"


def _merge_in_words(record: Record) -> str:
    return f"{record.called} into {record.base}"
