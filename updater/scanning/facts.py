"""What the rows know of an image repository's tags and manifests, as the facts that choosing wants."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from updater import patterns
from updater.models import ImageManifest, ImageTag
from updater.selection import TagFacts


@dataclass(frozen=True, slots=True)
class KnownTag:
    """A row of ImageTag."""

    pk: int
    digest: str
    digest_seen_at: datetime | None
    position: int


@dataclass(frozen=True, slots=True)
class KnownPlatform:
    """One image behind a digest; `is_read` says whether its build time was looked up."""

    platform: str
    created: datetime | None
    is_read: bool


@dataclass(frozen=True, slots=True)
class KnownManifest:
    """A row of ImageManifest; with a problem it can never be offered."""

    platforms: tuple[KnownPlatform, ...]
    problem: str

    def created(self, wanted: tuple[str, ...]) -> datetime | None:
        """Return the newest build time among the wanted platforms; of any, where no wanted one is there."""
        images = list(self._of(wanted)) or self.platforms
        return max((one.created for one in images if one.created is not None), default=None)

    def is_read(self, wanted: tuple[str, ...]) -> bool:
        """Return whether everything wanted was looked up."""
        return bool(self.problem) or all(one.is_read for one in self._of(wanted))

    def _of(self, wanted: tuple[str, ...]) -> Iterable[KnownPlatform]:
        return (one for one in self.platforms if patterns.platform_matches(wanted, one.platform))


def present_tags(repository_ids: Iterable[int]) -> Mapping[int, dict[str, KnownTag]]:
    """Return for each repository the tags the registry listed last, by name, in its order."""
    rows = ImageTag.objects.filter(image_repository__in=list(repository_ids), removed_at=None)
    values = rows.order_by("position", "pk").values_list(
        "image_repository", "name", "pk", "digest", "digest_seen_at", "position"
    )
    found: defaultdict[int, dict[str, KnownTag]] = defaultdict(dict)
    for repository, name, pk, digest, seen_at, position in values:
        found[repository][name] = KnownTag(pk, digest, seen_at, position)
    return found


def manifests(repository_id: int) -> dict[str, KnownManifest]:
    """Return the known manifests of a repository, by digest."""
    rows = ImageManifest.objects.filter(image_repository=repository_id)
    return {
        digest: KnownManifest(tuple(_platform(one) for one in platforms), problem)
        for digest, platforms, problem in rows.values_list("digest", "platforms", "problem")
    }


def of_tags(
    tags: Mapping[str, KnownTag], known: Mapping[str, KnownManifest], wanted: tuple[str, ...]
) -> tuple[list[TagFacts], set[str]]:
    """Return the facts of the tags that can be offered at all, and the names of those not read yet."""
    facts: list[TagFacts] = []
    unread: set[str] = set()
    for name, tag in tags.items():
        manifest = known.get(tag.digest)
        if manifest is None or not manifest.is_read(wanted):
            unread.add(name)
        if manifest is None or not manifest.problem:
            facts.append(_fact(name, tag, manifest, wanted))
    return facts, unread


def _fact(
    name: str, tag: KnownTag, manifest: KnownManifest | None, wanted: tuple[str, ...]
) -> TagFacts:
    if manifest is None:
        return TagFacts(name, digest=tag.digest or None, position=tag.position)
    return TagFacts(
        name,
        digest=tag.digest,
        created=manifest.created(wanted),
        platforms=tuple(one.platform for one in manifest.platforms),
        position=tag.position,
    )


def _platform(entry: Mapping[str, object]) -> KnownPlatform:
    created = entry.get("created")
    return KnownPlatform(
        platform=str(entry.get("platform", "")),
        created=datetime.fromisoformat(created) if isinstance(created, str) else None,
        is_read=bool(entry.get("is_read", True)),
    )
