"""Stage 4: candidates become pending promotions, and open promotions follow what they are about.

`sweep` runs every few seconds and is safe to run twice: load the policy file, withdraw, expire, open, end holds,
approve what the policy approves alone, look again.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from approvals import (
    approving,
    holds,
    lifecycle,
    planning,
    policy,
    proposable,
    resealing,
    sealing,
)
from approvals.lifecycle import Move, TransitionRefusedError
from approvals.models import Promotion, Request
from approvals.models.promotion import PromotionStatus as Status
from approvals.planning import Change
from approvals.policy import Rules
from updater import audit, clock, leases, transactions
from updater.audit import Actor, AuditKind
from updater.connections import Connections
from updater.errors import UpdaterError
from updater.models import Candidate, ImageTag, TrackedImage

LOOK_AGAIN_SECONDS = 60  # how old a plan of an open promotion may grow
RETRY_SECONDS = 60  # after a candidate could not be prepared
MAX_OPENED_PER_SWEEP = 200


def sweep(*, world: Connections, by: Actor) -> dict[str, int]:
    """Run all steps once; return how many promotions each touched."""
    at = clock.now()
    follow_policy(by=by, at=at)
    return {
        "withdrawn": withdraw_orphans(by=by, at=at),
        "expired": expire(by=by, at=at),
        "opened": open_new(world=world, by=by, at=at),
        "holds_ended": holds.end_over(by=by, at=at),
        "approved": approving.approve_alone(at=clock.now()),
        "looked_at": look_again(world=world, by=by, at=at),
    }


def follow_policy(*, by: Actor, at: datetime) -> None:
    """Load the policy file; seal anew what stands under other requirements now, at once and not when plans age."""
    loaded = policy.load(by=by, at=at)
    if loaded is None or not loaded.is_current:
        return
    rows = Promotion.objects.filter(status__in=Status.undecided_or_waiting())
    for promotion_id in rows.values_list("pk", flat=True):
        resealing.refresh(promotion_id, by=by)


def withdraw_orphans(*, by: Actor, at: datetime) -> int:
    """Withdraw open promotions whose Application, image or candidate is gone."""
    rows = Promotion.objects.with_target().filter(
        status__in=[*Status.undecided_or_waiting(), Status.ERRORED]
    )
    gone = Q(application__vanished_at__isnull=False) | Q(tracked_image__removed_at__isnull=False)
    unusable = Q(tracked_image__is_usable=False)
    return sum(
        _advance(
            row, Status.WITHDRAWN, AuditKind.PROMOTION_WITHDRAWN, _orphan_reason(row), by=by, at=at
        )
        for row in rows.filter(gone | unusable | _not_offered_any_more())
    )


def _not_offered_any_more() -> Q:
    current = Candidate.objects.filter(tracked_image=OuterRef("tracked_image"), is_current=True)
    return Q(~Exists(current), status=Status.PENDING, kind=Promotion.Kind.FORWARD)


def _orphan_reason(promotion: Promotion) -> str:
    if promotion.application.vanished_at:
        return "The Application was deleted."
    if promotion.tracked_image.removed_at:
        return "The image is no longer in the Application's image list."
    if not promotion.tracked_image.is_usable:
        return "The image's configuration is broken; the Application's page names the key."
    return "It runs already, or the configuration no longer allows it."


def expire(*, by: Actor, at: datetime) -> int:
    """Expire what was not decided, or not started, in time."""
    due = Promotion.objects.with_target().filter(
        status__in=Status.undecided_or_waiting(), expires_at__lte=at
    )
    reasons = {
        Status.PENDING: "Nobody decided in time.",
        Status.APPROVED: "It was approved, but could not start in time.",
    }
    return sum(
        _advance(
            row,
            Status.EXPIRED,
            AuditKind.PROMOTION_EXPIRED,
            reasons[Status(row.status)],
            by=by,
            at=at,
        )
        for row in due
    )


def open_new(*, world: Connections, by: Actor, at: datetime) -> int:
    """Open a promotion for every candidate that wants one."""
    opened = 0
    for candidate in proposable.candidates(at)[:MAX_OPENED_PER_SWEEP]:
        try:
            opened += _open(candidate, world=world, by=by, at=at)
        except UpdaterError as error:
            _postpone(candidate, error, by=by, at=at)
    return opened


def look_again(*, world: Connections, by: Actor, at: datetime) -> int:
    """Plan open promotions anew when their plan has aged; re-seal those whose subject changed."""
    stale = (at - timedelta(seconds=LOOK_AGAIN_SECONDS)).isoformat()
    rows = Promotion.objects.with_target().filter(
        status__in=Status.undecided_or_waiting(), plan__at__lt=stale
    )
    due = list(rows.order_by("plan__at")[:MAX_OPENED_PER_SWEEP])
    for promotion in due:
        _look_again_at(promotion, world=world, by=by, at=at)
    return len(due)


def _open(candidate: Candidate, *, world: Connections, by: Actor, at: datetime) -> bool:
    moved = _open_promotion_of_same_tag(candidate)
    plan = planned(candidate, world=world, at=at)
    _write(candidate, moved, plan, by=by, at=at)
    return True


@transactions.repeated
def _write(
    candidate: Candidate,
    moved: Promotion | None,
    plan: dict[str, Any],
    *,
    by: Actor,
    at: datetime,
) -> None:
    with transaction.atomic():
        leases.require_held()
        if moved is not None:
            _reseal(moved.pk, plan, by=by, at=at)
        else:
            insert(candidate, plan, by=by, at=at)
        Candidate.objects.filter(pk=candidate.pk).update(problem="", retry_at=None)


def _open_promotion_of_same_tag(candidate: Candidate) -> Promotion | None:
    # The tag was pushed again: the promotion people look at gets a new seal instead of a twin.
    return (
        Promotion.objects.filter(
            tracked_image=candidate.tracked_image,
            to_tag=candidate.tag,
            status__in=Status.undecided_or_waiting(),
        )
        .exclude(kind=Promotion.Kind.ROLLBACK)
        .first()
    )


def planned(candidate: Candidate, *, world: Connections, at: datetime) -> dict[str, Any]:
    """Return the plan of moving to this candidate. Network, no transaction.

    Raises:
        NothingToWriteError, and what `planning.prepare` raises.
    """
    change = Change(candidate.tracked_image, candidate)
    prepared = planning.prepare(candidate.tracked_image.application, [change], world=world)
    plan = planning.document(prepared, at=at)
    if not any(edit["image"] == candidate.tracked_image.alias for edit in plan["edits"]):
        raise planning.NothingToWriteError(
            f"{candidate.tag} is already written; Argo CD has yet to roll it out."
        )
    return plan


def insert(
    candidate: Candidate,
    plan: dict[str, Any],
    *,
    by: Actor,
    at: datetime,
    asked: Request | None = None,
) -> Promotion:
    """Open the promotion, asked for by a person or offered, in place of older ones, in the caller's transaction."""
    try:
        with transaction.atomic():
            return _insert(candidate, plan, asked, by=by, at=at)
    except IntegrityError as error:
        if not lifecycle.is_second_pending(error):
            raise
    # An older one was put back before the people in the very moment: it is seen now, and set aside like the others.
    return _insert(candidate, plan, asked, by=by, at=at)


