"""How holds end and what their end sets free; nobody starts in the moment in which one is set.

Who may set and release them is the business of `decisions.holding`; whether one stands, of the gate `hold`.
"""

from datetime import datetime

from django.db import connection, transaction

from approvals import doorbell, policy
from approvals.models import Hold, Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import audit
from updater.audit import Actor, AuditKind

_LOCK = 0x686F6C64  # advisory: shared by who starts a promotion, whole by who sets a hold


def take_turn(*, setting: bool) -> None:
    """Wait, to the end of the transaction, for those who start (to set), or for who sets (to start)."""
    shared = "" if setting else "_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{shared}(%s)", [_LOCK])


def is_held(promotion: Promotion, *, at: datetime) -> bool:
    """Whether a hold that its policy does not pass stands on the promotion now."""
    standing = Hold.objects.standing(at).covering(promotion.tracked_image)
    if not standing.exists():
        return False
    return not all(gate.is_open for gate in policy.gates(promotion, at=at) if gate.key == "hold")


def end_over(*, by: Actor, at: datetime) -> int:
    """Close the holds whose time is up, and make due what waited for them."""
    with transaction.atomic():
        over = list(Hold.objects.over(at).select_for_update(of=("self",)).with_target())
        for hold in over:
            end(hold, by=by, at=at)
    return len(over)


def end(hold: Hold, *, by: Actor, at: datetime) -> None:
    """Close one hold whose time is up, in the caller's transaction."""
    hold.released_at = hold.until
    hold.save(update_fields=["released_at"])
    audit.record(kind=AuditKind.HOLD_ENDED, by=by, subject=subject_of(hold), details=facts_of(hold))
    free(hold, at=at)


def free(hold: Hold, *, at: datetime) -> None:
    """Make due at once what waited for a gate under this hold, and ring the workers after the commit."""
    waiting = Promotion.objects.filter(
        hold.covered(),
        status__in=[Status.APPROVED, Status.ERRORED],
        error_code=policy.GATE_CLOSED,
        next_attempt_at__gt=at,
    )
    # In the order in which workers lock them, so that neither waits for the other.
    due = list(waiting.select_for_update().order_by("pk").values_list("pk", flat=True))
    # The worker looks at all gates anew and says what else is closed, if anything is.
    if Promotion.objects.filter(pk__in=due).update(
        next_attempt_at=at, status_reason="", error_code=""
    ):
        transaction.on_commit(doorbell.ring_execution)


def subject_of(hold: Hold) -> audit.Subject:
    """Return what an event about this hold is about."""
    held = hold.held_application
    if held is None:
        return audit.Subject()
    return audit.about(held, image=hold.tracked_image.alias if hold.tracked_image else "")


def facts_of(hold: Hold) -> dict[str, object]:
    """Return what the trail keeps of a hold."""
    until = f"{hold.until:%Y-%m-%d %H:%M} UTC" if hold.until else None
    return {"hold": hold.pk, "scope": hold.scope, "target": hold.target, "until": until}
