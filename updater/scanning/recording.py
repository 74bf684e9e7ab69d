"""Writing down what a registry said: tags, digests with their intervals, manifests, failures. Never networks."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from updater import audit, leases
from updater.audit import AuditKind
from updater.integrations.registry import Manifest, TagList
from updater.models import (
    Candidate,
    ImageManifest,
    ImageRepository,
    ImageTag,
    TagDigest,
    TrackedImage,
)
from updater.scanning import statements
from updater.scanning.facts import KnownTag
from updater.scanning.planning import Harvest
from updater.scanning.tuning import Moment
from updater.selection import Strategy

BATCH = 1000


def write_listing(
    repository_id: int,
    listing: TagList,
    known: Mapping[str, KnownTag],
    *,
    at: datetime,
    ordered: bool,
) -> bool:
    """Bring the tag rows in line with a complete list; return whether anything changed."""
    listed = {name: place for place, name in enumerate(listing.names)}
    gone = [tag.pk for name, tag in known.items() if name not in listed]
    fresh = [name for name in listed if name not in known]
    moved = {
        tag.pk: listed[name]
        for name, tag in known.items()
        if ordered and name in listed and tag.position != listed[name]
    }
    if not gone and not fresh and not moved:
        return False
    with transaction.atomic():
        leases.require_held()
        _end(gone, at=at)
        _begin(repository_id, {name: listed[name] for name in fresh}, at=at)
        statements.set_positions(moved)
    return True


def _end(pks: list[int], *, at: datetime) -> None:
    if not pks:
        return
    ImageTag.objects.filter(pk__in=pks).update(removed_at=at)
    TagDigest.objects.filter(image_tag__in=pks, seen_until=None).update(seen_until=at)


def _begin(repository_id: int, places: Mapping[str, int], *, at: datetime) -> None:
    if not places:
        return
    rows = ImageTag.objects.filter(image_repository=repository_id, name__in=list(places))
    back = list(rows.exclude(removed_at=None))
    for tag in back:  # away and back: whatever it was, it has to be asked for again
        tag.removed_at, tag.digest, tag.digest_seen_at = None, "", None
        tag.position = places[tag.name]
    ImageTag.objects.bulk_update(
        back, ["removed_at", "digest", "digest_seen_at", "position"], batch_size=BATCH
    )
    seen = {tag.name for tag in back}
    ImageTag.objects.bulk_create(
        [
            ImageTag(image_repository_id=repository_id, name=name, position=place, first_seen_at=at)
            for name, place in places.items()
            if name not in seen
        ],
        batch_size=BATCH,
        ignore_conflicts=True,
    )


def write_harvest(
    repository_id: int, harvest: Harvest, tags: Mapping[str, KnownTag], *, now: Moment
) -> None:
    """Keep manifests for ever, and digests with the interval in which they stood behind their tag."""
    if not (harvest.manifests or harvest.problems or harvest.digests):
        return
    with transaction.atomic():
        leases.require_held()
        _write_manifests(repository_id, harvest, at=now.at)
        changed = {
            name: digest
            for name, digest in harvest.digests.items()
            if name in tags and tags[name].digest != digest
        }
        _see_again([name for name in harvest.digests if name not in changed], tags, at=now.at)
        _write_digests({tags[name].pk: digest for name, digest in changed.items()}, at=now.at)
        moved = {name: digest for name, digest in changed.items() if tags[name].digest}
        _alarm(repository_id, moved, tags, now)


def _write_manifests(repository_id: int, harvest: Harvest, *, at: datetime) -> None:
    rows = [
        *(_manifest_row(repository_id, one, at=at) for one in harvest.manifests.values()),
        *(
            ImageManifest(
                image_repository_id=repository_id, digest=digest, problem=problem, fetched_at=at
            )
            for digest, problem in harvest.problems.items()
        ),
    ]
    ImageManifest.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,  # another platform of a known index was read
        unique_fields=["image_repository", "digest"],
        update_fields=["created", "platforms", "labels", "size_bytes", "problem"],
    )


def _manifest_row(repository_id: int, manifest: Manifest, *, at: datetime) -> ImageManifest:
    return ImageManifest(
        image_repository_id=repository_id,
        digest=manifest.digest,
        media_type=manifest.media_type,
        created=manifest.created,
        platforms=_platforms(manifest),
        labels=dict(manifest.labels),
        size_bytes=manifest.size,
        fetched_at=at,
    )


def _platforms(manifest: Manifest) -> list[dict[str, Any]]:
    return [
        {
            "platform": one.platform,
            "digest": one.digest,
            "created": one.created.isoformat() if one.created else None,
            "labels": dict(one.labels or {}),
            "is_read": one.is_read,
        }
        for one in manifest.platforms
    ]


def _see_again(names: Iterable[str], tags: Mapping[str, KnownTag], *, at: datetime) -> None:
    pks = [tags[name].pk for name in names if name in tags]
    if pks:
        ImageTag.objects.filter(pk__in=pks).update(digest_seen_at=at)


def _write_digests(digests: Mapping[int, str], *, at: datetime) -> None:
    if not digests:
        return
    TagDigest.objects.filter(image_tag__in=list(digests), seen_until=None).update(seen_until=at)
    TagDigest.objects.bulk_create(
        [TagDigest(image_tag_id=pk, digest=digest, seen_from=at) for pk, digest in digests.items()],
        batch_size=BATCH,
    )
    statements.set_digests(digests, at=at)


def _alarm(
    repository_id: int, moved: Mapping[str, str], tags: Mapping[str, KnownTag], now: Moment
) -> None:
    """Record a tag that was pushed again behind somebody's back; for strategy digest that is the normal way."""
    if not moved:
        return
    offers = Candidate.objects.filter(is_current=True, tag__in=list(moved))
    offered = dict(
        offers.filter(tracked_image__image_repository=repository_id).values_list(
            "tracked_image", "tag"
        )
    )
    images = (
        TrackedImage.objects.present()
        .filter(image_repository=repository_id)
        .filter(Q(pk__in=offered) | Q(live_tag__in=list(moved), is_live=True))
        .exclude(configuration__strategy=Strategy.DIGEST.value)
    )
    for image in images.select_related("application").defer("application__manifest").order_by("pk"):
        concerned = {offered.get(image.pk, ""): "is offered", image.live_tag: "runs"}
        for tag in concerned.keys() & moved.keys():
            audit.record(
                kind=AuditKind.TAG_MOVED,
                by=now.by,
                subject=audit.about(image.application, image=image.alias),
                details={
                    "tag": tag,
                    "what": concerned[tag],
                    "before": tags[tag].digest,
                    "after": moved[tag],
                    "seen_until": tags[tag].digest_seen_at,
                    "at": now.at,
                },
            )


