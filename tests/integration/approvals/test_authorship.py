"""Which commits lie between two builds, as their labels say; what they do not say is a problem, never a guess."""

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals import authorship
from approvals.models import Promotion
from tests import builders
from updater.audit import Actor
from updater.errors import TransientError
from updater.integrations import git
from updater.models import ImageManifest

WORKER = Actor(name="scan-worker-1")
RULE = "rules: [{name: a, exclude: [commit-authors]}]"


def _promotion():
    image = builders.make_tracked_image()
    builders.make_manifest(image.image_repository, "main-9c07d1a")
    return builders.make_promotion(builders.make_candidate(image))


def _relabel(word, **labels):
    names = {"source": authorship.SOURCE, "revision": authorship.REVISION}
    changed = {names[key]: value for key, value in labels.items()}
    for row in ImageManifest.objects.filter(digest=builders.digest(word)):
        row.labels = {**row.labels, **changed}
        row.save()


def _read(promotion, hands=()):
    row = Promotion.objects.with_target().get(pk=promotion.pk)
    return authorship.read(row, world=_World(hands), at=timezone.now())


class _World:
    """Stands where Connections does; the history of a repository is told, not fetched."""

    def __init__(self, hands=(), error=None):
        self.asked = []
        self._hands, self._error = hands, error

    def source_history(self, url, project, known):
        self.asked.append((url, project, known))
        return self

    def hands(self, *_commits, **_limits):
        if self._error is not None:
            raise self._error
        return self._hands


def _differ_in_platforms(promotion):
    manifest = promotion.candidate.manifest
    manifest.platforms[0]["labels"] = {authorship.REVISION: "f" * 40}
    manifest.save()


PROBLEMS = {
    "running build unknown": (
        lambda _: ImageManifest.objects.filter(candidates=None).delete(),
        "the labels of the running build were not read",
    ),
    "no source": (
        lambda _: _relabel("main-e1f492f", source=""),
        "the proposed build has no label org.opencontainers.image.source",
    ),
    "no revision of what runs": (
        lambda _: _relabel("main-9c07d1a", revision=""),
        "the running build has no label org.opencontainers.image.revision",
    ),
    "another repository": (
        lambda _: _relabel("main-9c07d1a", source="https://git.example.com/other"),
        "the running build was made from another source repository",
    ),
    "platforms differ": (
        _differ_in_platforms,
        "the platforms of the proposed build differ in org.opencontainers.image.revision",
    ),
}


@pytest.mark.parametrize(("change", "problem"), PROBLEMS.values(), ids=PROBLEMS)
def test_read_of_labels_that_do_not_say_it_is_a_problem_for_good(change, problem, db):
    promotion = _promotion()
    change(promotion)

    reading = _read(promotion)

    assert (reading.problem, reading.is_final, reading.commits) == (problem, True, [])


def test_read_takes_the_same_repository_however_it_is_written(db):
    promotion = _promotion()
    source = promotion.candidate.manifest.labels[authorship.SOURCE]
    _relabel("main-9c07d1a", source=source.upper() + ".git/")

    assert _read(promotion).problem == ""


def test_read_keeps_one_commit_a_person_the_newest(db):
    hands = [git.Hand("b" * 40, "Ana@example.com"), git.Hand("a" * 40, "ana@example.com")]

    assert _read(_promotion(), hands).commits == [{"sha": "b" * 40, "address": "ana@example.com"}]


def test_read_of_too_many_people_keeps_some_and_says_so(db):
    hands = [git.Hand("a" * 40, f"person-{number}@example.com") for number in range(101)]

    reading = _read(_promotion(), hands)

    assert len(reading.commits) == authorship.MAX_PEOPLE
    assert reading.problem == "more than 100 people wrote it"


def _sweep(world=None):
    return authorship.sweep(world=world or _World(), by=WORKER)


def test_sweep_after_a_failure_looks_again_ten_minutes_later(stand):
    stand(RULE)
    promotion = _promotion()
    down = _World(error=TransientError("The host is down."))

    assert (_sweep(down), _sweep(down)) == (1, 0)
    promotion.refresh_from_db()
    assert promotion.authors["problem"] == "The host is down"

    promotion.authors["at"] = (timezone.now() - timedelta(minutes=11)).isoformat()
    promotion.save()
    assert _sweep() == 1
    promotion.refresh_from_db()
    assert promotion.authors["problem"] == ""


def test_sweep_of_a_build_that_was_pushed_again_reads_anew(stand):
    stand(RULE)
    promotion = _promotion()
    _sweep()

    Promotion.objects.filter(pk=promotion.pk).update(to_digest=builders.digest("again"))

    assert _sweep() == 1


def test_sweep_of_a_promotion_that_ended_meanwhile_stores_nothing(stand):
    stand(RULE)
    promotion = _promotion()

    class Slow(_World):
        def hands(self, *_commits, **_limits):
            Promotion.objects.update(status="EXPIRED", ended_at=timezone.now())
            return ()

    _sweep(Slow())

    promotion.refresh_from_db()
    assert promotion.authors == {}


def test_sweep_of_what_nobody_excludes_asks_nothing(stand):
    stand("rules: [{name: a, match: {projects: [other]}, exclude: [commit-authors]}]")
    _promotion()
    world = _World()

    assert _sweep(world) == 0
    assert world.asked == []
