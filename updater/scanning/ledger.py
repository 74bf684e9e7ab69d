"""The database side of one repository's scan: takes what the registry said, returns what to ask next.

Each function is one short stretch without any network in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from updater.errors import UpdaterError
from updater.integrations.registry import TagList
from updater.models import Candidate
from updater.scanning import choosing, facts, offering, recording
from updater.scanning.facts import KnownManifest, KnownTag
from updater.scanning.planning import Errand, Harvest, Job
from updater.scanning.tuning import Moment
from updater.scanning.view import ImageView, tags_fingerprint
from updater.selection import Strategy, TagFacts

Failures = Mapping[str, UpdaterError]


@dataclass(frozen=True, slots=True)
class Step:
    """What to ask next, and how many new offers came of what was known."""

    errand: Errand
    offers: int = 0


def begin(job: Job, listing: TagList, *, now: Moment, guard_seconds: float) -> Step:
    """Take a complete tag list."""
    ordered = bool(job.endpoint.sort_mode)
    tags = facts.present_tags(job.repository_id)
    if recording.write_listing(job.repository_id, listing, tags, at=now.at, ordered=ordered):
        tags = facts.present_tags(job.repository_id)
    views = offering.views(job.repository_id, sort_mode=job.endpoint.sort_mode)
    heads = _heads(views, tags, before=now.at - timedelta(seconds=guard_seconds))
    if heads:
        return Step(Errand(heads=tuple(heads)))
    return _Round(job, tags, {}, now).run(views)


def keep(job: Job, harvest: Harvest, *, now: Moment) -> None:
    """Take part of an errand's harvest, so that an interrupted scan loses nothing."""
    tags = facts.present_tags(job.repository_id)
    recording.write_harvest(job.repository_id, harvest, tags, now=now)


def advance(job: Job, failures: Failures, *, now: Moment) -> Step:
    """Choose from what is known after an errand; `failures` are the tags that cannot be read now."""
    tags = facts.present_tags(job.repository_id)
    views = offering.views(job.repository_id, sort_mode=job.endpoint.sort_mode)
    return _Round(job, tags, failures, now).run(views)


def _heads(
    views: Iterable[ImageView], tags: Mapping[str, KnownTag], *, before: datetime
) -> list[str]:
    """Return the tags whose digest is to be asked again: those followed, and now and then those offered."""
    views = list(views)
    followed = {
        view.configuration.constraint or ""
        for view in views
        if view.configuration.strategy is Strategy.DIGEST
    }
    offers = Candidate.objects.filter(
        tracked_image__in=[view.pk for view in views], is_current=True
    )
    offered = set(offers.values_list("tag", flat=True))
    old = {name for name in offered if _was_seen(tags.get(name), before)}
    return sorted(name for name in followed | old if name in tags and tags[name].digest)


def _was_seen(tag: KnownTag | None, before: datetime) -> bool:
    return tag is not None and (tag.digest_seen_at is None or tag.digest_seen_at <= before)


class _Round:
    """One pass over the images of a repository with everything known now."""

    def __init__(
        self, job: Job, tags: Mapping[str, KnownTag], failures: Failures, now: Moment
    ) -> None:
        self._job = job
        self._tags = tags
        self._failures = failures
        self._now = now
        self._facts: dict[tuple[str, ...], tuple[list[TagFacts], set[str]]] = {}
        self._manifests: Mapping[str, KnownManifest] = {}

    def run(self, views: Iterable[ImageView]) -> Step:
        """Choose for each image whose inputs changed; gather what is missing for the others."""
        digests = {name: tag.digest for name, tag in self._tags.items()}
        state = tags_fingerprint(digests, is_ordered=bool(self._job.endpoint.sort_mode))
        changed = [
            (view, mark) for view in views if view.chosen_from != (mark := view.fingerprint(state))
        ]
        if not changed:
            return Step(Errand())
        self._manifests = facts.manifests(self._job.repository_id)
        reads: dict[str, str] = {}
        offers = 0
        for view, mark in changed:
            wanted = self._missing(view)
            reads |= {name: self._tags[name].digest for name in wanted}
            offers += 0 if wanted else self._settle(view, mark)
        return Step(Errand(reads=reads, known=self._known()), offers)

    def _missing(self, view: ImageView) -> list[str]:
        found, unread = self._of(view)
        names = choosing.missing(view, found, unread, at=self._now.at)
        return [name for name in names if name not in self._failures]

    def _settle(self, view: ImageView, mark: str) -> bool:
        found, unread = self._of(view)
        decision = choosing.decide(view, found, at=self._now.at)
        if decision.is_offer and decision.chosen and decision.chosen.name in unread:
            reason = str(self._failures.get(decision.chosen.name, "Its manifest was not read yet."))
            offering.postpone(view, decision, reason, at=self._now.at)
            return False
        # A choice among fewer tags than there are, or one that time can change, is made again next time
        is_final = decision.holds and not self._failures
        return offering.settle(
            view, decision, chosen_from=mark if is_final else "", at=self._now.at, by=self._now.by
        )

    def _of(self, view: ImageView) -> tuple[list[TagFacts], set[str]]:
        if view.platforms not in self._facts:
            self._facts[view.platforms] = facts.of_tags(self._tags, self._manifests, view.platforms)
        return self._facts[view.platforms]

    def _known(self) -> frozenset[str]:
        wanted = self._job.platforms
        return frozenset(name for name, one in self._manifests.items() if one.is_read(wanted))
