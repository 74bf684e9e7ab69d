"""The allowed moves of a promotion, and the only writer of its status.

PENDING   → APPROVED | REJECTED | EXPIRED | SUPERSEDED | WITHDRAWN
APPROVED  → EXECUTING | PENDING (re-sealed) | REJECTED | EXPIRED | SUPERSEDED | WITHDRAWN
EXECUTING → VERIFYING | ERRORED | UNKNOWN | ABORTED | PENDING (difference found before any write)
            | APPROVED (put back before any write: the outside was not ready)
VERIFYING → SUCCEEDED | FAILED | UNKNOWN
UNKNOWN   → EXECUTING | VERIFYING | ERRORED
ERRORED   → EXECUTING (retry) | WITHDRAWN | SUPERSEDED
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from approvals.models import Promotion
from approvals.models.promotion import ONE_PENDING
from approvals.models.promotion import PromotionStatus as Status
from updater import audit
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError

MOVES: Mapping[Status, frozenset[Status]] = {
    Status.PENDING: frozenset(
        {Status.APPROVED, Status.REJECTED, Status.EXPIRED, Status.SUPERSEDED, Status.WITHDRAWN}
    ),
    Status.APPROVED: frozenset(
        {
            Status.EXECUTING,
            Status.PENDING,
            Status.REJECTED,
            Status.EXPIRED,
            Status.SUPERSEDED,
            Status.WITHDRAWN,
        }
    ),
    Status.EXECUTING: frozenset(
        {
            Status.VERIFYING,
            Status.ERRORED,
            Status.UNKNOWN,
            Status.ABORTED,
            Status.PENDING,
        }
    ),
    Status.VERIFYING: frozenset({Status.SUCCEEDED, Status.FAILED, Status.UNKNOWN}),
    Status.UNKNOWN: frozenset({Status.EXECUTING, Status.VERIFYING, Status.ERRORED}),
    Status.ERRORED: frozenset({Status.EXECUTING, Status.WITHDRAWN, Status.SUPERSEDED}),
}


_FIELDS = Promotion._meta.concrete_fields  # noqa: SLF001  Django's documented way to a model's fields
_OWN_COLUMNS = [field.name for field in _FIELDS if not field.is_relation]
_RELATIONS = {field.name for field in _FIELDS if field.is_relation}


class TransitionRefusedError(PermanentError):
    """The promotion is not (or no longer) where this move starts; somebody else was first."""

    code = "transition_refused"


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a promotion's life, with the audit kind that tells it and the sentence for people."""

    expected: Status
    to: Status
    kind: AuditKind
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def advance(
    promotion: Promotion,
    move: Move,
    *,
    by: Actor,
    at: datetime,
    **changes: Any,  # noqa: ANN401  columns that change with the status
) -> None:
    """Make the move and record it, both in the caller's transaction.

    Raises:
        TransitionRefusedError: the move is not in the table, or the row is not in `expected` any more.
    """
    if move.to not in MOVES.get(move.expected, frozenset()):
        raise TransitionRefusedError(f"A promotion cannot go from {move.expected} to {move.to}.")
    values = {"status": move.to, "status_at": at, "status_reason": move.reason, **changes}
    if move.to not in Status.alive():
        values |= {"ended_at": at, "ended_by": by.name if by.kind == "person" else ""}
    moved = Promotion.objects.filter(pk=promotion.pk, status=move.expected).update(**values)
    # Not the related rows: what the caller read with this one stays, and is not read anew for the trail.
    promotion.refresh_from_db(fields=[*_OWN_COLUMNS, *(values.keys() & _RELATIONS)])
    if moved != 1:
        raise TransitionRefusedError(
            f"This promotion is {promotion.get_status_display()}, no longer {move.expected.label}: "
            f"{promotion.status_reason or 'somebody was faster'}."
        )
    audit.record(
        kind=move.kind, by=by, subject=subject_of(promotion), details=_facts(promotion, move)
    )


def is_second_pending(error: IntegrityError) -> bool:
    """Whether the database refused a second pending promotion of one image: somebody else's came first."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) == ONE_PENDING


def _facts(promotion: Promotion, move: Move) -> dict[str, Any]:
    return {
        "from": move.expected,
        "to": move.to,
        "reason": move.reason,
        "seal": promotion.seal,
        "revision": promotion.revision,
        "tag": promotion.to_tag,
        "digest": promotion.to_digest,
        **move.details,
    }


def subject_of(promotion: Promotion) -> audit.Subject:
    """Return what an event about this promotion is about."""
    return audit.about(
        promotion.application,
        image=promotion.tracked_image.alias,
        promotion=str(promotion.pk),
    )
