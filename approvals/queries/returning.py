"""What ran, for how long, and to which of it an image can be sent back: the same facts for page and verb."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.models import Promotion, Request
from approvals.models.promotion import PromotionStatus as Status
from approvals.queries import asked
from updater.models import ImageTag, Refusal, TrackedImage

MAX_RELEASES = 50


@dataclass(frozen=True, slots=True)
class Objection:
    """Why there is no way back to a release: a word for machines, a sentence for people."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Release:
    """One release of an image, with the time in which it was the last one."""

    promotion: Promotion
    since: datetime
    until: datetime | None  # None: nothing was released after it
    objection: Objection | None

    @property
    def can_be_returned_to(self) -> bool:
        """Whether a rollback to it may be asked for."""
        return self.objection is None

    @property
    def runs_now(self) -> bool:
        """Whether this is what runs."""
        return self.objection is not None and self.objection.code == RUNS_NOW


RUNS_NOW = "runs_now"


@dataclass(frozen=True, slots=True)
class _Facts:
    image: TrackedImage
    tags: Mapping[str, ImageTag]
    refusals: Mapping[str, Refusal]
    in_the_way: str
    last: Promotion | None  # what was released last


def releases_of(image: TrackedImage) -> tuple[Release, ...]:
    """Return what was released of an image, newest first, in a fixed number of queries."""
    rows = image.promotions.filter(
        status__in=[Status.SUCCEEDED, Status.FAILED], ended_at__isnull=False
    )
    rows = rows.select_related("returns_to", "review").prefetch_related("decisions")
    found = list(rows.defer("plan", "subject").order_by("-ended_at")[:MAX_RELEASES])
    facts = _facts(image, found, last=found[0] if found else None)
    return tuple(_release(row, place, found, facts) for place, row in enumerate(found))


def objection_to(promotion: Promotion, image: TrackedImage) -> Objection | None:
    """Return why the image cannot be sent back to this promotion; None when it can."""
    if promotion.status != Status.SUCCEEDED:
        return _not_succeeded(promotion)
    image.application = promotion.application  # the same row, read already
    written = image.promotions.filter(ended_at__isnull=False)
    last = written.filter(status__in=[Status.SUCCEEDED, Status.FAILED]).order_by("-ended_at")
    return _objection(promotion, _facts(image, [promotion], last=last.first()))


def _release(row: Promotion, place: int, found: Sequence[Promotion], facts: _Facts) -> Release:
    since = row.ended_at or row.status_at
    until = found[place - 1].ended_at if place else None
    return Release(row, since, until, _objection(row, facts))


def _facts(image: TrackedImage, rows: Sequence[Promotion], *, last: Promotion | None) -> _Facts:
    tags = ImageTag.objects.filter(
        image_repository=image.image_repository_id, name__in={row.to_tag for row in rows}
    )
    refusals = image.refusals.filter(lifted_at=None, digest__in={row.to_digest for row in rows})
    return _Facts(
        image=image,
        tags={tag.name: tag for tag in tags},
        refusals={refusal.digest: refusal for refusal in refusals},
        in_the_way=asked.in_the_way(image, Request.Kind.ROLLBACK),
        last=last,
    )


def _objection(row: Promotion, facts: _Facts) -> Objection | None:
    image, application = facts.image, facts.image.application
    if row.status != Status.SUCCEEDED:
        return _not_succeeded(row)
    if application.vanished_at is not None:
        return Objection("application_gone", "The Application is gone from the cluster.")
    if image.removed_at is not None or not image.is_usable:
        return Objection(
            "image_not_usable", f"{image.alias} is not configured any more, or broken."
        )
    if _runs(row, facts):
        return Objection(RUNS_NOW, "It runs now.")
    return _objection_of_registry(row, facts) or _objection_of_people(row, facts)


def _not_succeeded(row: Promotion) -> Objection:
    return Objection("not_succeeded", f"It {row.is_what}: only what succeeded here is a way back.")


def _runs(row: Promotion, facts: _Facts) -> bool:
    """Whether it runs and nothing else was released since: a later one may not have come up, but stands in Git."""
    image, last = facts.image, facts.last
    is_live = row.to_tag == image.live_tag and image.live_digest in ("", row.to_digest)
    is_last = last is None or (last.to_tag, last.to_digest) == (row.to_tag, row.to_digest)
    return is_live and is_last


def _objection_of_registry(row: Promotion, facts: _Facts) -> Objection | None:
    tag = facts.tags.get(row.to_tag)
    if tag is None or tag.removed_at is not None:
        return Objection("gone", f"{row.to_tag} is gone from the registry.")
    if tag.digest not in ("", row.to_digest):
        return Objection("moved", f"{row.to_tag} was pushed again: it is another image now.")
    return None


def _objection_of_people(row: Promotion, facts: _Facts) -> Objection | None:
    if refusal := facts.refusals.get(row.to_digest):
        sentence = f"{refusal.by} refused it: “{refusal.reason}”. Lift that first."
        return Objection("refused", sentence)
    if facts.in_the_way:
        return Objection("in_the_way", facts.in_the_way)
    return None
