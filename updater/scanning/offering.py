"""From decisions to offers: moves the current candidate of a tracked image, with its audit row, or not at all."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from updater import audit
from updater.audit import Actor, AuditKind
from updater.models import Candidate, ImageManifest, Refusal, TrackedImage
from updater.scanning.choosing import Decision
from updater.scanning.preparing import read_configuration
from updater.scanning.view import ImageView, StandingRefusal, live_references
from updater.selection import TagFacts


def views(repository_id: int, *, sort_mode: str) -> list[ImageView]:
    """Return all images that follow a repository, ready to be chosen for."""
    rows = list(
        TrackedImage.objects.present()
        .filter(image_repository=repository_id, is_usable=True)
        .order_by("pk")
    )
    refusals = _refusals(repository_id, rows)
    found = (_view(row, refusals.get(row.pk, ()), sort_mode) for row in rows)
    return [view for view in found if view is not None]


def _view(
    row: TrackedImage, refusals: Sequence[StandingRefusal], sort_mode: str
) -> ImageView | None:
    configuration = read_configuration(row)
    if configuration is None:
        return None
    live = live_references(configuration.live)
    if not live and row.is_live:
        tag, digest = row.live_tag or None, row.live_digest or None
        live = (replace(configuration.reference, tag=tag, digest=digest),)
    return ImageView(
        pk=row.pk,
        configuration=configuration,
        configuration_hash=row.configuration_hash,
        live=live,
        refusals=tuple(refusals),
        sort_mode=sort_mode,
        chosen_from=str(row.choice.get("chosen_from", "")),
    )


def _refusals(
    repository_id: int, images: Sequence[TrackedImage]
) -> Mapping[int, list[StandingRefusal]]:
    rows = list(Refusal.objects.filter(tracked_image__in=images, lifted_at=None).order_by("pk"))
    if not rows:
        return {}
    built = dict(
        ImageManifest.objects.filter(
            image_repository=repository_id, digest__in=[row.digest for row in rows]
        ).values_list("digest", "created")
    )
    found: defaultdict[int, list[StandingRefusal]] = defaultdict(list)
    for row in rows:
        until_newer = row.scope == Refusal.Scope.UNTIL_NEWER
        one = StandingRefusal(row.tag, row.digest, until_newer, built.get(row.digest))
        found[row.tracked_image_id].append(one)
    return found


def settle(
    view: ImageView, decision: Decision, *, chosen_from: str, at: datetime, by: Actor
) -> bool:
    """Remember the choice and offer what it says; return whether that is a new offer."""
    with transaction.atomic():
        image = TrackedImage.objects.select_for_update().get(pk=view.pk)
        offered = decision.chosen if decision.is_offer else None
        is_new = _move(image, offered, decision, at=at, by=by)
        TrackedImage.objects.filter(pk=view.pk).update(
            choice=_choice(decision, chosen_from=chosen_from, at=at)
        )
    return is_new


def postpone(view: ImageView, decision: Decision, reason: str, *, at: datetime) -> None:
    """Show why the choice could not be made; what was offered stays offered."""
    choice = {**_choice(decision, chosen_from="", at=at), "error": reason}
    TrackedImage.objects.filter(pk=view.pk).update(choice=choice)


def _choice(decision: Decision, *, chosen_from: str, at: datetime) -> dict[str, Any]:
    chosen = decision.chosen
    return {
        "chosen": chosen.name if chosen else "",
        "digest": (chosen.digest or "") if chosen else "",
        "error": decision.error,
        "reason": decision.reason,
        "is_update": decision.is_offer,
        "is_downgrade": decision.is_downgrade,
        "at": at.isoformat(),
        "chosen_from": chosen_from,
    }


def _move(
    image: TrackedImage, offered: TagFacts | None, decision: Decision, *, at: datetime, by: Actor
) -> bool:
    current = image.candidates.filter(is_current=True).first()
    if current and offered and (current.tag, current.digest) == (offered.name, offered.digest):
        return False
    if current:
        image.candidates.filter(pk=current.pk).update(is_current=False)
    if offered is None:
        return False
    candidate = _offer(image, offered, decision, at=at)
    audit.record(
        kind=AuditKind.CANDIDATE_FOUND,
        by=by,
        subject=audit.about(image.application, image=image.alias),
        details={
            "from": image.live_tag,
            "tag": candidate.tag,
            "digest": candidate.digest,
            "reason": candidate.reason,
            "is_downgrade": candidate.is_downgrade,
        },
    )
    return True


def _offer(
    image: TrackedImage, offered: TagFacts, decision: Decision, *, at: datetime
) -> Candidate:
    manifest = ImageManifest.objects.filter(
        image_repository=image.image_repository_id, digest=offered.digest
    ).first()
    candidate, _ = Candidate.objects.update_or_create(
        tracked_image=image,
        tag=offered.name,
        digest=offered.digest,
        defaults={
            "manifest": manifest,
            "reason": decision.reason,
            "is_downgrade": decision.is_downgrade,
            "is_current": True,
            "found_at": at,
        },
    )
    return candidate
