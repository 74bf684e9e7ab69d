"""What a scan asks, and above all what it does not ask again."""

import pytest

from onebox.world.registry import Account, Basic, RegistryWorld
from tests import builders
from tests.integration.scanning.worlds import World, offer, reconfigure, scan
from updater import scanning
from updater.integrations.registry import Credentials
from updater.models import ImageManifest
from updater.scanning import fetching
from updater.selection import Strategy

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    with World() as one:
        yield one


def push(world, *tags, repository="acme/app", **more):
    for number, tag in enumerate(tags):
        world.world.push(repository, tag, created=f"2026-11-{10 + number:02}T10:00:00Z", **more)


def test_scan_with_many_applications_lists_each_repository_once(world):
    for repository in ("acme/app", "acme/db"):
        push(world, "main-0", "main-1", repository=repository)
        for _ in range(10):
            world.track(repository=repository, application=builders.make_application())

    summary = scan(world)

    assert world.counts == {"tags": 2, "manifest": 4, "blob": 4}
    assert summary.requests_by_kind == {"tags": 2, "manifest": 4, "blob": 4}
    assert (summary.repositories, summary.candidates, summary.errors) == (2, 20, [])


def test_scan_in_the_steady_state_asks_for_tag_pages_and_nothing_else(world):
    push(world, "main-0", "main-1")
    world.track(live="main-1")
    scan(world)
    assert world.counts == {"tags": 1, "manifest": 2, "blob": 2}

    scan(world, later=130)
    scan(world, later=260)

    assert world.counts == {"tags": 2}


def test_scan_with_a_new_tag_takes_two_requests_for_it(world):
    push(world, "main-0")
    image = world.track()
    scan(world)
    assert world.counts
    world.world.push("acme/app", "main-1", created="2026-11-23T10:00:00Z")

    scan(world, later=130)

    assert world.counts == {"tags": 1, "manifest": 1, "blob": 1}
    assert offer(image) == "main-1"


def test_scan_with_tags_that_nobody_admits_asks_nothing_of_them(world):
    push(world, "main-0", "feature-1", "feature-2", "v1.2.3")
    world.track()

    scan(world)

    assert world.counts == {"tags": 1, "manifest": 1, "blob": 1}


def test_scan_with_a_second_tag_of_a_known_digest_does_not_read_it_again(world):
    push(world, "main-0")
    world.track()
    scan(world)
    assert world.counts
    found = world.world.content.repositories["acme/app"]
    found.tags["main-alias"] = found.tags["main-0"]

    scan(world, later=130)

    assert world.counts == {"tags": 1, "manifest": 1}
    assert ImageManifest.objects.count() == 1


def test_scan_with_a_fresh_process_state_asks_known_digests_of_nobody(world):
    push(world, "main-0", "main-1")
    world.track(live="main-1")
    scan(world)
    assert world.counts

    scan(
        world, later=130, shared=None
    )  # new token cache, new connections: all that is left is the database

    assert world.counts == {"tags": 1}


def test_scan_after_a_change_of_configuration_reads_only_what_is_new_to_it(world):
    push(world, "main-0", "main-1", "release-1")
    image = world.track()
    scan(world)
    assert world.counts
    reconfigure(image, allow_tags="regexp:^(main|release)-")

    scan(world, later=130)

    assert world.counts == {"tags": 1, "manifest": 1, "blob": 1}
    assert offer(image) == "release-1"


@pytest.mark.parametrize(
    ("strategy", "constraint"), [(Strategy.SEMVER, "1.x"), (Strategy.ALPHABETICAL, None)]
)
def test_scan_with_a_strategy_without_dates_reads_the_chosen_tag_only(world, strategy, constraint):
    push(world, "1.0.0", "1.1.0", "1.2.0", labels={"revision": "abc"})
    image = world.track(strategy=strategy, constraint=constraint, allow_tags=None, live="1.0.0")

    scan(world)
    assert (world.counts, offer(image)) == ({"tags": 1, "manifest": 1, "blob": 1}, "1.2.0")
    scan(world, later=130)
    assert world.counts == {"tags": 1}


