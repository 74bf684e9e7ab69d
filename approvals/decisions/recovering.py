"""Verbs for a promotion that is stuck: look again now, and say what became of it where our own looks cannot.

A finding needs evidence and counts only when a second person found the same; nothing is written by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from approvals import doorbell, lifecycle
from approvals.decisions.deciding import deciding, require_reason
from approvals.decisions.errors import VerdictUnsuitableError
from approvals.decisions.verbs import Situation, Verb
from approvals.lifecycle import Move
from approvals.models import Finding, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action
from approvals.policy import Reason
from updater import audit, transactions
from updater.audit import Actor, AuditKind

Verdict = Finding.Verdict
TIME_TO_LOOK = timedelta(seconds=60)  # the worker looks first, every half minute
_LOOKED_AT = (Status.APPROVED, Status.EXECUTING, Status.UNKNOWN)


def verdicts_for(promotion: Promotion) -> tuple[Finding.Verdict, ...]:
    """Return what may be found: whether it was written, or for a written one what became of it."""
    if promotion.pushed_at is None:
        return (Verdict.WRITTEN, Verdict.NOT_WRITTEN)
    return (Verdict.RUNS, Verdict.BAD)


def findings_of(promotion: Promotion) -> list[Finding]:
    """Return the findings about the uncertainty that stands now, oldest first."""
    standing = Finding.objects.filter(promotion=promotion, unknown_since=promotion.status_at)
    return list(standing.select_related("by").order_by("at"))


def _against_looking(situation: Situation) -> Iterator[Reason]:
    promotion = situation.promotion
    if promotion.status == Status.ERRORED:
        yield _because(
            promotion, "errored", "Its attempt has ended; retry looks first, then writes."
        )
    elif promotion.status == Status.VERIFYING or promotion.pushed_at:
        yield _because(promotion, "written", "It is written; Argo CD is asked every few seconds.")
    elif promotion.status not in _LOOKED_AT:
        yield _because(
            promotion, "status", f"It {promotion.is_what}, so no worker has anything to look for."
        )


def _against_finding(situation: Situation) -> Iterator[Reason]:
    promotion = situation.promotion
    if promotion.status != Status.UNKNOWN:
        yield _because(
            promotion, "not_unknown", "Only what is UNKNOWN is settled by people; this is known."
        )
    elif situation.at - promotion.status_at < TIME_TO_LOOK:
        yield _because(
            promotion, "look_first", "The worker has not had time to look; wait a minute."
        )


def _because(promotion: Promotion, code: str, sentence: str) -> Reason:
    return Reason(
        code, sentence, fact=promotion.status_reason or sentence, fact_at=promotion.status_at
    )


LOOK = Verb("look", Action.EXECUTE, _against_looking)
FINDING = Verb("finding", Action.EXECUTE, _against_finding)


@transactions.repeated
def look(*, promotion_id: UUID, person: User, by: Actor) -> Promotion:
    """Let a worker look at once instead of at the set time; what it then does is what it would do anyway."""
    with deciding(promotion_id, LOOK, person, by) as situation:
        promotion, at = situation.promotion, situation.at
        Promotion.objects.filter(pk=promotion.pk).update(next_attempt_at=at)
        audit.record(
            kind=AuditKind.LOOK_REQUESTED,
            by=by,
            subject=lifecycle.subject_of(promotion),
            details={"tag": promotion.to_tag, "seal": promotion.seal},
        )
        transaction.on_commit(doorbell.ring_execution)
    promotion.refresh_from_db()
    return promotion


@transactions.repeated
def finding(
    *, promotion_id: UUID, verdict: str, evidence: str, person: User, by: Actor
) -> Promotion:
    """Say what became of an UNKNOWN promotion; the second person who says the same settles it.

    Raises:
        VerdictUnsuitableError: the verdict does not answer what is unknown here.
    """
    with deciding(promotion_id, FINDING, person, by) as situation:
        promotion, at = situation.promotion, situation.at
        require_reason(situation, evidence)
        if verdict not in verdicts_for(promotion):
            raise VerdictUnsuitableError(
                "This is not what is unknown here; choose one of those shown."
            )
        given = _write(promotion, Verdict(verdict), evidence.strip(), person=person, at=at)
        audit.record(
            kind=AuditKind.FINDING_GIVEN,
            by=by,
            subject=lifecycle.subject_of(promotion),
            details={"tag": promotion.to_tag, "verdict": given.label, "reason": given.evidence},
        )
        if len(given.agreeing) > 1:
            _settle(promotion, given, by=by, at=at)
    return promotion


@dataclass(frozen=True, slots=True)
class _Given:
    """A finding, and who found the same."""

    verdict: Finding.Verdict
    evidence: str
    agreeing: tuple[str, ...]

    @property
    def label(self) -> str:
        return str(self.verdict.label)


def _write(
    promotion: Promotion, verdict: Finding.Verdict, evidence: str, *, person: User, at: datetime
) -> _Given:
    Finding.objects.update_or_create(
        promotion=promotion,
        by=person,
        unknown_since=promotion.status_at,
        defaults={"verdict": verdict, "evidence": evidence, "at": at},
    )
    same = [row for row in findings_of(promotion) if row.verdict == verdict]
    return _Given(verdict, evidence, tuple(row.by.get_username() for row in same))


def _settle(promotion: Promotion, given: _Given, *, by: Actor, at: datetime) -> None:
    who = " and ".join(given.agreeing)
    words = f"{given.label}, found by {who}: {given.evidence}"
    details: dict[str, Any] = {"verdict": given.label, "found_by": list(given.agreeing)}
    kind = AuditKind.EXECUTION_RESOLVED
    if given.verdict == Verdict.NOT_WRITTEN:
        # Nothing is tried by itself: a person retries, and the worker looks once more before it writes.
        move = Move(Status.UNKNOWN, Status.ERRORED, kind, words, details)
        lifecycle.advance(promotion, move, by=by, at=at, next_attempt_at=None)
        return
    written = {} if promotion.pushed_at else {"commit": _intended(promotion), "pushed_at": at}
    move = Move(Status.UNKNOWN, Status.VERIFYING, kind, words, details)
    lifecycle.advance(promotion, move, by=by, at=at, next_attempt_at=None, **written)
    if given.verdict == Verdict.RUNS:
        move = Move(Status.VERIFYING, Status.SUCCEEDED, AuditKind.PROMOTION_SUCCEEDED, words)
        lifecycle.advance(promotion, move, by=by, at=at)
    elif given.verdict == Verdict.BAD:
        move = Move(Status.VERIFYING, Status.FAILED, AuditKind.PROMOTION_FAILED, words)
        lifecycle.advance(promotion, move, by=by, at=at)


def _intended(promotion: Promotion) -> str:
    latest = promotion.executions.order_by("-attempt").values_list("intended_commit", flat=True)
    return latest.first() or ""
