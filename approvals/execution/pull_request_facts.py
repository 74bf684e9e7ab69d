"""What a worker records about pull requests: each call one transaction a promotion, under the fence."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from approvals import lifecycle
from approvals.execution import proposals, recording, settling
from approvals.execution.batches import Commit
from approvals.execution.proposals import Record, Standing
from approvals.execution.pull_request_reasons import WAITING, Reason
from approvals.execution.recording import State
from approvals.execution.settling import Ledger
from approvals.lifecycle import Move
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import audit
from updater.audit import AuditKind
from updater.errors import TransientError, UpdaterError
from updater.models import Refusal

PUSH, OPEN, WAIT = "Push branch", "Open pull request", "Wait for merge"
US = "Countersign"
LEFT_OPEN_SECONDS = 300  # between attempts to close one that nobody waits for


class ReopenedError(TransientError):
    """The pull request held something that is not wanted any more; what is left is proposed anew."""

    code = "pull_request_reopened"


@dataclass(frozen=True, slots=True)
class Facts:
    """The recording side for the promotions of one pull request."""

    ledger: Ledger

    def claim(self, commit: Commit, record: Record) -> list[Promotion]:
        """Claim every promotion of the commit, the intent first; return those that could be."""
        return self._each(commit.promotions, partial(self._claim, commit=commit, record=record))

    def resume(self, promotions: Iterable[Promotion], record: Record) -> None:
        """Start an attempt for those whose last one ended, to go on with what stands on the host."""
        ended = [row for row in promotions if row.status != Status.EXECUTING]
        self._each(ended, partial(self._resume, record=record))

    def pushed(self, commit: Commit, record: Record, *, is_found: bool) -> None:
        """Record that the branch stands at our commit."""
        self._each(commit.promotions, partial(self._pushed, record=record, is_found=is_found))

    def opened(
        self, promotions: Iterable[Promotion], record: Record, *, is_found: bool, note: str = ""
    ) -> None:
        """Record the pull request, and wait for its merge from here on."""
        write = partial(self._opened, record=record, is_found=is_found, note=note)
        self._each(promotions, write)

    def waits(self, promotions: Iterable[Promotion], record: Record, why: str) -> None:
        """Say what it waits for, and when the next look is due."""
        self._each(promotions, partial(self._waits, record=record, why=why))

    def merged(
        self, promotions: Iterable[Promotion], record: Record, *, commit: str, who: str
    ) -> list[Promotion]:
        """Record that the base branch holds the sealed change; return those that it was recorded for."""
        return self._each(promotions, partial(self._merged, record=record, commit=commit, who=who))

    def closed(self, promotions: Iterable[Promotion], record: Record, *, who: str) -> None:
        """Record that somebody said no on the host: aborted, and the digest is not offered again."""
        self._each(promotions, partial(self._closed, record=record, who=who))

    def called_off(
        self, promotions: Iterable[Promotion], record: Record, reasons: Mapping[UUID, Reason]
    ) -> None:
        """Record that we closed it; who was wanted still is proposed anew without the others."""
        self._each(promotions, partial(self._called_off, record=record, reasons=reasons))

    def stopped(
        self, promotions: Iterable[Promotion], record: Record | None, error: UpdaterError
    ) -> None:
        """Stop these attempts; `record` when more is known of the pull request than before."""
        self._each(promotions, partial(self._stopped, record=record, error=error))

    def postponed(self, promotions: Iterable[Promotion], error: UpdaterError) -> None:
        """Look again later: the host could not be asked."""
        self._each(promotions, partial(self._postponed, error=error))

    def merged_anyway(self, promotions: Iterable[Promotion], record: Record, *, who: str) -> None:
        """Record, for promotions that are over, that their change was merged nevertheless."""
        merged = replace(record, state=Standing.MERGED)
        news = [row for row in promotions if row.pull_request != merged.as_json()]
        self._each(news, partial(self._merged_anyway, record=merged, who=who))

    def never_opened(
        self, promotions: Iterable[Promotion], record: Record, reasons: Mapping[UUID, Reason]
    ) -> None:
        """Record the end of promotions that are not wanted any more and have nothing on the host."""
        given_up = [row for row in promotions if row.pk in reasons]
        self._each(given_up, partial(self._never_opened, record=record, reasons=reasons))

    def _each(
        self, promotions: Iterable[Promotion], write: Callable[[Promotion, datetime], None]
    ) -> list[Promotion]:
        return [row for row in promotions if self.ledger.apply(row, write)]

    def _claim(self, row: Promotion, at: datetime, *, commit: Commit, record: Record) -> None:
        settling.require_due(row, at)
        by = self.ledger.by
        execution = recording.claim(
            self.ledger.grant, row, base=commit.base, commit=record.head_sha, by=by, at=at
        )
        _keep(row, record)
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
        _keep(row, record)
        probed = " ".join(filter(None, (f"{record.name}:", record.url, note)))
        step = partial(recording.step, execution, at=at)
        state = State.FOUND_DONE if is_found else State.DONE
        step(OPEN, intended=_open_in_words(record), probed=probed, state=state)
        step(WAIT, intended=_merge_in_words(record), probed="", state=State.INTENDED)
        self._tell(row, AuditKind.PULL_REQUEST_OPENED, record)
        self._rest(row, record, "", at=at)

    def _waits(self, row: Promotion, at: datetime, *, record: Record, why: str) -> None:
        _keep(row, record)
        self._rest(row, record, why, at=at)

    def _rest(self, row: Promotion, record: Record, why: str, *, at: datetime) -> None:
        waits = f"{record.name} waits to be merged" + (f": {why}." if why else ".")
        Promotion.objects.filter(pk=row.pk).update(
            status_reason=" ".join(filter(None, (waits, record.url))),
            error_code="",
            next_attempt_at=at + proposals.wait(record, at=at),
        )

    def _merged(
        self, row: Promotion, at: datetime, *, record: Record, commit: str, who: str
    ) -> None:
        execution = row.executions.get(ended_at=None)
        _keep(row, replace(record, state=Standing.MERGED))
        by_whom = f" by {who}" if who else ""
        recording.step(
            execution,
            WAIT,
            intended=_merge_in_words(record),
            probed=f"{record.name} was merged{by_whom}; {commit[:10]} on {record.base} holds the change",
            state=State.DONE,
            at=at,
        )
        self._tell(row, AuditKind.PULL_REQUEST_MERGED, record, who=who)
        recording.committed(row, commit=commit, by=self.ledger.by, at=at)

    def _closed(self, row: Promotion, at: datetime, *, record: Record, who: str) -> None:
        _keep(row, replace(record, state=Standing.CLOSED))
        closer = who or "somebody on the Git host"
        reason = f"{record.name} was closed by {closer} and not merged; this digest is not offered again."
        self._tell(row, AuditKind.PULL_REQUEST_CLOSED, record, who=closer)
        _refuse_digest(row, reason, by=closer, at=at)
        self._abort(row, record, Reason(reason), at=at)

    def _merged_anyway(self, row: Promotion, at: datetime, *, record: Record, who: str) -> None:  # noqa: ARG002  as `apply` calls it
        _keep(row, record)
        self._tell(row, AuditKind.PULL_REQUEST_MERGED, record, who=who)

    def _never_opened(
        self, row: Promotion, at: datetime, *, record: Record, reasons: Mapping[UUID, Reason]
    ) -> None:
        _keep(row, replace(record, state=Standing.CLOSED))
        if row.status in WAITING:
            self._abort(row, record, reasons[row.pk], at=at)

    def _called_off(
        self, row: Promotion, at: datetime, *, record: Record, reasons: Mapping[UUID, Reason]
    ) -> None:
        reason = reasons.get(row.pk)
        why = reason.text if reason else "It held another change that is not wanted any more."
        self._tell(row, AuditKind.PULL_REQUEST_CLOSED, record, who=US, reason=why)
        if reason is None:
            Promotion.objects.filter(pk=row.pk).update(pull_request={})
            self._again(row, record, at=at)
            return
        _keep(row, replace(record, state=Standing.CLOSED))
        if row.status in WAITING:
            closed = Reason(f"{reason.text} {record.called} was closed.", reason.superseded_by)
            self._abort(row, record, closed, at=at)

    def _again(self, row: Promotion, record: Record, *, at: datetime) -> None:
        if row.status != Status.EXECUTING:
            return  # errored: a person's retry finds nothing open, and proposes anew
        message = (
            f"{record.called} also held what is not wanted any more; proposing anew without it."
        )
        recording.errored(row, ReopenedError(message), by=self.ledger.by, at=at)
        Promotion.objects.filter(pk=row.pk).update(next_attempt_at=at)

    def _abort(self, row: Promotion, record: Record, reason: Reason, *, at: datetime) -> None:
        details = {"pull_request": record.called}
        status, by = Status(row.status), self.ledger.by
        to, kind = Status.ABORTED, AuditKind.PROMOTION_ABORTED
        if status == Status.ERRORED and reason.superseded_by is not None:
            to, kind = Status.SUPERSEDED, AuditKind.PROMOTION_SUPERSEDED
        elif status == Status.ERRORED:
            to, kind = Status.WITHDRAWN, AuditKind.PROMOTION_WITHDRAWN
        recording.end_attempt(row, reason.text, at=at)
        lifecycle.advance(
            row,
            Move(status, to, kind, reason.text, details),
            by=by,
            at=at,
            next_attempt_at=None,
            superseded_by=reason.superseded_by,
        )

    def _stopped(
        self, row: Promotion, at: datetime, *, record: Record | None, error: UpdaterError
    ) -> None:
        if record is not None:
            _keep(row, record)
        if record is not None and record.state is Standing.CLOSED:
            self._tell(row, AuditKind.PULL_REQUEST_CLOSED, record, who=US, reason=str(error))
        if row.status not in WAITING:
            self._postponed(row, at, error=error)
            return
        if row.status == Status.ERRORED:
            by = self.ledger.by
            recording.claim(self.ledger.grant, row, base="", commit="", by=by, at=at)
        recording.errored(row, error, by=self.ledger.by, at=at)

    def _postponed(self, row: Promotion, at: datetime, *, error: UpdaterError) -> None:
        if row.status in WAITING:
            recording.delay(row, error, by=self.ledger.by, at=at)
        else:
            later = at + timedelta(seconds=LEFT_OPEN_SECONDS)
            Promotion.objects.filter(pk=row.pk).update(next_attempt_at=later)

    def _tell(self, row: Promotion, kind: AuditKind, record: Record, **details: str) -> None:
        facts = {
            "pull_request": record.called,
            "url": record.url,
            "head": record.head,
            "base": record.base,
            "commit": record.head_sha,
            "seal": row.seal,
        }
        told = {**facts, **{key: value for key, value in details.items() if value}}
        audit.record(kind=kind, by=self.ledger.by, subject=lifecycle.subject_of(row), details=told)


def _keep(row: Promotion, record: Record) -> None:
    Promotion.objects.filter(pk=row.pk).update(pull_request=record.as_json())
    row.pull_request = record.as_json()


def _refuse_digest(row: Promotion, reason: str, *, by: str, at: datetime) -> None:
    Refusal.objects.get_or_create(
        tracked_image=row.tracked_image,
        digest=row.to_digest,
        lifted_at=None,
        defaults={
            "tag": row.to_tag,
            "scope": Refusal.Scope.DIGEST,
            "reason": reason,
            "by": by,
            "at": at,
        },
    )


def _push_in_words(record: Record) -> str:
    return f"{record.head} at {record.head_sha[:10]}"


def _open_in_words(record: Record) -> str:
    return f"From {record.head} to {record.base}"


def _merge_in_words(record: Record) -> str:
    return f"{record.called} into {record.base}"
