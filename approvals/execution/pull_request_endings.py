"""What a worker records when a pull request comes to nothing: closed by others or by us, or stopped by an error."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from approvals import lifecycle
from approvals.execution import endings, pull_request_facts, recording
from approvals.execution.ledger import Ledger
from approvals.execution.proposals import Record, Standing
from approvals.execution.pull_request_facts import each, keep, tell
from approvals.execution.pull_request_reasons import WAITING, Reason
from approvals.lifecycle import Move
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater.audit import AuditKind
from updater.errors import TransientError, UpdaterError
from updater.models import Refusal

US = "Countersign"


class ReopenedError(TransientError):
    """The pull request held something that is not wanted any more; what is left is proposed anew."""

    code = "pull_request_reopened"


@dataclass(frozen=True, slots=True)
class Endings:
    """The recording side for promotions whose pull request does not go on."""

    ledger: Ledger

    def closed(self, promotions: Iterable[Promotion], record: Record, *, who: str) -> None:
        """Record that somebody said no on the host: aborted, and the digest is not offered again."""
        each(self.ledger, promotions, partial(self._closed, record=record, who=who))

    def called_off(
        self, promotions: Iterable[Promotion], record: Record, reasons: Mapping[UUID, Reason]
    ) -> None:
        """Record that we closed it; who was wanted still is proposed anew without the others."""
        each(self.ledger, promotions, partial(self._called_off, record=record, reasons=reasons))

    def never_opened(
        self, promotions: Iterable[Promotion], record: Record, reasons: Mapping[UUID, Reason]
    ) -> None:
        """Record the end of promotions that are not wanted any more and have nothing on the host."""
        given_up = [row for row in promotions if row.pk in reasons]
        each(self.ledger, given_up, partial(self._never_opened, record=record, reasons=reasons))

    def stopped(
        self, promotions: Iterable[Promotion], record: Record | None, error: UpdaterError
    ) -> None:
        """Stop these attempts; `record` when more is known of the pull request than before."""
        each(self.ledger, promotions, partial(self._stopped, record=record, error=error))

    def _closed(self, row: Promotion, at: datetime, *, record: Record, who: str) -> None:
        keep(row, replace(record, state=Standing.CLOSED))
        closer = who or "somebody on the Git host"
        reason = f"{record.name} was closed by {closer} and not merged; this digest is not offered again."
        tell(self.ledger, row, AuditKind.PULL_REQUEST_CLOSED, record, who=closer)
        _refuse_digest(row, reason, by=closer, at=at)
        self._abort(row, record, Reason(reason), at=at)

    def _never_opened(
        self, row: Promotion, at: datetime, *, record: Record, reasons: Mapping[UUID, Reason]
    ) -> None:
        keep(row, replace(record, state=Standing.CLOSED))
        if row.status in WAITING:
            self._abort(row, record, reasons[row.pk], at=at)

    def _called_off(
        self, row: Promotion, at: datetime, *, record: Record, reasons: Mapping[UUID, Reason]
    ) -> None:
        reason = reasons.get(row.pk)
        why = reason.text if reason else "It held another change that is not wanted any more."
        tell(self.ledger, row, AuditKind.PULL_REQUEST_CLOSED, record, who=US, reason=why)
        if reason is None:
            Promotion.objects.filter(pk=row.pk).update(pull_request={})
            self._again(row, record, at=at)
            return
        keep(row, replace(record, state=Standing.CLOSED))
        if row.status in WAITING:
            closed = Reason(f"{reason.text} {record.called} was closed.", reason.superseded_by)
            self._abort(row, record, closed, at=at)

    def _again(self, row: Promotion, record: Record, *, at: datetime) -> None:
        if row.status != Status.EXECUTING:
            return  # errored: a person's retry finds nothing open, and proposes anew
        message = (
            f"{record.called} also held what is not wanted any more; proposing anew without it."
        )
        endings.errored(row, ReopenedError(message), by=self.ledger.by, at=at)
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
            keep(row, record)
        if record is not None and record.state is Standing.CLOSED:
            tell(self.ledger, row, AuditKind.PULL_REQUEST_CLOSED, record, who=US, reason=str(error))
        if row.status not in WAITING:
            pull_request_facts.postpone(self.ledger, row, error, at=at)
            return
        if row.status == Status.ERRORED:
            by = self.ledger.by
            recording.claim(self.ledger.grant, row, base="", commit="", by=by, at=at)
        endings.errored(row, error, by=self.ledger.by, at=at)


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
