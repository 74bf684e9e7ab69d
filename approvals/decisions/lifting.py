"""Let a refused digest be offered again."""

from django.contrib.auth.models import User

from approvals.decisions.asking import Door, asking, require_reason, subject_of
from approvals.decisions.errors import AlreadyDecidedError, RefusalNotFoundError
from approvals.permissions import Action
from updater import audit, transactions
from updater.audit import Actor, AuditKind
from updater.models import ImageRepository, Refusal


@transactions.repeated
def lift_refusal(*, refusal_id: int, reason: str, person: User, by: Actor) -> Refusal:
    """Lift a refusal; the next scan chooses as if it had never been.

    Raises:
        RefusalNotFoundError, NotAllowedError, ReasonMissingError, AlreadyDecidedError.
    """
    refusal = Refusal.objects.filter(pk=refusal_id).first()
    if refusal is None:
        raise RefusalNotFoundError("There is no such refusal.")
    door = Door("lift the refusal", Action.DECIDE, person, by)
    with asking(refusal.tracked_image_id, door) as (image, at):
        require_reason(image.application, reason)
        standing = Refusal.objects.filter(pk=refusal_id, lifted_at=None)
        if not standing.update(lifted_at=at, lifted_by=person.get_username()):
            raise AlreadyDecidedError("Somebody lifted it already.")
        # Whoever lifts it waits for the offer: the next scan is due at once.
        ImageRepository.objects.filter(tracked_images=image).update(next_scan_at=None)
        audit.record(
            kind=AuditKind.REFUSAL_LIFTED,
            by=by,
            subject=subject_of(image),
            details={"tag": refusal.tag, "digest": refusal.digest, "reason": reason.strip()},
        )
    refusal.refresh_from_db()
    return refusal