def record_successes(spent: Mapping[int, tuple[int, int]], *, now: Moment) -> None:
    """Write down good scans: for each repository the number of tags, and of requests."""
    rows = ImageRepository.objects.filter(pk__in=list(spent))
    with transaction.atomic():
        leases.require_held()
        _record_recoveries(rows.exclude(error_code=""), now)
        statements.set_scanned(spent, at=now.at)


def _record_recoveries(rows: QuerySet[ImageRepository], now: Moment) -> None:
    recovered = list(rows.select_for_update(of=("self",)).select_related("registry"))
    if not recovered:
        return
    for row in recovered:
        if row.failing_since is not None:  # else the outage was the registry's, and so is its end
            details = {"repository": str(row), "since": row.failing_since, "code": row.error_code}
            audit.record(kind=AuditKind.SCAN_RECOVERED, by=now.by, details=details)
    healed = ImageRepository.objects.filter(pk__in=[row.pk for row in recovered])
    healed.update(error_code="", error_message="", failing_since=None)


def record_failure(
    repository_id: int, error: tuple[str, str], *, now: Moment, is_complete: bool
) -> None:
    """Write down why a scan failed: code and sentence. One event an outage; all that was known stays."""
    code, message = error
    with transaction.atomic():
        leases.require_held()
        rows = ImageRepository.objects.filter(pk=repository_id)
        row = rows.select_for_update(of=("self",)).select_related("registry").get()
        rows.update(
            error_code=code,
            error_message=message,
            failing_since=row.failing_since or now.at,
            is_complete=is_complete and row.is_complete,
        )
        if row.failing_since is None:
            details = {"repository": str(row), "code": code, "message": message}
            audit.record(kind=AuditKind.SCAN_FAILED, by=now.by, details=details)


def note_outage(repository_ids: Iterable[int], *, code: str, message: str) -> None:
    """Show a registry's outage at the repositories that were asked; the event is the registry's."""
    ImageRepository.objects.filter(Q(error_code=""), pk__in=list(repository_ids)).update(
        error_code=code, error_message=message
    )
