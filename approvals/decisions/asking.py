"""What the verbs on an image share: the locked image, the right, the reason, the refusal in the trail, the request."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from approvals import doorbell, permissions, policy
from approvals.decisions.errors import ReasonMissingError
from approvals.models import Promotion, Request
from approvals.permissions import Action
from updater import audit, clock
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError
from updater.models import Application, TrackedImage


@dataclass(frozen=True, slots=True)
class Door:
    """Who comes with which verb, and the right that it takes."""

    verb: str
    action: Action
    person: User
    by: Actor
    promotion: UUID | None = None  # the one that it is about


@contextmanager
def asking(image_id: int, door: Door) -> Iterator[tuple[TrackedImage, datetime]]:
    """Lock the image over the block; a refusal is recorded after the rollback, then raised."""
    try:
        with transaction.atomic():
            image = _locked(image_id)
            permissions.require(door.person, door.action, image.application)
            yield image, clock.now()
    except PermanentError as error:
        _record_refusal(image_id, door, error)
        raise


def _locked(image_id: int) -> TrackedImage:
    # Rows that point to the image may be written meanwhile; only the image's askers wait for each other.
    rows = TrackedImage.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("application", "image_repository").get(pk=image_id)


def require_reason(application: Application, reason: str) -> None:
    """Refuse a reason that is shorter than the policy asks for.

    Raises:
        ReasonMissingError: with how many characters are needed.
    """
    if "\x00" in reason or any("\ud800" <= sign <= "\udfff" for sign in reason):
        raise ReasonMissingError("The reason holds signs that cannot be kept; write it anew.")
    needed = policy.effective_of(application).min_reason_reject
    if len(reason.strip()) < needed:
        raise ReasonMissingError(f"Give a reason of at least {needed} characters.")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for."""

    kind: Request.Kind
    tag: str
    digest: str
    reason: str
    is_downgrade: bool = False
    returns_to: Promotion | None = None


def ask(image: TrackedImage, wish: Wish, *, person: User, by: Actor, at: datetime) -> Request:
    """Write the request for a worker to prepare, record it, and ring, in the caller's transaction.

    This process can reach neither Git nor the cluster, so it cannot say what would be written.
    """
    request = Request.objects.create(
        tracked_image=image,
        kind=wish.kind,
        tag=wish.tag,
        digest=wish.digest,
        is_downgrade=wish.is_downgrade,
        returns_to=wish.returns_to,
        reason=wish.reason.strip(),
        by=person,
        at=at,
    )
    audit.record(
        kind=AuditKind.PROMOTION_REQUESTED,
        by=by,
        subject=subject_of(image, promotion=request.pk),
        details={
            "kind": request.kind,
            "from": image.live_tag,
            "tag": request.tag,
            "digest": request.digest,
            "reason": request.reason,
            "is_downgrade": request.is_downgrade,
        },
    )
    transaction.on_commit(doorbell.ring_proposals)
    return request


def subject_of(image: TrackedImage, *, promotion: UUID | None = None) -> audit.Subject:
    """Return the subject of an event about this image."""
    named = str(promotion) if promotion else ""
    return audit.about(image.application, image=image.alias, promotion=named)


def _record_refusal(image_id: int, door: Door, error: PermanentError) -> None:
    image = TrackedImage.objects.select_related("application").get(pk=image_id)
    with transaction.atomic():
        audit.record(
            kind=AuditKind.DECISION_REFUSED,
            by=door.by,
            subject=subject_of(image, promotion=door.promotion),
            details={"verb": door.verb, "code": error.code, "reason": str(error)},
        )
