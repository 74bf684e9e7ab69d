"""What gates look at, read from the database: tags, holds, other Applications. A fixed number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Min

from approvals.models import Hold, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy.effective import Effective
from approvals.policy.facts import mode_of
from approvals.policy.rules import Rules
from approvals.policy.surroundings import DigestFact, HoldFact, Surroundings
from approvals.policy.upstream_facts import Upstreams
from updater.models import Candidate, ImageTag, TagDigest


@dataclass(frozen=True, slots=True)
class Read:
    """What a page has read already and need not be read again; a worker reads all of it anew."""

    holds: Sequence[Hold] | None = None  # all that stand
    is_whole: bool = False  # the promotions came with subject and plan


NOTHING_READ = Read()


def gather(
    promotions: Sequence[Promotion],
    rules: Rules,
    *,
    at: datetime,
    read: Read = NOTHING_READ,
) -> dict[UUID, Surroundings]:
    """Return what the gates of each promotion look at."""
    tags, moved = _tags(promotions), _moved(promotions)
    seen = _first_seen(promotions)
    holds = standing_holds(at) if read.holds is None else read.holds
    upstream = Upstreams.read(promotions, rules)
    kept = _kept_whole(promotions) if read.is_whole else _kept(promotions)
    return {
        row.pk: Surroundings(
            at=at,
            start_by=_start_by(row, rules.of(row), at),
            digest=_digest(row, tags, moved),
            mode=mode_of(row),
            holds=tuple(
                _hold(item)
                for item in holds
                if item.covers(row.application, row.tracked_image.alias)
            ),
            first_seen_at=seen.get((row.tracked_image.image_repository_id, row.to_digest)),
            upstream={
                rule.application: upstream.fact(rule.application, row, at=at)
                for rule in rules.of(row).upstream
            },
            writers=kept[row.pk].writers,
            writers_at=kept[row.pk].planned_at or row.application.seen_at,
            sealed_version=kept[row.pk].policy_version,
            current_version=rules.of(row).version(mode_of(row)),
            policy_loaded_at=rules.policy.loaded_at,
            policy_problem=rules.policy.problem,
            closed=rules.policy.closed,
        )
        for row in promotions
    }


def _start_by(row: Promotion, effective: Effective, at: datetime) -> datetime:
    if row.status == Status.APPROVED:
        return row.expires_at
    seconds = effective.approved_seconds or settings.APPROVED_EXPIRY_SECONDS
    return at + timedelta(seconds=seconds)


def _tags(promotions: Sequence[Promotion]) -> dict[tuple[int | None, str], ImageTag]:
    rows = ImageTag.objects.filter(
        image_repository__in={row.tracked_image.image_repository_id for row in promotions},
        name__in={row.to_tag for row in promotions},
    )
    return {(tag.image_repository_id, tag.name): tag for tag in rows}


def _moved(promotions: Sequence[Promotion]) -> dict[tuple[int, str], str]:
    """Return the digest of the current candidate by image and tag."""
    rows = Candidate.objects.filter(
        tracked_image__in={row.tracked_image_id for row in promotions}, is_current=True
    )
    found = rows.values_list("tracked_image", "tag", "digest")
    return {(image, tag): digest for image, tag, digest in found}


def _digest(
    row: Promotion,
    tags: Mapping[tuple[int | None, str], ImageTag],
    moved: Mapping[tuple[int, str], str],
) -> DigestFact:
    tag = tags.get((row.tracked_image.image_repository_id, row.to_tag))
    offered = moved.get((row.tracked_image_id, row.to_tag), row.to_digest)
    if tag is not None and tag.removed_at is not None:
        return DigestFact("gone", at=tag.removed_at)
    if tag is not None and tag.digest not in ("", row.to_digest):
        return DigestFact("moved", tag.digest, tag.digest_seen_at)
    if offered != row.to_digest:
        return DigestFact("moved", offered)
    if tag is None or not tag.digest:
        return DigestFact("unseen")
    return DigestFact("same", tag.digest, tag.digest_seen_at)


def _first_seen(promotions: Sequence[Promotion]) -> dict[tuple[int | None, str], datetime]:
    rows = (
        TagDigest.objects.filter(
            digest__in={row.to_digest for row in promotions},
            image_tag__image_repository__in={
                row.tracked_image.image_repository_id for row in promotions
            },
        )
        .values_list("image_tag__image_repository", "digest")
        .annotate(first=Min("seen_from"))
    )
    seen: dict[tuple[int | None, str], datetime] = {
        (repository, digest): first for repository, digest, first in rows
    }
    for row in promotions:
        key = (row.tracked_image.image_repository_id, row.to_digest)
        if row.candidate.digest == row.to_digest:
            seen[key] = min(seen.get(key, row.candidate.found_at), row.candidate.found_at)
    return seen


def standing_holds(at: datetime) -> list[Hold]:
    """Return all holds that stand, whoever may see them."""
    return list(Hold.objects.standing(at).with_target().order_by("at", "pk"))


def _hold(hold: Hold) -> HoldFact:
    return HoldFact(hold.target, hold.reason, hold.by, hold.at, hold.until)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a promotion itself keeps of its surroundings; its plan, which may be large, is not loaded."""

    policy_version: str
    writers: tuple[str, ...]
    planned_at: datetime | None


def _kept(promotions: Sequence[Promotion]) -> dict[UUID, _Kept]:
    rows = Promotion.objects.filter(pk__in=[row.pk for row in promotions])
    found = rows.values_list("pk", "subject__policy", "plan__writers", "plan__at")
    return {pk: _keeps(version, writers, planned) for pk, version, writers, planned in found}


def _kept_whole(promotions: Sequence[Promotion]) -> dict[UUID, _Kept]:
    return {
        row.pk: _keeps(row.subject.get("policy"), row.plan.get("writers"), row.plan.get("at"))
        for row in promotions
    }


def _keeps(version: object, writers: object, planned: object) -> _Kept:
    return _Kept(
        str(version or ""),
        tuple(str(name) for name in writers) if isinstance(writers, list) else (),
        datetime.fromisoformat(planned) if isinstance(planned, str) else None,
    )
