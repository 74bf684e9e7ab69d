"""When the subject of an open promotion is no longer what was sealed: new seal, new revision, decisions void."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from approvals import lifecycle, policy, sealing
from approvals.lifecycle import Move
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy import Effective, Rules
from updater import audit, clock, transactions
from updater.audit import Actor, AuditKind
from updater.models import Candidate, ImageRepository, ImageTag

TAG_NEWS = timedelta(minutes=10)  # how old the digest of an approved tag may get
LONG_AGO = "1970-01-01T00:00:00+00:00"  # of a plan: it is made anew at the next look


def current_candidate(promotion: Promotion) -> Candidate:
    """Return the candidate as it stands now: the same tag may have been pushed again."""
    if promotion.kind == Promotion.Kind.ROLLBACK:
        return promotion.candidate  # what ran here, and nothing else that bears its name
    moved = Candidate.objects.filter(
        tracked_image=promotion.tracked_image, tag=promotion.to_tag, is_current=True
    ).first()
    return moved or promotion.candidate


def current_subject(
    promotion: Promotion, plan: Mapping[str, Any] | None = None, *, rules: Rules | None = None
) -> dict[str, Any]:
    """Return the subject made from the rows as they are now, and the given or stored plan."""
    found = rules or policy.rules_for([promotion])
    return sealing.subject(
        application=promotion.application,
        tracked_image=promotion.tracked_image,
        candidate=current_candidate(promotion),
        plan=promotion.plan if plan is None else plan,
        kind=promotion.kind,
        policy_version=found.of(promotion).version(policy.mode_of(promotion)),
    )


def current_seal(promotion: Promotion, *, rules: Rules | None = None) -> str:
    """Return the seal of the current subject."""
    return sealing.seal(current_subject(promotion, rules=rules))


def locked(promotion_id: UUID) -> Promotion | None:
    """Lock the promotion for the caller's transaction, then read it with all that is sealed of its target.

    In this order: rows that are joined to a locked one are as they were before it was waited for.
    """
    if not Promotion.objects.select_for_update().filter(pk=promotion_id).values_list("pk"):
        return None
    rows = Promotion.objects.with_target()
    return rows.select_related("tracked_image__image_repository__registry").get(pk=promotion_id)


def refresh(promotion_id: UUID, *, by: Actor) -> None:
    """Re-seal an open promotion at once if its rows say something else than its seal."""
    with transaction.atomic():
        promotion = locked(promotion_id)
        if promotion is None or promotion.status not in Status.undecided_or_waiting():
            return
        rules = policy.rules_as_read(promotion)
        if current_seal(promotion, rules=rules) != promotion.seal:
            plan = _plan_now(promotion, rules.of(promotion))
            reseal(promotion, plan=plan, by=by, at=clock.now(), rules=rules)


def _plan_now(promotion: Promotion, effective: Effective) -> Mapping[str, Any]:
    """Return the stored plan, marked where the policy has something else written: nobody approves that."""
    plan: dict[str, Any] = promotion.plan
    pin = str(plan.get("pin", "tag"))
    if policy.stricter_pin(promotion.application, pin, effective=effective) == pin:
        return plan
    return {
        **plan,
        "at": LONG_AGO,
        "error": "The policy pins by digest now; it is planned anew.",
    }


def reseal(
    promotion: Promotion,
    *,
    plan: Mapping[str, Any],
    by: Actor,
    at: datetime,
    why: str = "",
    rules: Rules | None = None,
) -> None:
    """Give the promotion the subject that stands now, in the caller's transaction; `why` when it is no difference.

    A pending one stays pending with the next revision; an approved or executing one goes back to pending.
    The decisions of the old revision are void; their makers see it on the page and in the trail.
    """
    before = promotion.subject
    after = current_subject(promotion, plan, rules=rules)
    changes = _columns(promotion, after, plan)
    differences = sealing.differences(before, after)
    changed = ", ".join(item.field for item in differences)
    reason = why or f"What would be written changed: {changed}."
    _void_decisions(promotion, reason, at=at)
    details = {"differences": [[item.field, item.sealed, item.current] for item in differences]}
    if promotion.status == Status.PENDING:
        Promotion.objects.filter(pk=promotion.pk).update(status_reason=reason, **changes)
        promotion.refresh_from_db()
        audit.record(
            kind=AuditKind.PROMOTION_RESEALED,
            by=by,
            subject=lifecycle.subject_of(promotion),
            details={**details, "seal": promotion.seal, "revision": promotion.revision},
        )
        return
    put_back(
        promotion, AuditKind.PROMOTION_RESEALED, reason, by=by, at=at, details=details, **changes
    )


def put_back(
    promotion: Promotion,
    kind: AuditKind,
    reason: str,
    *,
    by: Actor,
    at: datetime,
    details: Mapping[str, Any] | None = None,
    **changes: Any,  # noqa: ANN401  columns that change with the status
) -> None:
    """Let people decide again on what is not written yet, or end it where a newer one waits for them already."""
    newer = _newer(promotion)
    if newer is None:
        move = Move(Status(promotion.status), Status.PENDING, kind, reason, details or {})
        changes |= {
            "approved_at": None,
            "next_attempt_at": None,
            "expires_at": at + policy.pending_expiry(promotion.application),
        }
        newer = _put_back_or_newer(promotion, move, by=by, at=at, **changes)
    if newer is not None:
        _give_way(promotion, newer, reason, by=by, at=at)


def _put_back_or_newer(
    promotion: Promotion,
    move: Move,
    *,
    by: Actor,
    at: datetime,
    **changes: Any,  # noqa: ANN401  columns that change with the status
) -> Promotion | None:
    """Make the move, or return the promotion that a sweep offered for the image in the very moment."""
    try:
        with transaction.atomic():
            lifecycle.advance(promotion, move, by=by, at=at, **changes)
    except IntegrityError as error:
        if lifecycle.is_second_pending(error) and (newer := _newer(promotion)) is not None:
            return newer
        raise
    return None


def _newer(promotion: Promotion) -> Promotion | None:
    return Promotion.objects.pending().filter(tracked_image=promotion.tracked_image).first()


def _give_way(
    promotion: Promotion, newer: Promotion, reason: str, *, by: Actor, at: datetime
) -> None:
    # One pending promotion an image: two would ask the same people about the same lines.
    to, kind = Status.SUPERSEDED, AuditKind.PROMOTION_SUPERSEDED
    if promotion.status == Status.EXECUTING:
        to, kind = Status.ABORTED, AuditKind.PROMOTION_ABORTED
    why = f"{reason} {newer.to_tag} waits for a decision already."
    move = Move(Status(promotion.status), to, kind, why)
    lifecycle.advance(promotion, move, by=by, at=at, next_attempt_at=None, superseded_by=newer)


@transactions.repeated
def follow_tag(promotion_id: UUID, *, by: Actor, at: datetime) -> bool:
    """Put an approved promotion back whose tag was pushed again, and have old news of the tag asked for anew.

    Scans look after what is offered; an approved one may wait for its window while a newer one is offered.
    """
    with transaction.atomic():
        rows = Promotion.objects.select_for_update(of=("self",)).with_target()
        promotion = rows.filter(pk=promotion_id, status=Status.APPROVED).first()
        if promotion is None:
            return False
        repository = promotion.tracked_image.image_repository_id
        tags = ImageTag.objects.filter(image_repository=repository, name=promotion.to_tag)
        tag = tags.exclude(digest__in=["", promotion.to_digest]).first()
        if tag is None:
            tags.filter(digest_seen_at__lt=at - TAG_NEWS).update(digest_seen_at=None)
            return False
        reason = (
            f"{promotion.to_tag} was pushed again: sealed {promotion.to_digest}, now {tag.digest}."
        )
        _void_decisions(promotion, reason, at=at)
        _alarm(promotion, tag, by=by)
        put_back(promotion, AuditKind.APPROVAL_LAPSED, reason, by=by, at=at)
        return True


def _alarm(promotion: Promotion, tag: ImageTag, *, by: Actor) -> None:
    details = {
        "tag": tag.name,
        "what": "is approved",
        "before": promotion.to_digest,
        "after": tag.digest,
    }
    audit.record(
        kind=AuditKind.TAG_MOVED, by=by, subject=lifecycle.subject_of(promotion), details=details
    )


def look_soon(promotion: Promotion) -> None:
    """Let the next scan ask for the digest behind the tag again, in the caller's transaction."""
    repositories = ImageRepository.objects.filter(tracked_images=promotion.tracked_image)
    tags = ImageTag.objects.filter(image_repository__in=repositories, name=promotion.to_tag)
    tags.update(digest_seen_at=None)
    repositories.update(next_scan_at=None)


def _columns(
    promotion: Promotion, subject: dict[str, Any], plan: Mapping[str, Any]
) -> dict[str, Any]:
    candidate = current_candidate(promotion)
    return {
        "candidate": candidate,
        "to_digest": candidate.digest,
        "subject": subject,
        "seal": sealing.seal(subject),
        "revision": promotion.revision + 1,
        "plan": dict(plan),
    }


def _void_decisions(promotion: Promotion, reason: str, *, at: datetime) -> None:
    standing = promotion.decisions.filter(revision=promotion.revision, voided_at=None)
    standing.update(voided_at=at, void_reason=reason)
