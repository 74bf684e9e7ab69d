"""One promotion with everything a decision needs: what stands around it, its past and its attempts."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Case, Prefetch, Q, QuerySet, When

from approvals.models import Comment, Execution, ExecutionStep, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.queries.scopes import Scope
from updater.audit import AuditKind
from updater.models import AuditEvent, ImageManifest, ImageTag, Lease

MAX_EVENTS = 200
MAX_SIBLINGS = 20
_IN_FLIGHT = Status.in_flight()


@dataclass(frozen=True, slots=True)
class Dossier:
    """The rows around one promotion."""

    promotion: Promotion
    running_tag: ImageTag | None
    running_manifest: ImageManifest | None
    ran_since: Promotion | None  # the release that brought what runs now
    siblings: tuple[Promotion, ...]  # other open promotions of the Application
    in_flight: Mapping[int, Promotion]  # what is being written for the image, by image
    events: tuple[AuditEvent, ...]  # newest first
    comments: tuple[Comment, ...]
    attempts: tuple[Execution, ...]  # newest first, with steps

    @property
    def attempt(self) -> Execution | None:
        """The latest attempt."""
        return self.attempts[0] if self.attempts else None


def find(promotion_id: UUID, *, visible: Scope) -> Promotion | None:
    """Return the promotion with its target, registry and decisions, if there is one to be seen."""
    rows = visible.limit(Promotion.objects.all()).select_related(
        "application",
        "tracked_image__image_repository__registry",
        "candidate__manifest",
        "superseded_by",
        "returns_to",
        "review__declared_by",
        "review__given_by",
    )
    return rows.prefetch_related("decisions__by").filter(pk=promotion_id).first()


def dossier(promotion: Promotion) -> Dossier:
    """Return the rows around this promotion, in a fixed number of queries."""
    others = _others_alive(promotion)
    return Dossier(
        promotion=promotion,
        running_tag=_running_tag(promotion),
        running_manifest=_running_manifest(promotion),
        ran_since=_ran_since(promotion),
        siblings=tuple(row for row in others if row.status in Status.undecided_or_waiting()),
        in_flight={row.tracked_image_id: row for row in others if row.status in _IN_FLIGHT},
        events=events_of(promotion),
        comments=tuple(promotion.comments.order_by("-at")[:MAX_EVENTS]),
        attempts=attempts_of(promotion),
    )


def events_of(promotion: Promotion) -> tuple[AuditEvent, ...]:
    """Return the newest events of the promotion, newest first."""
    events = AuditEvent.objects.filter(promotion=str(promotion.pk)).order_by("-sequence")
    return tuple(events[:MAX_EVENTS])


def attempts_of(promotion: Promotion) -> tuple[Execution, ...]:
    """Return all attempts with their steps, newest first."""
    steps = Prefetch("steps", ExecutionStep.objects.order_by("position"))
    return tuple(promotion.executions.order_by("-attempt").prefetch_related(steps))


def resealings_since(promotion: Promotion, seal: str) -> tuple[AuditEvent, ...]:
    """Return the re-sealings that came after this seal, oldest first; all of them if it is not known."""
    marks = AuditEvent.objects.filter(
        promotion=str(promotion.pk),
        kind__in=[AuditKind.PROMOTION_OPENED, AuditKind.PROMOTION_RESEALED],
    ).order_by("sequence")
    found = list(marks[:MAX_EVENTS])
    quoted = f'"seal":"{seal}"'  # canonical JSON: exactly one way to write it
    known = [index for index, event in enumerate(found) if quoted in event.details]
    later = found[known[-1] + 1 :] if known else found
    return tuple(event for event in later if event.kind == AuditKind.PROMOTION_RESEALED)


def _others(promotion: Promotion) -> QuerySet[Promotion]:
    return Promotion.objects.filter(tracked_image=promotion.tracked_image_id).exclude(
        pk=promotion.pk
    )


def _running_tag(promotion: Promotion) -> ImageTag | None:
    return ImageTag.objects.filter(
        image_repository=promotion.tracked_image.image_repository_id, name=promotion.from_tag
    ).first()


def _running_manifest(promotion: Promotion) -> ImageManifest | None:
    return ImageManifest.objects.filter(
        image_repository=promotion.tracked_image.image_repository_id, digest=promotion.from_digest
    ).first()


def _ran_since(promotion: Promotion) -> Promotion | None:
    releases = _others(promotion).filter(
        status=Status.SUCCEEDED, to_tag=promotion.from_tag, created_at__lt=promotion.created_at
    )
    return releases.order_by("-created_at").only("ended_at", "to_tag").first()


def replacement_of(promotion: Promotion) -> Promotion | None:
    """Return the promotion that was written after this one and stands in its place now."""
    if promotion.status != Status.SUCCEEDED or promotion.pushed_at is None:
        return None
    later = _others(promotion).filter(pushed_at__gt=promotion.pushed_at)
    return later.order_by("-pushed_at").only("to_tag", "pushed_at").first()


def _others_alive(promotion: Promotion) -> list[Promotion]:
    """Return the other open promotions of the Application, after what is being written for this image."""
    mine = Q(tracked_image=promotion.tracked_image_id, status__in=_IN_FLIGHT)
    rows = Promotion.objects.filter(
        mine | Q(status__in=Status.undecided_or_waiting()), application=promotion.application_id
    ).exclude(pk=promotion.pk)
    first = Case(When(mine, then=0), default=1)
    shown = rows.select_related("tracked_image").defer("plan", "subject")
    return list(shown.order_by(first, "tracked_image__alias")[:MAX_SIBLINGS])


def lease_of(execution: Execution) -> Lease | None:
    """Return the lease of the target this attempt writes to."""
    return Lease.objects.filter(target=execution.target).first()
