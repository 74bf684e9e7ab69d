"""Stop an image, an Application or everything, and let it go on again.

What is held may be decided on; it waits, and starts by itself after the release. What runs already finishes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from approvals import holds, permissions, policy
from approvals.decisions.errors import (
    AlreadyHeldError,
    HoldNotFoundError,
    HoldNotPossibleError,
    NotHeldError,
    ReasonMissingError,
)
from approvals.models import Hold
from approvals.permissions import Action
from approvals.queries import applications
from approvals.queries.scopes import Scope
from updater import audit, clock, transactions
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError
from updater.models import Application, TrackedImage

LONGEST = timedelta(days=366)  # a hold with an end; without one it stands until it is released


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be held, by the names people use."""

    scope: str  # of Hold.Scope
    application: str = ""  # namespace/name
    image: str = ""  # alias

    def __str__(self) -> str:
        parts = [self.application, self.image]
        return " ".join(part for part in parts if part) or self.scope


@transactions.repeated
def hold(*, target: Target, reason: str, until: datetime | None, person: User, by: Actor) -> Hold:
    """Hold the target until a time, or until somebody releases it.

    Raises:
        NotAllowedError, HoldNotFoundError, HoldNotPossibleError, ReasonMissingError, AlreadyHeldError.
    """
    subject = audit.Subject(application=target.application, image=target.image)
    with _deciding("hold", str(target), subject, by):
        application, image = _found(target, person)
        _require(person, application)
        _require_reason(application, reason)
        at = clock.now()
        _require_future(until, at=at)
        made = Hold(
            scope=target.scope,
            application=None if image else application,
            tracked_image=image,
            reason=reason.strip(),
            by=by.name,
            at=at,
            until=until,
        )
        _make_room(made, by=by, at=at)
        holds.take_turn(setting=True)
        _insert(made)
        _tell(AuditKind.HOLD_SET, made, made.reason, by=by)
    return made


@transactions.repeated
def release(*, hold_id: int, reason: str, person: User, by: Actor) -> Hold:
    """Release a standing hold; what waited for it is due at once.

    Raises:
        NotAllowedError, HoldNotFoundError, ReasonMissingError, NotHeldError.
    """
    named = Hold.objects.with_target().filter(pk=hold_id).first()
    subject = holds.subject_of(named) if named else audit.Subject()
    with _deciding("release", named.target if named else f"hold {hold_id}", subject, by):
        standing = _locked(hold_id, person)
        _require(person, standing.held_application)
        _require_reason(standing.held_application, reason)
        at = clock.now()
        _require_standing(standing, at=at)
        standing.released_at, standing.released_by = at, by.name
        standing.release_reason = reason.strip()
        standing.save(update_fields=["released_at", "released_by", "release_reason"])
        _tell(AuditKind.HOLD_RELEASED, standing, standing.release_reason, by=by)
        holds.free(standing, at=at)
    return standing


@contextmanager
def _deciding(verb: str, target: str, subject: audit.Subject, by: Actor) -> Iterator[None]:
    """Run the block in a transaction; a refusal is recorded after the rollback, then raised."""
    try:
        with transaction.atomic():
            yield
    except PermanentError as error:
        details = {"verb": verb, "target": target, "code": error.code, "reason": str(error)}
        with transaction.atomic():
            audit.record(kind=AuditKind.DECISION_REFUSED, by=by, subject=subject, details=details)
        raise


def _found(target: Target, person: User) -> tuple[Application | None, TrackedImage | None]:
    """Return what the names stand for; of another team's it is not even said that it exists."""
    wanted = target.scope, bool(target.application), bool(target.image)
    if wanted == (Hold.Scope.EVERYTHING, False, False):
        return None, None
    if wanted not in ((Hold.Scope.APPLICATION, True, False), (Hold.Scope.IMAGE, True, True)):
        raise HoldNotPossibleError(
            "Name nothing to hold everything, an Application (namespace/name) to hold it, "
            "or an Application and the alias of one of its images."
        )
    namespace, _, name = target.application.partition("/")
    visible = Scope(permissions.applications_for(person, Action.VIEW))
    application = applications.find(namespace, name, visible=visible)
    if application is None or application.vanished_at is not None:
        raise HoldNotFoundError(f"There is no Application {target.application}.")
    if target.scope == Hold.Scope.APPLICATION:
        return application, None
    image = application.tracked_images.filter(alias=target.image, removed_at=None).first()
    if image is None:
        raise HoldNotFoundError(f"{application} has no image {target.image}.")
    return application, image


def _locked(hold_id: int, person: User) -> Hold:
    rows = Hold.objects.select_for_update(of=("self",)).with_target()
    found = rows.filter(pk=hold_id).first()
    held = found.held_application if found else None
    if found is None or (held and not permissions.may(person, Action.VIEW, held)):
        raise HoldNotFoundError("There is no such hold.")
    return found


def _require(person: User, application: Application | None) -> None:
    if application is None:
        permissions.require_everywhere(person, Action.HOLD)
    else:
        permissions.require(person, Action.HOLD, application)


def _require_reason(application: Application | None, reason: str) -> None:
    needed = max(1, policy.min_reason_to_hold(application))
    if len(reason.strip()) < needed:
        raise ReasonMissingError(f"Give a reason of at least {needed} characters.")


def _require_future(until: datetime | None, *, at: datetime) -> None:
    if until is not None and until <= at:
        raise HoldNotPossibleError(
            f"The end must be in the future; it is {at:%Y-%m-%d %H:%M} UTC now."
        )
    if until is not None and until > at + LONGEST:
        raise HoldNotPossibleError(
            "The end must be within a year. Without one, it stands until somebody releases it."
        )


def _require_standing(found: Hold, *, at: datetime) -> None:
    if found.released_at is not None and found.released_by:
        raise NotHeldError(
            f"{found.released_by} released it at {found.released_at:%Y-%m-%d %H:%M} UTC."
        )
    if found.until is not None and found.until <= at:
        raise NotHeldError(f"This hold ended by itself at {found.until:%Y-%m-%d %H:%M} UTC.")


def _make_room(wanted: Hold, *, by: Actor, at: datetime) -> None:
    """Close an earlier hold on the same whose time is up; refuse if one stands."""
    same = Hold.objects.select_for_update(of=("self",)).filter(
        scope=wanted.scope,
        application=wanted.application,
        tracked_image=wanted.tracked_image,
        released_at=None,
    )
    for earlier in same.with_target():
        if earlier.until is None or earlier.until > at:
            raise AlreadyHeldError(f"{earlier.by} holds {earlier.target} already: {earlier.reason}")
        holds.end(earlier, by=by, at=at)


def _insert(made: Hold) -> None:
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyHeldError(f"Somebody holds {made.target} already.") from error


def _tell(kind: AuditKind, about: Hold, reason: str, *, by: Actor) -> None:
    details = {**holds.facts_of(about), "reason": reason}
    audit.record(kind=kind, by=by, subject=holds.subject_of(about), details=details)
