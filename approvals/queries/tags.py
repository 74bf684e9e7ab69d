"""Every tag of an image with its verdict: why this one, why not that one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.dateparse import parse_datetime

from updater import patterns, selection
from updater.configuration import store
from updater.configuration.model import ImageConfiguration
from updater.configuration.store import StoredConfigurationError
from updater.models import ImageManifest, ImageTag, Refusal, TrackedImage
from updater.selection import DEFAULT_PLATFORM, Rules, TagFacts, Verdict

PAGE_SIZE = 25
MAX_TAGS = 20_000  # judged for one page; a repository beyond that is named as too large


@dataclass(frozen=True, slots=True)
class TagRow:
    """One tag with what is known of it, its verdict, and whether it runs."""

    tag: ImageTag
    created: datetime | None
    verdict: Verdict
    is_running: bool
    is_downgrade: bool  # below what runs; False where nobody can know
    refusal: Refusal | None

    @property
    def is_allowed(self) -> bool:
        """Whether a person may ask for it: no rule forbids it."""
        return self.verdict.verdict != "rejected"


@dataclass(frozen=True, slots=True)
class Judged:
    """A page of judged tags, and how the choice came out."""

    rows: tuple[TagRow, ...]
    total: int
    error: str
    first: int  # position of the first row, from 0

    @property
    def next_first(self) -> int:
        """Where the next page starts; 0 when this is the last."""
        after = self.first + len(self.rows)
        return after if after < self.total else 0


@dataclass(frozen=True, slots=True)
class Trial:
    """Other rules that a person wants to try on the same tags; nothing is kept of it."""

    strategy: str = ""  # "": as configured, and so for the others
    constraint: str = ""
    allow_tags: str = ""
    ignore_tags: tuple[str, ...] = ()

    def applied_to(self, configuration: ImageConfiguration) -> ImageConfiguration:
        """Return the configuration as it would be.

        Raises:
            selection.StrategyError: there is no such strategy.
        """
        strategy = selection.parse_strategy(self.strategy) if self.strategy else None
        return replace(
            configuration,
            strategy=strategy or configuration.strategy,
            constraint=self.constraint or configuration.constraint,
            allow_tags=self.allow_tags or configuration.allow_tags,
            ignore_tags=self.ignore_tags or configuration.ignore_tags,
        )


def judged(
    image: TrackedImage, *, at: datetime, first: int = 0, trial: Trial | None = None
) -> Judged:
    """Return a page of the image's tags, newest first, judged by the very code that chooses.

    The rules and facts are those of the last scan; a configuration that cannot be read judges nothing.
    """
    try:
        rows, error = _judge(image, at=at, trial=trial or Trial())
    except (StoredConfigurationError, selection.StrategyError) as problem:
        return Judged((), 0, str(problem), 0)
    rows.sort(key=_newness, reverse=True)
    return Judged(tuple(rows[first : first + PAGE_SIZE]), len(rows), error, first)


def find(image: TrackedImage, tag: str, *, at: datetime) -> TagRow | None:
    """Return one tag as the registry lists it now, judged among all others.

    Raises:
        StoredConfigurationError: the image's configuration cannot be read.
    """
    rows, _ = _judge(image, at=at, trial=Trial())
    return next((row for row in rows if row.tag.name == tag), None)


def _judge(image: TrackedImage, *, at: datetime, trial: Trial) -> tuple[list[TagRow], str]:
    configuration = trial.applied_to(store.from_json(image.configuration))
    tags = list(
        ImageTag.objects.filter(
            image_repository=image.image_repository_id, removed_at=None
        ).order_by("position", "name")[:MAX_TAGS]
    )
    manifests = _manifests(image)
    refusals = {row.digest: row for row in image.refusals.filter(lifted_at=None)}
    facts = {tag.name: _facts(tag, manifests.get(tag.digest), configuration) for tag in tags}
    broken = {
        tag.name: found.problem
        for tag in tags
        if (found := manifests.get(tag.digest)) and found.problem
    }
    choice = selection.select(
        [fact for name, fact in facts.items() if name not in broken],
        _rules(configuration, refusals),
        running=image.live_tag or None,
        at=at,
    )
    verdicts = dict(
        zip((name for name in facts if name not in broken), choice.verdicts, strict=True)
    )
    verdicts |= {name: Verdict(name, "rejected", problem) for name, problem in broken.items()}
    running = facts.get(image.live_tag)
    live_created = running.created if running else None
    rows = [
        TagRow(
            tag,
            facts[tag.name].created,
            verdicts[tag.name],
            _runs(tag, image),
            selection.is_downgrade(
                image.live_tag, live_created, facts[tag.name], configuration.strategy
            ),
            refusals.get(tag.digest),
        )
        for tag in tags
    ]
    return rows, choice.error or ""


def _rules(configuration: ImageConfiguration, refusals: Mapping[str, Refusal]) -> Rules:
    return Rules(
        strategy=configuration.strategy,
        constraint=configuration.constraint,
        allow_tags=configuration.allow_tags,
        ignore_tags=configuration.ignore_tags,
        platforms=configuration.platforms,
        refused=frozenset(refusals),
    )


def _manifests(image: TrackedImage) -> dict[str, ImageManifest]:
    rows = ImageManifest.objects.filter(image_repository=image.image_repository_id)
    return {row.digest: row for row in rows.only("digest", "created", "platforms", "problem")}


def _facts(
    tag: ImageTag, manifest: ImageManifest | None, configuration: ImageConfiguration
) -> TagFacts:
    if manifest is None:
        return TagFacts(tag.name, digest=tag.digest or None, position=tag.position)
    return TagFacts(
        tag.name,
        digest=tag.digest,
        created=_created(manifest, configuration.platforms or (DEFAULT_PLATFORM,)),
        platforms=tuple(str(entry.get("platform", "")) for entry in manifest.platforms),
        position=tag.position,
    )


def _created(manifest: ImageManifest, wanted: tuple[str, ...]) -> datetime | None:
    """Return the newest build time of the wanted platforms, as the scan compares them."""
    times = [
        parse_datetime(str(entry.get("created") or ""))
        for entry in manifest.platforms
        if patterns.platform_matches(wanted, str(entry.get("platform", "")))
    ]
    return max((moment for moment in times if moment is not None), default=manifest.created)


def _runs(tag: ImageTag, image: TrackedImage) -> bool:
    if image.live_digest and tag.digest:
        return tag.digest == image.live_digest
    return tag.name == image.live_tag


def _newness(row: TagRow) -> tuple[bool, datetime, str]:
    moment = row.created or row.tag.first_seen_at
    return (row.is_running or row.verdict.verdict != "rejected", moment, row.tag.name)
