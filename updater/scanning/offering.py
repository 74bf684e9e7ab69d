"""From decisions to offers: moves the current candidates of tracked images, with their audit rows, or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from updater import audit, leases
from updater.audit import AuditKind
from updater.models import Candidate, ImageManifest, TrackedImage
from updater.scanning import statements
from updater.scanning.choosing import Decision
from updater.scanning.tuning import Moment
from updater.scanning.view import ImageView
from updater.selection import TagFacts


@dataclass(frozen=True, slots=True)
class Settlement:
    """A decision about one image, ready to be written; `chosen_from` is "" where it will be made anew."""

    view: ImageView
    decision: Decision
    chosen_from: str

    @property
    def offered(self) -> TagFacts | None:
        """The tag to offer."""
        return self.decision.chosen if self.decision.is_offer else None


def settle(repository_id: int, settlements: Iterable[Settlement], *, now: Moment) -> int:
    """Remember the choices of one repository's images and offer what they say; return how many are new."""
    by_image = {one.view.pk: one for one in settlements}
    if not by_image:
        return 0
    with transaction.atomic():
        leases.require_held()
        images = list(
            TrackedImage.objects.select_for_update(of=("self",))
            .select_related("application")
            .defer("application__manifest", "application__problems", "configuration", "choice")
            .filter(pk__in=list(by_image))
            .order_by("pk")
        )
        changed = _changed(images, by_image)
        _offer(repository_id, changed, now)
        statements.set_choices({image.pk: _choice(by_image[image.pk], now.at) for image in images})
    return len(changed)


def postpone(view: ImageView, decision: Decision, reason: str, *, at: datetime) -> None:
    """Show why the choice could not be made; what was offered stays offered."""
    choice = {**_choice(Settlement(view, decision, ""), at), "error": reason}
    statements.set_choices({view.pk: choice})


def _changed(
    images: Sequence[TrackedImage], by_image: Mapping[int, Settlement]
) -> list[tuple[TrackedImage, Settlement]]:
    """End the offers that no longer stand; return what is to be offered instead."""
    standing = Candidate.objects.filter(tracked_image__in=images, is_current=True)
    current = {row.tracked_image_id: row for row in standing}
    over: list[int] = []
    changed = []
    for image in images:
        settlement, row = by_image[image.pk], current.get(image.pk)
        offered = settlement.offered
        if row and offered and (row.tag, row.digest) == (offered.name, offered.digest):
            continue
        if row:
            over.append(row.pk)
        if offered:
            changed.append((image, settlement))
    if over:
        Candidate.objects.filter(pk__in=over).update(is_current=False)
    return changed


def _offer(
    repository_id: int, changed: Sequence[tuple[TrackedImage, Settlement]], now: Moment
) -> None:
    offers = [(image, one.decision, one.offered) for image, one in changed]
    rows = [
        Candidate(
            tracked_image=image,
            tag=offered.name,
            digest=offered.digest or "",
            reason=decision.reason,
            is_downgrade=decision.is_downgrade,
            is_current=True,
            found_at=now.at,
        )
        for image, decision, offered in offers
        if offered is not None
    ]
    if not rows:
        return
    known = ImageManifest.objects.filter(
        image_repository=repository_id, digest__in={row.digest for row in rows}
    )
    manifests = dict(known.values_list("digest", "pk"))
    for row in rows:
        row.manifest_id = manifests.get(row.digest)
    Candidate.objects.bulk_create(
        rows,
        update_conflicts=True,  # offered before, then not, and now again
        unique_fields=["tracked_image", "tag", "digest"],
        update_fields=["manifest", "reason", "is_downgrade", "is_current", "found_at"],
    )
    for row in rows:
        _record(row, now)


def _record(candidate: Candidate, now: Moment) -> None:
    image = candidate.tracked_image
    audit.record(
        kind=AuditKind.CANDIDATE_FOUND,
        by=now.by,
        subject=audit.about(image.application, image=image.alias),
        details={
            "from": image.live_tag,
            "tag": candidate.tag,
            "digest": candidate.digest,
            "reason": candidate.reason,
            "is_downgrade": candidate.is_downgrade,
        },
    )


def _choice(settlement: Settlement, at: datetime) -> dict[str, Any]:
    decision = settlement.decision
    chosen = decision.chosen
    return {
        "chosen": chosen.name if chosen else "",
        "digest": (chosen.digest or "") if chosen else "",
        "error": decision.error,
        "reason": decision.reason,
        "is_update": decision.is_offer,
        "is_downgrade": decision.is_downgrade,
        "at": at.isoformat(),
        "chosen_from": settlement.chosen_from,
    }