def _insert(
    candidate: Candidate,
    plan: dict[str, Any],
    asked: Request | None,
    *,
    by: Actor,
    at: datetime,
) -> Promotion:
    rules = policy.rules_of([candidate.tracked_image.application])
    promotion = _unsaved(candidate, plan, asked, rules, at=at)
    older = Promotion.objects.with_target().filter(
        tracked_image=candidate.tracked_image, status__in=_superseded_by_newer(promotion, rules)
    )
    for superseded in older:
        reason = _why_superseded(promotion)
        move = Move(
            Status(superseded.status), Status.SUPERSEDED, AuditKind.PROMOTION_SUPERSEDED, reason
        )
        # The foreign key is checked at commit, when the new row stands.
        lifecycle.advance(superseded, move, by=by, at=at, superseded_by_id=promotion.pk)
    promotion.save(force_insert=True)
    # A rule that nobody can fulfil is named now, not after days of waiting.
    if problems := policy.unsatisfiable(promotion, rules=rules):
        promotion.status_reason = " ".join(problems)
        promotion.save(update_fields=["status_reason"])
    audit.record(
        kind=AuditKind.PROMOTION_OPENED,
        by=by,
        subject=lifecycle.subject_of(promotion),
        details={
            "from": promotion.from_tag,
            "tag": promotion.to_tag,
            "digest": promotion.to_digest,
            "seal": promotion.seal,
            "reason": promotion.request_reason or candidate.reason,
            "unsatisfiable": promotion.status_reason,
            **({"kind": promotion.kind, "who": promotion.requested_by} if asked else {}),
        },
    )
    return promotion


def _superseded_by_newer(promotion: Promotion, rules: Rules) -> list[Status]:
    statuses = [Status.PENDING, Status.ERRORED]
    is_way_back = promotion.kind == Promotion.Kind.ROLLBACK  # nothing may go forward meanwhile
    if is_way_back or rules.of(promotion).supersede == "newest":
        statuses.append(Status.APPROVED)
    return statuses


