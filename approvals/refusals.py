"""Digests that are not offered again for an image (design.md 8.8): the one writer of `Refusal`.

A rejection keeps its digest away. So does going back: what is left behind is refused in the transaction that
starts the write, not when the people agree. Until then it still runs, so no scan can offer it, and a way back that
is withdrawn or expires leaves nothing behind. A moment later it is too late: the commit may be rolled out
while nobody has recorded it yet, and a scan would offer at once what people just left.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from approvals import lifecycle
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import audit
from updater.audit import Actor, AuditKind
from updater.models import ImageTag, Refusal, TrackedImage


@dataclass(frozen=True, slots=True)
class Build:
    """A tag with the digest behind it."""

    tag: str
    digest: str


def refuse(
    image: TrackedImage, build: Build, reason: str, *, scope: str, by: Actor, at: datetime
) -> bool:
    """Keep a digest from being offered until somebody lifts that; False if it was refused already."""
    _, is_new = Refusal.objects.get_or_create(
        tracked_image=image,
        digest=build.digest,
        lifted_at=None,
        defaults={
            "tag": build.tag,
            "scope": Refusal.Scope(scope),
            "reason": reason.strip(),
            "by": by.name,
            "at": at,
        },
    )
    return is_new


def leave_behind(promotion: Promotion, *, by: Actor, at: datetime) -> None:
    """Refuse what a promotion that goes back leaves behind, and everything older, in the caller's transaction."""
    if not goes_back(promotion):
        return
    asker = Actor(name=promotion.requested_by)
    for build in dict.fromkeys(_left(promotion)):
        # Not only this digest: the builds before it would be a strange thing to offer now.
        scope = Refusal.Scope.UNTIL_NEWER
        reason = f"Left for {promotion.to_tag}: {promotion.request_reason}"
        if refuse(promotion.tracked_image, build, reason, scope=scope, by=asker, at=at):
            audit.record(
                kind=AuditKind.DIGEST_REFUSED,
                by=by,
                subject=lifecycle.subject_of(promotion),
                details={"tag": build.tag, "digest": build.digest, "reason": reason},
            )


def goes_back(promotion: Promotion) -> bool:
    """Whether it leads to something older than what runs, because a person asked for that."""
    if promotion.kind == Promotion.Kind.FORWARD:
        return False
    # An emergency may have been a chosen tag before: it has who asked for it then.
    is_chosen_older = bool(promotion.requested_by) and promotion.candidate.is_downgrade
    return promotion.kind == Promotion.Kind.ROLLBACK or is_chosen_older


def _left(promotion: Promotion) -> Iterator[Build]:
    """Yield what runs, and what was written last: a release that never came up is not what runs."""
    image = TrackedImage.objects.get(pk=promotion.tracked_image_id)
    written = image.promotions.filter(pushed_at__isnull=False).exclude(pk=promotion.pk)
    last = written.order_by("-pushed_at").first()
    found = [Build(image.live_tag, running_digest(image))]
    if last is not None and last.status != Status.SUCCEEDED:
        found.append(Build(last.to_tag, last.to_digest))
    yield from (item for item in found if item.digest not in ("", promotion.to_digest))


def running_digest(image: TrackedImage) -> str:
    """Return the digest that runs; where Argo CD names only a tag, the one behind it as the registry last said."""
    if image.live_digest:
        return image.live_digest
    tags = ImageTag.objects.filter(image_repository=image.image_repository_id, name=image.live_tag)
    return tags.values_list("digest", flat=True).first() or ""