def test_scan_with_nothing_newer_reads_no_manifest_for_semver(world):
    push(world, "1.0.0", "1.1.0")
    world.track(strategy=Strategy.SEMVER, allow_tags=None, live="1.1.0")

    scan(world)

    assert world.counts == {"tags": 1}


def test_scan_with_strategy_digest_heads_the_followed_tag_each_time(world):
    push(world, "latest", "other")
    image = world.track(
        strategy=Strategy.DIGEST, constraint="latest", allow_tags=None, live="latest"
    )

    scan(world)
    assert (world.counts, offer(image)) == ({"tags": 1, "manifest": 1, "blob": 1}, "latest")
    scan(world, later=130)
    assert world.counts == {"tags": 1, "head": 1}

    digest = world.world.push("acme/app", "latest", created="2026-11-23T10:00:00Z")
    scan(world, later=260)
    assert world.counts == {"tags": 1, "head": 1, "manifest": 1, "blob": 1}
    assert image.candidates.get(is_current=True).digest == digest


def test_scan_with_platforms_reads_those_of_an_index_and_later_only_what_is_added(world):
    push(world, "main-0", platforms=("linux/amd64", "linux/arm64", "linux/s390x"))
    image = world.track(live="main-x")

    scan(world)
    assert world.counts == {"tags": 1, "manifest": 2, "blob": 1}
    reconfigure(image, platforms=("linux/amd64", "linux/arm64"))
    scan(world, later=130)

    assert world.counts == {"tags": 1, "manifest": 3, "blob": 2}  # by digest, once
    scan(world, later=260)
    assert world.counts == {"tags": 1}


def test_scan_with_tagsortmode_asks_for_no_dates_and_no_page_size():
    with World(extra="  tagsortmode: latest-last\n") as world:
        push(world, "main-0", "main-1", "main-2")
        image = world.track()

        scan(world)

        assert offer(image) == "main-2"
        assert [request.query for request in world.world.log if request.kind == "tags"] == [""]
        assert world.counts == {"tags": 1, "manifest": 1, "blob": 1}


def test_scan_with_unused_repositories_asks_nothing(world):
    push(world, "main-0")
    gone = world.track()
    type(gone).objects.filter(pk=gone.pk).update(is_usable=False)

    assert scan(world).repositories == 0
    assert world.counts == {}


def test_scan_that_is_not_due_asks_nothing(world):
    push(world, "main-0")
    world.track()
    scan(world)
    assert world.counts

    scan(world, later=60)

    assert world.counts == {}


def test_scan_with_more_tags_than_time_goes_on_where_it_stopped_and_reads_nothing_twice(
    world, monkeypatch
):
    monkeypatch.setattr(fetching, "PIECE", 3)
    push(world, *(f"main-{number}" for number in range(9)))
    image = world.track(live="main-x")

    summary = scan(world, tuning=scanning.Tuning(repository_seconds=0))

    assert offer(image) == "main-8"
    assert summary.requests_by_kind == {"tags": 3, "manifest": 9, "blob": 9}


def test_scan_with_several_logins_uses_the_first_that_may():
    robot = Account("robot", "secret-canary")
    logins = {
        "guess": Credentials("robot", "guess"),
        "right": Credentials("robot", "secret-canary"),
    }

    def credentials(image, endpoint):
        return logins.get(image.alias)

    with World(world=RegistryWorld(access=Basic(robot))) as world:
        push(world, "main-0", "main-1")
        images = [
            world.track(alias=alias, pull_secret=f"secret:argocd/{alias}#x")
            for alias in ("guess", "right")
        ]

        summary = scan(world, credentials=credentials)

    assert summary.errors == []
    assert [offer(image) for image in images] == ["main-1", "main-1"]


def test_scan_looks_each_login_up_once_however_many_images_use_it(world):
    asked = []
    push(world, "main-0")
    for _ in range(5):
        world.track(
            application=builders.make_application(), pull_secret="pullsecret:argocd/registry"
        )

    scan(world, credentials=lambda image, _: asked.append(image))

    assert len(asked) == 1
