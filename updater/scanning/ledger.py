"""The database side of scans: takes what a registry said, returns what to ask next.

Each function is one short stretch without any network in it.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from updater.errors import UpdaterError
from updater.models import Candidate, TrackedImage
from updater.scanning import choosing, facts, offering, recording, viewing
from updater.scanning.facts import KnownManifest, KnownTag
from updater.scanning.offering import Settlement
from updater.scanning.planning import Errand, Harvest, Job, Listed
from updater.scanning.tuning import Moment, Tuning
from updater.scanning.view import ImageView, tags_fingerprint
from updater.selection import Strategy, TagFacts

logger = logging.getLogger(__name__)

Failures = Mapping[str, UpdaterError]
Tags = Mapping[str, KnownTag]


@dataclass(frozen=True, slots=True)
class Step:
    """What to ask next, and how many new offers came of what was known."""

    errand: Errand
    offers: int = 0


def begin(batch: Sequence[Listed], *, now: Moment, tuning: Tuning) -> list[Step | Exception]:
    """Take complete tag lists of several repositories; those with nothing to ask are done with this."""
    return _Beginning(batch, now, tuning).run()


def keep(job: Job, harvest: Harvest, *, now: Moment) -> None:
    """Take part of an errand's harvest, so that an interrupted scan loses nothing."""
    tags = facts.present_tags([job.repository_id])[job.repository_id]
    recording.write_harvest(job.repository_id, harvest, tags, now=now)


def advance(job: Job, failures: Failures, *, now: Moment) -> Step:
    """Choose from what is known after an errand; `failures` are the tags that cannot be read now."""
    tags = facts.present_tags([job.repository_id])[job.repository_id]
    return _Round(job, tags, failures, now).run(viewing.views([job])[job.repository_id])


def known_digests(job: Job) -> frozenset[str]:
    """Return the digests whose manifests need not be read again."""
    known = facts.manifests(job.repository_id)
    return frozenset(name for name, one in known.items() if one.is_read(job.platforms))


def finish(job: Job, *, tags: int, requests: int, now: Moment) -> None:
    """Write down a good scan that took errands."""
    recording.record_successes({job.repository_id: (tags, requests)}, now=now)


class _Beginning:
    """Loads what is known of all repositories of a batch at once, then takes each by itself."""

    def __init__(self, batch: Sequence[Listed], now: Moment, tuning: Tuning) -> None:
        self._batch = batch
        self._now = now
        self._guard_before = now.at - timedelta(seconds=tuning.guard_seconds)
        self._running_before = now.at - timedelta(seconds=tuning.running_seconds)
        ids = [one.job.repository_id for one in batch]
        self._tags = facts.present_tags(ids)
        self._views = viewing.views([one.job for one in batch])
        self._offered = _offered_tags(ids)
        self._running = _running_tags(ids)

    def run(self) -> list[Step | Exception]:
        steps = [self._guarded(one) for one in self._batch]
        done = {
            one.job.repository_id: (len(one.listing.names), one.requests)
            for one, step in zip(self._batch, steps, strict=True)
            if isinstance(step, Step) and step.errand.is_empty
        }
        if done:
            recording.record_successes(done, now=self._now)
        return steps

    def _guarded(self, one: Listed) -> Step | Exception:
        try:
            return self._step(one)
        except Exception as error:
            logger.exception("a tag list broke", extra={"repository": one.job.full_name})
            return error

    def _step(self, one: Listed) -> Step:
        repository = one.job.repository_id
        tags = self._tags[repository]
        ordered = bool(one.job.endpoint.sort_mode)
        if recording.write_listing(repository, one.listing, tags, at=self._now.at, ordered=ordered):
            tags = facts.present_tags([repository])[repository]
        views = self._views[repository]
        heads = self._heads(repository, views, tags)
        if heads:
            return Step(Errand(heads=tuple(heads)))
        return _Round(one.job, tags, {}, self._now).run(views)

    def _heads(self, repository: int, views: Iterable[ImageView], tags: Tags) -> list[str]:
        """Return the tags whose digest is asked again: those followed, and now and then those offered or running."""
        followed = {
            view.configuration.constraint or ""
            for view in views
            if view.configuration.strategy is Strategy.DIGEST
        }
        wanted = {name for name, tag in tags.items() if tag.digest_seen_at is None}
        old = _seen_before(self._guard_before, self._offered.get(repository, ()), tags)
        old |= _seen_before(self._running_before, self._running.get(repository, ()), tags)
        names = followed | wanted | old
        return sorted(name for name in names if name in tags and tags[name].digest)


def _seen_before(moment: datetime, names: Iterable[str], tags: Tags) -> set[str]:
    seen = {name: tags[name].digest_seen_at for name in names if name in tags}
    return {name for name, at in seen.items() if at is None or at <= moment}


def _offered_tags(repository_ids: Collection[int]) -> Mapping[int, set[str]]:
    rows = Candidate.objects.filter(
        tracked_image__image_repository__in=list(repository_ids), is_current=True
    )
    found: dict[int, set[str]] = {}
    for repository, tag in rows.values_list("tracked_image__image_repository", "tag"):
        found.setdefault(repository or 0, set()).add(tag)
    return found


def _running_tags(repository_ids: Collection[int]) -> Mapping[int, set[str]]:
    rows = TrackedImage.objects.present().filter(
        image_repository__in=list(repository_ids), is_live=True
    )
    found: dict[int, set[str]] = {}
    for repository, tag in rows.exclude(live_tag="").values_list("image_repository", "live_tag"):
        found.setdefault(repository or 0, set()).add(tag)
    return found


class _Round:
    """One pass over the images of a repository with everything known now."""

    def __init__(self, job: Job, tags: Tags, failures: Failures, now: Moment) -> None:
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
        settlements: list[Settlement] = []
        for view, mark in changed:
            wanted = self._missing(view)
            reads |= {name: self._tags[name].digest for name in wanted}
            settlements += [] if wanted else self._decided(view, mark)
        offers = offering.settle(self._job.repository_id, settlements, now=self._now)
        return Step(Errand(reads=reads, known=self._known()), offers)

    def _missing(self, view: ImageView) -> list[str]:
        found, unread = self._of(view)
        names = choosing.missing(view, found, unread, at=self._now.at)
        return [name for name in names if name not in self._failures]

    def _decided(self, view: ImageView, mark: str) -> list[Settlement]:
        found, unread = self._of(view)
        decision = choosing.decide(view, found, at=self._now.at)
        if decision.is_offer and decision.chosen and decision.chosen.name in unread:
            reason = str(self._failures.get(decision.chosen.name, "Its manifest was not read yet."))
            offering.postpone(view, decision, reason, at=self._now.at)
            return []
        # A choice among fewer tags than there are, or one that time can change, is made again next time
        is_final = decision.holds and not self._failures
        return [Settlement(view, decision, mark if is_final else "")]

    def _of(self, view: ImageView) -> tuple[list[TagFacts], set[str]]:
        if view.platforms not in self._facts:
            self._facts[view.platforms] = facts.of_tags(self._tags, self._manifests, view.platforms)
        return self._facts[view.platforms]

    def _known(self) -> frozenset[str]:
        wanted = self._job.platforms
        return frozenset(name for name, one in self._manifests.items() if one.is_read(wanted))
