"""One tag looked at again, and `explain tags` asking a registry."""

import json

import pytest

from onebox.world.registry import Account, Basic, Fault, RegistryWorld
from onebox.world.registry.content import Document
from tests.integration.scanning.worlds import SCANNER, World, offer, scan
from updater import clock, scanning
from updater.configuration import registries
from updater.connections import registry_access
from updater.images import parse_entry
from updater.integrations.registry import (
    AuthenticationFailedError,
    ManifestNotFoundError,
    RegistryUnavailableError,
    TagListIncompleteError,
)
from updater.models import AuditEvent, ImageManifest, ImageTag, TrackedImage
from updater.selection import Rules, Strategy

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings):
    with World() as one:
        settings.ALLOW_INSECURE_REGISTRIES = [one.server.host]
        registry_access.access.cache_clear()
        for day, tag in ((10, "main-0"), (11, "main-1")):
            one.world.push("acme/app", tag, created=f"2026-11-{day}T10:00:00Z")
        yield one
    registry_access.access.cache_clear()


def recheck(world, image, tag="main-1"):
    return scanning.recheck_digest(
        image=image,
        tag=tag,
        endpoints=registries.load(f"registries:\n{world.entry}"),
        credentials_for=lambda *_: None,
        at=clock.now(),
        by=SCANNER,
    )


def test_recheck_digest_of_a_tag_that_stayed_is_one_request(world):
    image = world.track()
    scan(world)
    assert world.counts

    found = recheck(world, image)

    assert (found.is_moved, found.before) == (False, found.digest)
    assert world.counts == {"head": 1}
    assert ImageTag.objects.get(name="main-1").digest_seen_at == clock.now()


def test_recheck_digest_r33_of_a_tag_pushed_again_alarms_and_moves_the_offer(world):
    image = world.track()
    scan(world)
    after = world.world.push("acme/app", "main-1", created="2026-11-12T10:00:00Z")

    found = recheck(world, image)

    assert (found.is_moved, found.digest) == (True, after)
    assert image.candidates.get(is_current=True).digest == after
    [event] = AuditEvent.objects.filter(kind="tag.moved")
    assert json.loads(event.details)["after"] == after


def test_recheck_digest_of_a_tag_never_seen_returns_it_without_a_word(world):
    image = world.track()

    found = recheck(world, image)

    assert (found.before, found.is_moved) == ("", False)


def test_recheck_digest_of_a_registry_that_is_down_writes_nothing(world):
    image = world.track()
    scan(world)
    world.world.faults.add(Fault(status=503))

    with pytest.raises(RegistryUnavailableError):
        recheck(world, image)

    assert offer(image) == "main-1"
    assert not AuditEvent.objects.filter(kind="scan.failed").exists()


def read(world, image, tag):
    return scanning.read_tag(
        image=image,
        tag=tag,
        endpoints=registries.load(f"registries:\n{world.entry}"),
        credentials_for=lambda *_: None,
        at=clock.now(),
        by=SCANNER,
    )


def test_read_tag_that_the_strategy_left_alone_knows_its_manifest(world):
    digest = world.world.push("acme/app", "1.2.0", labels={"by": "ci"})
    world.world.push("acme/app", "1.3.0")
    image = world.track(live="1.3.0", strategy=Strategy.SEMVER)
    scan(world)
    assert not ImageManifest.objects.filter(digest=digest).exists()

    found = read(world, image, "1.2.0")

    assert found.digest == digest
    assert ImageManifest.objects.get(digest=digest).labels == {"by": "ci"}


def test_read_tag_that_is_known_asks_for_its_digest_only(world):
    image = world.track()
    scan(world)
    assert world.counts

    read(world, image, "main-1")

    assert world.counts == {"head": 1}


def test_read_tag_that_is_gone_says_so(world):
    image = world.track()
    scan(world)
    world.world.content.untag("acme/app", "main-1")

    with pytest.raises(ManifestNotFoundError):
        read(world, image, "main-1")


def test_recheck_digest_of_an_image_no_longer_followed_is_refused(world):
    image = world.track()
    TrackedImage.objects.filter(pk=image.pk).update(removed_at=clock.now())

    with pytest.raises(scanning.NothingToAskError):
        recheck(world, image)


# --- explain tags ---


@pytest.fixture
def conf(world, tmp_path):
    path = tmp_path / "registries.conf"
    path.write_text(f"registries:\n{world.entry}")
    return str(path)


def facts(world, conf, rules, image="acme/app", credentials=None):
    return scanning.fetch_for_explain(
        parse_entry(f"{world.name}/{image}"), rules, conf, credentials
    )


def test_fetch_for_explain_reads_dates_of_the_admitted_tags_only(world, conf):
    world.world.push("acme/app", "feature-1", created="2026-11-20T10:00:00Z")

    found = facts(world, conf, Rules(Strategy.NEWEST_BUILD, allow_tags="regexp:^main"))

    assert [(one.name, one.created and one.created.day) for one in found] == [
        ("feature-1", None), ("main-0", 10), ("main-1", 11),
    ]  # fmt: skip
    assert world.counts == {"tags": 1, "manifest": 2, "blob": 2}


def test_fetch_for_explain_needs_names_only_for_semver(world, conf):
    found = facts(world, conf, Rules(Strategy.SEMVER))

    assert [one.name for one in found] == ["main-0", "main-1"]
    assert world.counts == {"tags": 1}


def test_fetch_for_explain_with_digest_reads_the_followed_tag(world, conf):
    found = facts(world, conf, Rules(Strategy.DIGEST, constraint="main-1"))

    assert [bool(one.digest) for one in found] == [False, True]


def test_fetch_for_explain_with_a_broken_manifest_knows_nothing_of_that_tag(world, conf):
    body = b'{"schemaVersion": 2, "manifests": [], "layers": []}'
    world.world.content.put(
        "acme/app", "main-1", Document(body, "application/vnd.oci.image.index.v1+json")
    )

    found = facts(world, conf, Rules(Strategy.NEWEST_BUILD, allow_tags="regexp:^main"))

    assert [one.created is None for one in found] == [False, True]


def test_fetch_for_explain_with_an_incomplete_list_is_refused(world, conf):
    world.world.faults.add(Fault(body="endless-links"), kind="tags")

    with pytest.raises(TagListIncompleteError):
        facts(world, conf, Rules())


def test_fetch_for_explain_with_a_missing_file_is_refused(world):
    with pytest.raises(registries.RegistriesConfigurationError):
        facts(world, "/nowhere/registries.conf", Rules())


def test_fetch_for_explain_uses_the_login_it_is_given(world, conf, settings, monkeypatch):
    world.server.world = RegistryWorld(
        world.world.content, access=Basic(Account("robot", "secret-canary"))
    )
    settings.ALLOW_OPERATOR_CREDENTIALS = True
    monkeypatch.setenv("REGISTRY_LOGIN", "robot:secret-canary")

    assert len(facts(world, conf, Rules(), credentials="env:REGISTRY_LOGIN")) == 2
    with pytest.raises(AuthenticationFailedError):
        facts(world, conf, Rules())
