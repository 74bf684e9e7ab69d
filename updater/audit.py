"""The audit trail's only door: one row in the transaction that makes the change, or no change.

The database sets sequence, time and hash chain (migration 0002) and refuses update, delete and truncate.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection

from updater.models import Application

MAX_TEXT = 2000  # characters of one value kept in the trail


class AuditKind(StrEnum):
    """Everything that can happen: `subject.past_participle`. Each has a sentence in approvals.presenters."""

    APPLICATION_FOUND = "application.found"
    APPLICATION_CHANGED = "application.changed"
    APPLICATION_VANISHED = "application.vanished"
    CONFIGURATION_PROBLEM_FOUND = "configuration.problem_found"
    CANDIDATE_FOUND = "candidate.found"
    SCAN_FAILED = "scan.failed"
    SCAN_RECOVERED = "scan.recovered"
    HOST_SILENT = "host.silent"
    HOST_ANSWERS = "host.answers"
    TAG_MOVED = "tag.moved"
    PROMOTION_OPENED = "promotion.opened"
    PROMOTION_NOT_OPENED = "promotion.not_opened"
    AUTHORS_READ = "promotion.authors_read"
    PROMOTION_RESEALED = "promotion.resealed"
    PROMOTION_REQUESTED = "promotion.requested"
    APPROVAL_GIVEN = "approval.given"
    APPROVAL_WITHDRAWN = "approval.withdrawn"
    PROMOTION_APPROVED = "promotion.approved"
    APPROVAL_LAPSED = "approval.lapsed"
    PROMOTION_REJECTED = "promotion.rejected"
    PROMOTION_EXPIRED = "promotion.expired"
    PROMOTION_SUPERSEDED = "promotion.superseded"
    PROMOTION_WITHDRAWN = "promotion.withdrawn"
    ABORT_REQUESTED = "promotion.abort_requested"
    ABORT_MISSED = "promotion.abort_missed"
    PROMOTION_ABORTED = "promotion.aborted"
    PROMOTION_RETRIED = "promotion.retried"
    DECISION_REFUSED = "decision.refused"
    COMMENT_WRITTEN = "comment.written"
    HOLD_SET = "hold.set"
    HOLD_RELEASED = "hold.released"
    HOLD_ENDED = "hold.ended"
    DIGEST_REFUSED = "digest.refused"
    REFUSAL_LIFTED = "refusal.lifted"
    EMERGENCY_DECLARED = "emergency.declared"
    REVIEW_GIVEN = "review.given"
    EXECUTION_STARTED = "execution.started"
    EXECUTION_DELAYED = "execution.delayed"
    EXECUTION_FINISHED = "execution.finished"
    EXECUTION_ERRORED = "execution.errored"
    EXECUTION_LOST_SIGHT = "execution.lost_sight"
    EXECUTION_SIGHTED = "execution.sighted"
    EXECUTION_UNAUTHORISED = "execution.unauthorised"
    LOOK_REQUESTED = "promotion.look_requested"
    FINDING_GIVEN = "finding.given"
    EXECUTION_RESOLVED = "execution.resolved"
    TRAILER_FORGED = "trailer.forged"
    COMMIT_ORPHANED = "commit.orphaned"
    OVERRIDE_COMMITTED = "override.committed"
    PULL_REQUEST_OPENED = "pull_request.opened"
    PULL_REQUEST_MERGED = "pull_request.merged"
    PULL_REQUEST_CLOSED = "pull_request.closed"
    APPLICATION_REFRESHED = "application.refreshed"
    SYNC_REQUESTED = "sync.requested"
    APPLICATION_PATCHED = "application.patched"
    PROMOTION_SUCCEEDED = "promotion.succeeded"
    PROMOTION_FAILED = "promotion.failed"
    PERSON_SIGNED_IN = "person.signed_in"
    PERSON_SIGNED_OUT = "person.signed_out"
    SIGN_IN_REFUSED = "sign_in.refused"
    TOKEN_CREATED = "token.created"  # noqa: S105  an audit kind, not a token
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    GROUP_JOINED = "group.joined"
    ROLE_GIVEN = "role.given"
    ROLE_TAKEN = "role.taken"
    AUDIT_EXPORTED = "audit.exported"
    POLICY_LOADED = "policy.loaded"
    POLICY_REFUSED = "policy.refused"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and by which door; never taken from a request body."""

    name: str
    kind: str = "machine"  # "person" or "machine"
    via: str = "worker"  # "page", "api", "command", "worker", "beat"
    address: str = ""
    request_id: str = ""
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about, as text copies; every part may be empty."""

    application: str = ""
    image: str = ""
    promotion: str = ""


def about(application: Application, *, image: str = "", promotion: str = "") -> Subject:
    """Return the subject for something of this Application."""
    return Subject(application=application.full_name, image=image, promotion=promotion)


class AuditOutsideTransactionError(RuntimeError):
    """A change was about to be recorded outside its transaction: a programming error."""


def record(
    *,
    kind: AuditKind,
    by: Actor,
    subject: Subject | None = None,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Append one event and return its sequence number.

    Raises:
        AuditOutsideTransactionError: the caller holds no transaction, so change and event could part.
    """
    if not connection.in_atomic_block:
        raise AuditOutsideTransactionError(f"record {kind} inside the transaction of its change")
    subject = subject or Subject()
    values = [
        kind.value, by.name, by.kind, by.via, by.address, by.request_id,
        subject.application, subject.image, subject.promotion, canonical(details or {}),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [_clean(value) for value in values])
        return int(cursor.fetchone()[0])


_INSERT = """
    INSERT INTO updater_auditevent
        (kind, actor, actor_kind, via, address, request_id, application, image, promotion, details)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    RETURNING sequence
"""


def canonical(value: Mapping[str, Any]) -> str:
    """Return the one JSON text of a mapping: sorted keys, no spaces, long texts cut."""
    return json.dumps(
        _short(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
    )


def _short(value: Any) -> Any:  # noqa: ANN401  any JSON value
    if isinstance(value, Mapping):
        return {str(key): _short(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_short(item) for item in value]
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[: MAX_TEXT - 1] + "…"
    return value


def _clean(text: str) -> str:
    # PostgreSQL text holds neither NUL nor lone surrogates; both come from hostile input.
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
