"""What follows from an outcome: the end of the promotion, a sync that is asked for, or another look later."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from approvals import lifecycle, sync_requests
from approvals.lifecycle import Move, TransitionRefusedError
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.outcomes.judging import Finding, Outcome, age
from updater import leases, sync_windows
from updater.audit import Actor, AuditKind
from updater.connections import Connections
from updater.crashpoints import crashpoint
from updater.errors import UpdaterError


def ask_for_sync(
    promotion: Promotion, outcome: Outcome, *, world: Connections, by: Actor, at: datetime
) -> Outcome:
    """Ask Argo CD for a sync of our commit where nothing else would, if the operator wants that."""
    application = promotion.application
    if application.is_automated:
        return Outcome(Finding.WAITING, outcome.reason)
    if not settings.REQUEST_SYNC:
        return Outcome(
            Finding.WAITING, "OutOfSync; automated sync is off, so somebody syncs it in Argo CD."
        )
    window = sync_windows.judge(application.sync_windows, at=at)
    if not window.manual:
        return Outcome(Finding.WAITING, window.reason)
    try:
        sync_requests.ask_once(promotion, world=world, by=by)
    except UpdaterError as error:
        return Outcome(Finding.WAITING, str(error))
    return Outcome(Finding.WAITING, "Argo CD was asked to sync our commit.")


def settle(promotion: Promotion, outcome: Outcome, *, by: Actor, at: datetime) -> None:
    """Move the promotion as the outcome says, or note why it does not move yet."""
    is_late = age(promotion, at) > settings.OUTCOME_DEADLINE_SECONDS
    status = Status(promotion.status)
    move = None
    if outcome.finding is Finding.SUCCEEDED:
        move = Move(
            Status.VERIFYING, Status.SUCCEEDED, AuditKind.PROMOTION_SUCCEEDED, outcome.reason
        )
    elif outcome.finding is Finding.FAILED:
        move = Move(Status.VERIFYING, Status.FAILED, AuditKind.PROMOTION_FAILED, outcome.reason)
    elif is_late and outcome.finding is Finding.WAITING:
        reason = f"Not healthy in time: {outcome.reason}"
        move = Move(Status.VERIFYING, Status.FAILED, AuditKind.PROMOTION_FAILED, reason)
    elif is_late and status == Status.VERIFYING:
        move = Move(status, Status.UNKNOWN, AuditKind.EXECUTION_LOST_SIGHT, outcome.reason)
    _apply(promotion, move, outcome, by=by, at=at)


def _apply(
    promotion: Promotion, move: Move | None, outcome: Outcome, *, by: Actor, at: datetime
) -> None:
    try:
        with transaction.atomic():
            leases.require_held()
            if move is None:
                Promotion.objects.filter(pk=promotion.pk, status=promotion.status).update(
                    status_reason=outcome.reason
                )
                return
            if promotion.status == Status.UNKNOWN:
                seen = Move(
                    Status.UNKNOWN, Status.VERIFYING, AuditKind.EXECUTION_SIGHTED, outcome.reason
                )
                lifecycle.advance(promotion, seen, by=by, at=at)
            lifecycle.advance(promotion, move, by=by, at=at)
            crashpoint("outcome.in_transaction")
        crashpoint("outcome.after")
    except TransitionRefusedError:
        return  # another observer was faster
