"""Stage 4, asked for by people: a request becomes the promotion of its id, or says why it cannot.

`sweep` runs before the offers of the machine are opened, under the same lock, and is safe to run twice. What the
outside may mend by itself is tried again until it would have expired; what a person must mend ends the request.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, Q, Value, When

from approvals import permissions, policy, promotions
from approvals.models import Request
from approvals.permissions import Action
from approvals.queries import asked
from updater import audit, clock, leases, scanning
from updater.audit import Actor, AuditKind
from updater.connections import Connections
from updater.errors import PermanentError, TransientError, UpdaterError
from updater.integrations.registry import ManifestNotFoundError
from updater.models import Candidate, ImageManifest

RETRY_SECONDS = 20  # somebody waits for it
MAX_PREPARED_PER_SWEEP = 50
ACTIONS = {Request.Kind.ROLLBACK: Action.EXECUTE, Request.Kind.CHOSEN: Action.REQUEST}


class BuildGoneError(PermanentError):
    """What was asked for cannot be pulled any more, is another image now, or is none that can run."""

    code = "build_gone"


class NotWantedError(PermanentError):
    """What was asked for is refused, or something else came first."""

    code = "not_wanted"


def sweep(*, world: Connections, by: Actor) -> int:
    """Prepare what waits; return how many promotions were opened."""
    at = clock.now()
    due = Request.objects.waiting().with_target().select_related("returns_to__candidate__manifest")
    ways_back_first = Case(When(kind=Request.Kind.ROLLBACK, then=Value(0)), default=Value(1))
    rows = due.filter(Q(retry_at=None) | Q(retry_at__lte=at)).order_by(ways_back_first, "at")
    return sum(_prepare(row, world=world, by=by, at=at) for row in rows[:MAX_PREPARED_PER_SWEEP])


def _prepare(request: Request, *, world: Connections, by: Actor, at: datetime) -> bool:
    try:
        _require_right(request)
        candidate = _candidate(request, world=world, by=by, at=at)
        plan = promotions.planned(candidate, world=world, at=at)
        with transaction.atomic():
            leases.require_held()
            if not _take(request, at=at):
                return False  # withdrawn while we looked
            _require_room(request, candidate)
            promotions.insert(_kept(request, candidate), plan, asked=request, by=by, at=at)
    except TransientError as error:
        _postpone(request, error, by=by, at=at)
        return False
    except UpdaterError as error:
        _refuse(request, error, by=by, at=at)
        return False
    return True


def _require_right(request: Request) -> None:
    application = request.tracked_image.application
    permissions.require(request.by, ACTIONS[Request.Kind(request.kind)], application)


def _candidate(request: Request, *, world: Connections, by: Actor, at: datetime) -> Candidate:
    """Ask the registry whether the build can be pulled and is the one that was asked for."""
    digest = _digest(request, world=world, by=by, at=at)
    if request.digest not in ("", digest):
        raise BuildGoneError(
            f"{request.tag} was pushed again: asked for was {request.digest}, now it is {digest}."
        )
    if request.returns_to is not None:
        return request.returns_to.candidate
    image = request.tracked_image
    manifest = ImageManifest.objects.filter(
        image_repository=image.image_repository_id, digest=digest
    ).first()
    if manifest is not None and manifest.problem:
        raise BuildGoneError(f"{request.tag} cannot run: {manifest.problem}")
    return Candidate(
        tracked_image=image,
        tag=request.tag,
        digest=digest,
        manifest=manifest,
        reason=f"asked for by {request.by.get_username()}",
        is_downgrade=request.is_downgrade,
        is_current=False,
        found_at=at,
    )


def _digest(request: Request, *, world: Connections, by: Actor, at: datetime) -> str:
    try:
        return scanning.read_tag(
            image=request.tracked_image,
            tag=request.tag,
            endpoints=world.registries,
            credentials_for=world.registry_credentials,
            at=at,
            by=by,
        ).digest
    except ManifestNotFoundError as error:
        raise BuildGoneError(f"{request.tag} is gone from the registry.") from error


def _take(request: Request, *, at: datetime) -> bool:
    rows = Request.objects.waiting().filter(pk=request.pk)
    opened = {"status": Request.Status.OPENED, "ended_at": at, "problem": "", "retry_at": None}
    return bool(rows.update(**opened))


def _require_room(request: Request, candidate: Candidate) -> None:
    image = request.tracked_image
    if sentence := asked.in_the_way(image, request.kind, but=request.pk):
        raise NotWantedError(sentence)
    if refusal := image.refusals.filter(lifted_at=None, digest=candidate.digest).first():
        raise NotWantedError(f"{refusal.by} refused it meanwhile: “{refusal.reason}”")


def _kept(request: Request, candidate: Candidate) -> Candidate:
    """Return the row of this build; it may have been offered once, and is no offer now."""
    if request.returns_to is not None:
        return candidate
    row, is_new = Candidate.objects.get_or_create(
        tracked_image=candidate.tracked_image,
        tag=candidate.tag,
        digest=candidate.digest,
        defaults={
            "manifest": candidate.manifest,
            "reason": candidate.reason,
            "is_downgrade": candidate.is_downgrade,
            "is_current": False,
            "found_at": candidate.found_at,
        },
    )
    if not is_new:
        row.is_downgrade = candidate.is_downgrade
        row.save(update_fields=["is_downgrade"])
    return row


def _postpone(request: Request, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    application = request.tracked_image.application
    if at >= request.at + policy.pending_expiry(application):
        _refuse(request, error, by=by, at=at)
        return
    with transaction.atomic():
        leases.require_held()
        if request.problem != str(error):
            _tell(request, error, by=by)
        Request.objects.waiting().filter(pk=request.pk).update(
            problem=str(error), retry_at=at + timedelta(seconds=RETRY_SECONDS)
        )


def _refuse(request: Request, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    with transaction.atomic():
        leases.require_held()
        waiting = Request.objects.waiting().filter(pk=request.pk)
        refused = {"status": Request.Status.REFUSED, "ended_at": at, "retry_at": None}
        if waiting.update(problem=str(error), **refused):
            _tell(request, error, by=by)


def _tell(request: Request, error: UpdaterError, *, by: Actor) -> None:
    image = request.tracked_image
    audit.record(
        kind=AuditKind.PROMOTION_NOT_OPENED,
        by=by,
        subject=audit.about(image.application, image=image.alias, promotion=str(request.pk)),
        details={"tag": request.tag, "code": error.code, "reason": str(error)},
    )
