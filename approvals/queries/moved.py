"""Running tags that were pushed again: what a restart brings is not what was approved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater.models import ImageTag, TrackedImage
from updater.selection import Strategy

_BROUGHT = [Status.VERIFYING, Status.SUCCEEDED, Status.FAILED]


@dataclass(frozen=True, slots=True)
class Moved:
    """A running tag, the digest that was brought, and the one behind the tag now."""

    tag: str
    brought: str
    now: str
    seen_at: datetime | None
    by_digest: bool  # what runs names its digest, so a restart brings the same


def of_images(images: Sequence[TrackedImage]) -> dict[int, Moved]:
    """Return the running tags that moved, by image, in two queries."""
    rows = [row for row in images if row.live_tag and row.is_live and not _follows_digest(row)]
    tags = {
        (tag.image_repository_id, tag.name): tag
        for tag in ImageTag.objects.filter(
            image_repository__in={row.image_repository_id for row in rows},
            name__in={row.live_tag for row in rows},
        ).exclude(digest="")
    }
    brought = _brought(rows)
    found = {}
    for row in rows:
        tag = tags.get((row.image_repository_id or 0, row.live_tag))
        digest = row.live_digest or brought.get((row.pk, row.live_tag), "")
        if tag is not None and digest and tag.digest != digest:
            found[row.pk] = Moved(
                row.live_tag, digest, tag.digest, tag.digest_seen_at, bool(row.live_digest)
            )
    return found


def _brought(images: Sequence[TrackedImage]) -> dict[tuple[int, str], str]:
    rows = Promotion.objects.filter(
        tracked_image__in=images, to_tag__in={row.live_tag for row in images}, status__in=_BROUGHT
    )
    told = rows.order_by("created_at").values_list("tracked_image", "to_tag", "to_digest")
    return {(image, tag): digest for image, tag, digest in told}


def _follows_digest(image: TrackedImage) -> bool:
    # There the same tag with another digest is the normal way on.
    return str(image.configuration.get("strategy")) == Strategy.DIGEST.value
