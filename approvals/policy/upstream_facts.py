"""What other Applications do with a digest: whether they run it, healthy, and since when."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy.rules import Rules
from approvals.policy.surroundings import UpstreamFact
from updater.models import Application, TrackedImage

OLD_AFTER = timedelta(minutes=10)  # an Application seen longer ago proves nothing


class Upstreams:
    """The Applications that rules name, with what they run and what succeeded there last."""

    def __init__(
        self,
        applications: dict[str, Application],
        images: dict[tuple[int, int | None], TrackedImage],
        succeeded: dict[int, Promotion],
    ) -> None:
        self._applications = applications
        self._images = images
        self._succeeded = succeeded

    @classmethod
    def read(cls, promotions: Sequence[Promotion], rules: Rules) -> "Upstreams":
        """Read everything that these promotions may ask for."""
        wanted = {rule.application for row in promotions for rule in rules.of(row).upstream}
        if not wanted:
            return cls({}, {}, {})
        names = {name.rpartition("/")[2] for name in wanted}
        found = Application.objects.present().filter(name__in=names)
        applications = {row.full_name: row for row in found if row.full_name in wanted}
        images = TrackedImage.objects.filter(
            application__in=applications.values(), removed_at=None
        ).defer("configuration", "choice")
        by_repository = {(row.application_id, row.image_repository_id): row for row in images}
        return cls(applications, by_repository, _last_succeeded(by_repository.values()))

    def fact(self, name: str, row: Promotion, *, at: datetime) -> UpstreamFact:
        """Return what the Application of this name does with the promotion's digest."""
        application = self._applications.get(name)
        if application is None:
            return UpstreamFact("missing", "is not known here")
        image = self._images.get((application.pk, row.tracked_image.image_repository_id))
        seen = application.seen_at
        if image is None:
            return UpstreamFact("missing", "has no such image", at=seen)
        if at - seen > OLD_AFTER:
            return UpstreamFact("missing", "was not seen lately", at=seen)
        last = self._succeeded.get(image.pk)
        if not _runs(image, last, row.to_digest):
            return UpstreamFact("other", f"runs {image.live_tag or 'something else'}", at=seen)
        if application.health_status != "Healthy":
            health = application.health_status or "of unknown health"
            return UpstreamFact("unhealthy", f"runs it and is {health}", at=seen)
        since = _healthy_since(application, last, row.to_digest)
        return UpstreamFact("healthy", "runs it and is Healthy", since, seen)


def _last_succeeded(images: Iterable[TrackedImage]) -> dict[int, Promotion]:
    rows = (
        Promotion.objects.filter(tracked_image__in=list(images), status=Status.SUCCEEDED)
        .order_by("tracked_image", "-ended_at")
        .distinct("tracked_image")
        .only("tracked_image", "to_tag", "to_digest", "ended_at")
    )
    return {row.tracked_image_id: row for row in rows}


def _runs(image: TrackedImage, last: Promotion | None, digest: str) -> bool:
    if image.live_digest:
        return image.live_digest == digest
    # Without a digest in the report, the tag that we brought there stands for the digest we brought.
    return last is not None and last.to_digest == digest and image.live_tag == last.to_tag


def _healthy_since(
    application: Application, last: Promotion | None, digest: str
) -> datetime | None:
    if last is None or last.to_digest != digest or last.ended_at is None:
        return None
    health: Any = application.manifest.get("status", {}).get("health") or {}
    try:
        changed = datetime.fromisoformat(str(health.get("lastTransitionTime")))
    except ValueError:
        return last.ended_at
    return max(changed, last.ended_at) if changed.tzinfo else last.ended_at
