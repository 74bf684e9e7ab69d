"""Reads the rows of the database as the facts that the checks look at; writes nothing."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Max, OuterRef, Q, Subquery

from approvals import policy, sealing
from approvals.models import Execution, Hold, Promotion, Request
from approvals.verification.approvers import ApprovalFacts, Approved
from approvals.verification.branch_reading import Place
from approvals.verification.facts import (
    AttemptFacts,
    Edit,
    EventFacts,
    PlannedFile,
    PromotionFacts,
)
from approvals.verification.heads import Trail
from approvals.verification.progress import Running
from approvals.verification.starts import Limits, Stop
from updater import images
from updater.audit import AuditKind
from updater.models import AuditEvent, Lease, TrackedImage

CHUNK = 2000
APPROVED = AuditKind.PROMOTION_APPROVED.value


def rows(only: Collection[UUID] | None = None) -> list[Promotion]:
    """Return all promotions (or only these) with their targets and decisions, oldest first."""
    # A hundred thousand promotions must fit: an Application's manifest is the largest part, and not asked.
    targets = Promotion.objects.select_related("application", "tracked_image")
    found = targets.defer("application__manifest").prefetch_related("decisions__by")
    if only is not None:
        found = found.filter(pk__in=only)
    return list(found.order_by("created_at", "pk"))


def promotion(row: Promotion) -> PromotionFacts:
    """Return one promotion as facts."""
    plan, subject = row.plan, row.subject
    return PromotionFacts(
        id=str(row.pk),
        status=str(row.status),
        application=row.application.full_name,
        tracked_image=row.tracked_image_id,
        kind=str(row.kind),
        alias=row.tracked_image.alias,
        seal=row.seal,
        authentication=_authentication(row),
        tag=row.to_tag,
        digest=row.to_digest,
        sealed_digest=str(subject.get("digest") or ""),
        method=str(plan.get("method") or ""),
        repository=str(plan.get("repository") or ""),
        branch=str(plan.get("branch") or ""),
        is_pull_request=bool(plan.get("pull_request")),
        paths=tuple(str(path) for path in subject.get("paths") or ()),
        edits=tuple(Edit(*edit) for edit in subject.get("edits") or ()),
        beside=_beside(row),
        files=tuple(
            PlannedFile(file["path"], file.get("before"), file.get("after") or "")
            for file in plan.get("files") or ()
        ),
        commit=row.commit,
        status_at=row.status_at,
        status_reason=row.status_reason,
        error_code=row.error_code,
        created_at=row.created_at,
        approved_at=row.approved_at,
        pushed_at=row.pushed_at,
        expires_at=row.expires_at,
        next_attempt_at=row.next_attempt_at,
        requested_by=row.requested_by,
        revision=row.revision,
    )


def _beside(row: Promotion) -> tuple[Edit, ...]:
    others = (
        edit for edit in row.plan.get("edits") or () if edit.get("image") != row.tracked_image.alias
    )
    return tuple(Edit(edit["key"], edit.get("old"), edit.get("new") or "") for edit in others)


def _authentication(row: Promotion) -> str:
    if "paths" not in row.subject:
        return ""
    return sealing.authentication_of(str(row.pk), row.subject, row.seal)


def events(only: Collection[UUID] | None = None) -> Iterator[EventFacts]:
    """Return the events about promotions (or only about these) in the order of the trail."""
    found = AuditEvent.objects.exclude(promotion="").order_by("sequence")
    if only is not None:
        found = found.filter(promotion__in=[str(key) for key in only])
    for event in found.iterator(chunk_size=CHUNK):
        yield EventFacts(
            sequence=event.sequence,
            at=event.at,
            kind=event.kind,
            promotion=event.promotion,
            actor=event.actor,
            actor_kind=event.actor_kind,
            details=json.loads(event.details),
        )


def trail_at(sequences: Collection[int]) -> Trail:
    """Return the last event of the whole trail, and the hashes of these."""
    last = AuditEvent.objects.aggregate(last=Max("sequence"))["last"]
    found = AuditEvent.objects.filter(sequence__in=sequences)
    return Trail(last or 0, dict(found.values_list("sequence", "hash")))


def attempts() -> dict[str, list[AttemptFacts]]:
    """Return the attempts of each promotion, the first one first."""
    leases = Lease.objects.filter(target=OuterRef("target"), fence=OuterRef("fence"))
    found = Execution.objects.annotate(
        held_until=Subquery(leases.values("expires_at")[:1])
    ).order_by("promotion", "attempt")
    by_promotion: dict[str, list[AttemptFacts]] = {}
    for row in found.iterator(chunk_size=CHUNK):
        facts = AttemptFacts(
            promotion=str(row.promotion_id),
            attempt=row.attempt,
            started_at=row.started_at,
            ended_at=row.ended_at,
            status=row.status,
            intended_commit=row.intended_commit,
            is_lease_current=row.held_until is not None,
        )
        by_promotion.setdefault(facts.promotion, []).append(facts)
    return by_promotion


def places(promotions: Iterable[Promotion]) -> list[Place]:
    """Return the branches that promotions are written to."""
    accesses: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
    recorded: dict[tuple[str, str], set[str]] = {}
    for row in promotions:
        plan = row.plan
        if plan.get("method") != "git" or not (plan.get("repository") and plan.get("branch")):
            continue
        key = (str(plan["repository"]), str(plan["branch"]))
        access = (row.application.project, str(plan.get("secret") or ""))
        accesses.setdefault(key, {})[access] = None
        recorded.setdefault(key, set()).update([row.commit] if row.commit else [])
    return [
        Place(*key, tuple(reversed(found)), tuple(sorted(recorded[key])))
        for key, found in accesses.items()
    ]


def requests() -> frozenset[str]:
    """Return the ids of what people asked for; a promotion of that id may come, or never."""
    return frozenset(str(key) for key in Request.objects.values_list("pk", flat=True))


def approved(promotions: Iterable[Promotion], by_hand: Mapping[str, bool]) -> Iterator[Approved]:
    """Return the approved promotions with the people and the rules of that time."""
    chosen = [row for row in promotions if row.approved_at is not None]
    rules = policy.sealed_under(chosen)
    for row in chosen:
        standing = policy.standing_approvals(row)
        given = [decision for decision in standing if not decision.is_automatic]
        alone = [decision for decision in standing if decision.is_automatic]
        yield Approved(
            promotion=promotion(row),
            mode=policy.mode_of(row),
            approvals=tuple(
                ApprovalFacts(
                    username=str(decision.identity.get("username") or decision.by),
                    seal=decision.seal,
                    roles=frozenset(map(str, decision.identity.get("roles") or ())),
                    groups=frozenset(map(str, decision.identity.get("groups") or ())),
                )
                for decision in given
            ),
            effective=policy.alone_under(alone[0]) if alone else rules.get(row.pk),
            is_automatic=bool(alone) and not by_hand.get(str(row.pk), True),
        )


def approved_by_people() -> dict[str, bool]:
    """Return, for each promotion that was approved, whether a person did that."""
    found = AuditEvent.objects.filter(kind=APPROVED).order_by("sequence")
    kinds = found.values_list("promotion", "actor_kind")
    return {promotion_id: kind == "person" for promotion_id, kind in kinds}


def limits(promotions: Iterable[Promotion]) -> dict[str, Limits]:
    """Return the windows and holds that stood between each approved promotion and its start."""
    chosen = [row for row in promotions if row.approved_at is not None]
    rules = policy.sealed_under(chosen)
    holds = list(Hold.objects.all())
    found = {}
    for row in chosen:
        effective = rules.get(row.pk)
        way_out = effective.way_out(policy.mode_of(row)) if effective else None
        found[str(row.pk)] = Limits(
            allow=effective.allow if effective else (),
            deny=effective.deny if effective else (),
            stops=tuple(_stop(hold) for hold in holds if _covers(hold, row)),
            overrides=way_out.overrides if way_out else frozenset(),
        )
    return found


def _covers(hold: Hold, row: Promotion) -> bool:
    return (
        hold.scope == Hold.Scope.EVERYTHING
        or hold.application_id == row.application_id
        or hold.tracked_image_id == row.tracked_image_id
    )


def _stop(hold: Hold) -> Stop:
    ends = [end for end in (hold.until, hold.released_at) if end is not None]
    return Stop(f"{hold.by}: {hold.reason}", hold.at, min(ends) if ends else None)


def running() -> dict[int, Running]:
    """Return what each tracked image's Application reports of it, as last read."""
    found = TrackedImage.objects.select_related("application", "image_repository").filter(
        Q(is_live=True), image_repository__isnull=False
    )
    found = found.defer("application__manifest")
    return {row.pk: _running(row) for row in found}


def _running(row: TrackedImage) -> Running:
    name = row.image_repository.name if row.image_repository else ""
    live = [_parsed(text) for text in row.application.live_images]
    versions = {
        word for one in live if one and one.repository == name for word in (one.tag, one.digest)
    }
    return Running(
        application=row.application.full_name,
        versions=frozenset(word for word in versions if word),
        is_gone=row.application.vanished_at is not None,
    )


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Any:  # noqa: ANN401  an image, or None where nobody can read the text
    try:
        return images.parse(text)
    except images.ImageReferenceError:
        return None