def _why_superseded(promotion: Promotion) -> str:
    if promotion.kind == Promotion.Kind.FORWARD:
        return f"{promotion.to_tag} is newer."
    what = "to go back to" if promotion.kind == Promotion.Kind.ROLLBACK else "for"
    return f"{promotion.requested_by} asked {what} {promotion.to_tag}."


def _unsaved(
    candidate: Candidate, plan: dict[str, Any], asked: Request | None, rules: Rules, *, at: datetime
) -> Promotion:
    tracked_image, application = candidate.tracked_image, candidate.tracked_image.application
    effective = rules.effective[application.pk]
    promotion = Promotion(
        application=application,
        tracked_image=tracked_image,
        candidate=candidate,
        status_at=at,
        created_at=at,
        expires_at=at + policy.pending_expiry(application, effective=effective),
        from_tag=tracked_image.live_tag,
        from_digest=tracked_image.live_digest or _known_digest(tracked_image),
        to_tag=candidate.tag,
        to_digest=candidate.digest,
        plan=plan,
        **_as_asked(asked),
    )
    promotion.subject = sealing.subject(
        application=application,
        tracked_image=tracked_image,
        candidate=candidate,
        plan=plan,
        kind=promotion.kind,
        policy_version=effective.version(policy.mode_of(promotion)),
    )
    promotion.seal = sealing.seal(promotion.subject)
    return promotion


def _as_asked(asked: Request | None) -> dict[str, Any]:
    if asked is None:
        return {}
    return {
        "id": asked.pk,
        "kind": Promotion.Kind(asked.kind),
        "requested_by": asked.by.get_username(),
        "request_reason": asked.reason,
        "returns_to_id": asked.returns_to_id,
    }


def _known_digest(tracked_image: TrackedImage) -> str:
    """Return the digest behind the running tag as the registry last said, for people to compare."""
    tags = ImageTag.objects.filter(
        image_repository=tracked_image.image_repository_id, name=tracked_image.live_tag
    )
    return tags.values_list("digest", flat=True).first() or ""


def _postpone(candidate: Candidate, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Remember why no promotion could be opened; record it once, not at every sweep."""
    with transaction.atomic():
        leases.require_held()
        if candidate.problem != str(error):
            audit.record(
                kind=AuditKind.PROMOTION_NOT_OPENED,
                by=by,
                subject=audit.about(
                    candidate.tracked_image.application, image=candidate.tracked_image.alias
                ),
                details={"tag": candidate.tag, "code": error.code, "reason": str(error)},
            )
        Candidate.objects.filter(pk=candidate.pk).update(
            problem=str(error), retry_at=at + timedelta(seconds=RETRY_SECONDS)
        )


def _look_again_at(promotion: Promotion, *, world: Connections, by: Actor, at: datetime) -> None:
    candidate = resealing.current_candidate(promotion)
    if not candidate.is_current and resealing.follow_tag(promotion.pk, by=by, at=at):
        return
    try:
        change = Change(promotion.tracked_image, candidate)
        plan = planning.document(
            planning.prepare(promotion.application, [change], world=world), at=at
        )
    except UpdaterError as error:
        # The seal stays; whoever looks at the page sees how old the plan is and why it cannot be renewed.
        plan = {**promotion.plan, "at": at.isoformat(), "stale": str(error)}
    with transaction.atomic():
        leases.require_held()
        _reseal(promotion.pk, plan, by=by, at=at)


def _reseal(promotion_id: UUID, plan: dict[str, Any], *, by: Actor, at: datetime) -> None:
    """Store the new plan; a new revision only where the subject is another one."""
    promotion = resealing.locked(promotion_id)
    if promotion is None or promotion.status not in Status.undecided_or_waiting():
        return  # decided or started while we looked: the worker looks for itself
    rules = policy.rules_as_read(promotion)
    if sealing.seal(resealing.current_subject(promotion, plan, rules=rules)) != promotion.seal:
        resealing.reseal(promotion, plan=plan, by=by, at=at, rules=rules)
    else:
        Promotion.objects.filter(pk=promotion_id).update(plan=plan)


def _advance(
    promotion: Promotion, to: Status, kind: AuditKind, reason: str, *, by: Actor, at: datetime
) -> bool:
    """Make one swept move; somebody who was faster is no error."""
    try:
        with transaction.atomic():
            leases.require_held()
            move = Move(Status(promotion.status), to, kind, reason)
            lifecycle.advance(promotion, move, by=by, at=at)
    except TransitionRefusedError:
        return False
    return True
