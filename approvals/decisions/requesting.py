"""Ask for a tag of one's own choice, older or newer, and take back what one asked for."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User

from approvals import permissions
from approvals.decisions.asking import Door, Wish, ask, asking, require_reason, subject_of
from approvals.decisions.errors import (
    AlreadyDecidedError,
    RequestNotFoundError,
    TagNotAllowedError,
)
from approvals.models import Promotion, Request
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action
from approvals.queries import asked, tags
from approvals.queries.tags import TagRow
from updater import audit, transactions
from updater.audit import Actor, AuditKind
from updater.configuration.store import StoredConfigurationError
from updater.models import TrackedImage


@transactions.repeated
def request(
    *, tracked_image: TrackedImage, tag: str, reason: str, person: User, by: Actor
) -> Request:
    """Ask for this tag; it is decided as any promotion, by somebody else.

    Raises:
        NotAllowedError, ReasonMissingError, TagNotAllowedError (with the rule that forbids the tag).
    """
    door = Door("ask for a tag", Action.REQUEST, person, by)
    with asking(tracked_image.pk, door) as (image, at):
        require_reason(image.application, reason)
        _require_present(image)
        row = _allowed(image, tag, at=at)
        _require_free(image, tag)
        wish = Wish(Request.Kind.CHOSEN, tag, row.tag.digest, reason, is_downgrade=row.is_downgrade)
        return ask(image, wish, person=person, by=by, at=at)


@transactions.repeated
def withdraw_request(*, request_id: UUID, reason: str, person: User, by: Actor) -> Request:
    """Take back what was asked for before a worker prepared it: who asked may, and who may withdraw promotions.

    Raises:
        RequestNotFoundError, NotAllowedError, ReasonMissingError, AlreadyDecidedError.
    """
    found = Request.objects.filter(pk=request_id).first()
    if found is None:
        raise RequestNotFoundError("There is no such request.")
    door = Door("withdraw the request", Action.VIEW, person, by)
    with asking(found.tracked_image_id, door) as (image, at):
        if found.by_id != person.pk:
            permissions.require(person, Action.EXECUTE, image.application)
            require_reason(image.application, reason)
        waiting = Request.objects.waiting().filter(pk=found.pk)
        said = reason.strip()
        status = Request.Status.WITHDRAWN
        if not waiting.update(status=status, ended_at=at, retry_at=None, problem=said):
            raise AlreadyDecidedError("A worker has prepared it, or it ended; look again.")
        audit.record(
            kind=AuditKind.PROMOTION_WITHDRAWN,
            by=by,
            subject=subject_of(image, promotion=found.pk),
            details={"tag": found.tag, "reason": said},
        )
    found.refresh_from_db()
    return found


def _require_present(image: TrackedImage) -> None:
    if image.application.vanished_at is not None:
        raise TagNotAllowedError("The Application is gone from the cluster.")
    if image.removed_at is not None or not image.is_usable:
        raise TagNotAllowedError(f"{image.alias} is not configured any more, or broken.")


def _allowed(image: TrackedImage, tag: str, *, at: datetime) -> TagRow:
    try:
        row = tags.find(image, tag, at=at)
    except StoredConfigurationError as error:
        raise TagNotAllowedError(str(error)) from error
    if row is None:
        raise TagNotAllowedError(
            "The registry does not list this tag, as far as the last scan saw."
        )
    if not row.is_allowed:
        raise TagNotAllowedError(f"{row.verdict.tag} cannot be taken: {row.verdict.reason}.")
    if row.is_running:
        raise TagNotAllowedError(f"{row.verdict.tag} runs already.")
    return row


def _require_free(image: TrackedImage, tag: str) -> None:
    is_open = [*Status.undecided_or_waiting(), *Status.in_flight()]
    same = Promotion.objects.filter(tracked_image=image, to_tag=tag, status__in=is_open).first()
    if same is not None:
        raise TagNotAllowedError(f"There is a promotion to this tag already; it {same.is_what}.")
    if sentence := asked.in_the_way(image, Request.Kind.CHOSEN):
        raise TagNotAllowedError(sentence)
