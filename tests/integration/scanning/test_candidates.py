"""From what a registry lists to what is offered: candidates, refusals, tags pushed again, the trail."""

import json
from datetime import timedelta

import pytest

from onebox.world.registry.content import Document
from tests import builders
from tests.integration.scanning.worlds import World, choice, offer, reconfigure, run, scan
from updater import audit, clock
from updater.models import (
    AuditEvent,
    Candidate,
    ImageManifest,
    ImageRepository,
    ImageTag,
    Refusal,
    TagDigest,
    TrackedImage,
)
from updater.selection import Strategy

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    with World() as one:
        one.world.push("acme/app", "main-0", created="2026-11-10T10:00:00Z")
        yield one


def push(world, tag="main-1", day=11, **more):
    return world.world.push("acme/app", tag, created=f"2026-11-{day:02}T10:00:00Z", **more)


def events(kind):
    return [
        json.loads(event.details)
        for event in AuditEvent.objects.filter(kind=kind).order_by("sequence")
    ]


def refuse(image, candidate, scope=Refusal.Scope.DIGEST):
    return Refusal.objects.create(
        tracked_image=image, tag=candidate.tag, digest=candidate.digest, scope=scope, reason="breaks",
        by="mei", at=clock.now(),
    )  # fmt: skip


def current(image):
    return Candidate.objects.get(tracked_image=image, is_current=True)


def test_scan_with_a_newer_build_offers_it_with_everything_known_of_it(world):
    digest = push(world, labels={"org.opencontainers.image.revision": "e1f492f"})
    image = world.track()

    scan(world)

    found = current(image)
    assert (found.tag, found.digest, found.is_downgrade) == ("main-1", digest, False)
    assert found.reason == "newest build (built 2026-11-11 10:00)"
    assert found.manifest.labels == {"org.opencontainers.image.revision": "e1f492f"}
    [event] = events("candidate.found")
    assert (event["tag"], event["digest"], event["from"]) == ("main-1", digest, "main-0")
    assert choice(image)["chosen"] == "main-1"
    assert ImageRepository.objects.get().tag_count == 2


def test_scan_from_another_branch_offers_nothing(world):
    push(world, "feature-77aa001")
    image = world.track()

    scan(world)

    assert offer(image) is None
    assert choice(image) | {"at": "", "chosen_from": ""} == {
        "chosen": "main-0", "digest": choice(image)["digest"], "error": "", "is_update": False, "is_downgrade": False,
        "reason": "newest build (built 2026-11-10 10:00); it runs now", "at": "", "chosen_from": "",
    }  # fmt: skip


def test_scan_with_the_next_build_moves_the_offer_and_keeps_one_current(world):
    push(world)
    image = world.track()
    scan(world)
    push(world, "main-2", 12)

    scan(world, later=130)

    assert list(image.candidates.order_by("pk").values_list("tag", "is_current")) == [
        ("main-1", False), ("main-2", True),
    ]  # fmt: skip
    assert [event["tag"] for event in events("candidate.found")] == ["main-1", "main-2"]


def test_scan_after_the_offer_runs_ends_it(world):
    push(world)
    image = world.track()
    scan(world)
    run(image, f"{world.name}/acme/app:main-1")

    scan(world, later=130)

    assert offer(image) is None


def test_scan_with_an_older_build_only_marks_the_downgrade(world):
    push(world, "main-9", 20)
    image = world.track(live="main-9", ignore_tags=("main-9",))

    scan(world)

    assert offer(image) == "main-0"
    # The running tag is known to the rules by name only: nobody asked for its date
    assert current(image).is_downgrade is False
    reconfigure(image, ignore_tags=())
    scan(world, later=130)
    reconfigure(image, ignore_tags=("main-9",))
    scan(world, later=260)
    assert current(image).is_downgrade is True


def test_scan_with_a_refused_digest_offers_the_next_best(world):
    push(world)
    push(world, "main-2", 12)
    image = world.track()
    scan(world)
    refusal = refuse(image, current(image))

    scan(world, later=130)
    assert offer(image) == "main-1"

    refusal.lifted_at = clock.now()
    refusal.save()
    scan(world, later=260)
    assert offer(image) == "main-2"


def test_scan_with_a_refusal_until_newer_offers_nothing_older(world):
    push(world)
    push(world, "main-2", 12)
    image = world.track()
    scan(world)
    refuse(image, current(image), Refusal.Scope.UNTIL_NEWER)

    scan(world, later=130)
    assert offer(image) is None
    assert "Nothing is newer than main-2" in choice(image)["reason"]

    push(world, "main-3", 13)
    scan(world, later=260)
    assert offer(image) == "main-3"


def test_scan_with_a_refused_semver_digest_goes_down_and_reads_each_once(world):
    for tag, day in (("1.0.0", 1), ("1.1.0", 2), ("1.2.0", 3)):
        push(world, tag, day)
    image = world.track(strategy=Strategy.SEMVER, allow_tags=None, live="1.0.0")
    scan(world)
    refuse(image, current(image))
    assert world.counts

    scan(world, later=130)

    assert offer(image) == "1.1.0"
    assert world.counts == {"tags": 1, "manifest": 1, "blob": 1}


def test_scan_with_the_offered_tag_pushed_again_r33_alarms_and_offers_the_new_digest(world):
    before = push(world)
    image = world.track()
    scan(world)
    after = push(world, day=12)
    assert before != after

    scan(world, later=130)
    assert current(image).digest == before  # not asked yet: the guard looks every ten minutes
    scan(world, later=700)

    assert current(image).digest == after
    [event] = events("tag.moved")
    assert (event["tag"], event["before"], event["after"]) == ("main-1", before, after)
    intervals = TagDigest.objects.filter(image_tag__name="main-1").order_by("seen_from")
    assert [(one.digest, one.seen_until is None) for one in intervals] == [
        (before, False),
        (after, True),
    ]
    assert intervals[0].seen_until == intervals[1].seen_from


def test_scan_with_the_guard_due_asks_one_head_an_offered_tag(world):
    push(world)
    world.track()
    scan(world)
    assert world.counts

    scan(world, later=700)

    assert world.counts == {"tags": 1, "head": 1}


def test_scan_with_strategy_digest_calls_a_moved_tag_a_candidate_not_an_alarm(world):
    push(world, "latest")
    image = world.track(
        strategy=Strategy.DIGEST, constraint="latest", allow_tags=None, live="latest"
    )
    scan(world)
    after = push(world, "latest", 12)

    scan(world, later=130)

    assert current(image).digest == after
    assert events("tag.moved") == []


def test_scan_with_a_tag_deleted_ends_its_interval_and_the_offer(world):
    push(world)
    image = world.track()
    scan(world)
    world.world.content.untag("acme/app", "main-1")

    scan(world, later=130)

    tag = ImageTag.objects.get(name="main-1")
    assert tag.removed_at is not None
    assert tag.digests.get().seen_until == tag.removed_at
    assert offer(image) is None


def test_scan_with_a_tag_back_asks_for_its_digest_again(world):
    push(world)
    image = world.track()
    scan(world)
    world.world.content.untag("acme/app", "main-1")
    scan(world, later=130)
    after = push(world, day=12)

    scan(world, later=260)

    assert current(image).digest == after
    assert ImageTag.objects.get(name="main-1").removed_at is None


@pytest.mark.parametrize("live", ["", None], ids=["empty", "none"])
def test_scan_of_an_image_that_does_not_run_offers_nothing_and_says_why(world, live):
    push(world)
    image = world.track(live=live)

    scan(world)

    assert offer(image) is None
    assert "Argo CD reports no container" in choice(image)["reason"]


def test_scan_of_an_image_that_does_not_run_offers_it_if_forced(world):
    push(world)
    image = world.track(live="", force_update=True)

    scan(world)

    assert offer(image) == "main-1"


def test_scan_with_a_bad_rule_says_so_and_offers_nothing(world):
    push(world)
    image = world.track(strategy=Strategy.DIGEST, constraint=None, allow_tags=None)
    good = world.track(application=builders.make_application())

    scan(world)

    assert offer(image) is None
    assert "without a version constraint" in choice(image)["error"]
    assert offer(good) == "main-1"


def test_scan_with_an_unreadable_stored_configuration_passes_it_over(world, caplog):
    push(world)
    broken = world.track()
    TrackedImage.objects.filter(pk=broken.pk).update(configuration={"nonsense": 1})
    good = world.track(application=builders.make_application())

    assert scan(world).errors == []

    assert offer(good) == "main-1"
    assert "stored configuration is unreadable" in caplog.text


def test_scan_r21_with_a_build_from_the_future_waits_until_it_is_past(world):
    moment = clock.now() + timedelta(days=2)
    world.world.push("acme/app", "main-1", created=moment.isoformat())
    image = world.track()

    scan(world)
    assert offer(image) is None
    scan(world, later=3 * 86400)

    assert offer(image) == "main-1"


@pytest.mark.parametrize(
    "created", [" ", "yesterday", "2026-11-23T10:00:00"], ids=["blank", "words", "local-time"]
)
def test_scan_r21_with_an_unusable_build_time_never_calls_it_newest(world, created):
    world.world.push("acme/app", "main-1", created=created)
    image = world.track()

    scan(world)

    assert offer(image) is None
    assert choice(image)["chosen"] == "main-0"


def test_scan_r18_with_an_ambiguous_manifest_remembers_the_verdict_and_offers_the_rest(world):
    body = b'{"schemaVersion": 2, "manifests": [], "layers": []}'
    world.world.content.put(
        "acme/app", "main-9", Document(body, "application/vnd.oci.image.index.v1+json")
    )
    push(world)
    image = world.track()

    scan(world)
    assert world.counts == {"tags": 1, "manifest": 3, "blob": 2}
    scan(world, later=130)

    assert world.counts == {"tags": 1}
    assert offer(image) == "main-1"
    assert "manifest and index in one" in ImageManifest.objects.exclude(problem="").get().problem


def test_scan_r18_with_an_ambiguous_manifest_under_a_version_is_not_offered(world):
    body = b'{"schemaVersion": 2, "manifests": [], "layers": []}'
    world.world.content.put(
        "acme/app", "2.0.0", Document(body, "application/vnd.oci.image.index.v1+json")
    )
    push(world, "1.1.0")
    image = world.track(strategy=Strategy.SEMVER, allow_tags=None, live="1.0.0")

    scan(world)

    assert offer(image) == "1.1.0"


def test_scan_r36_with_hostile_labels_stores_harmless_text(world):
    push(
        world,
        labels={
            "org.opencontainers.image.source": "javascript:alert(1)",
            "x": "a\x00\u202eb" + "y" * 9000,
        },
    )
    world.track()

    scan(world)

    labels = Candidate.objects.get().manifest.labels
    assert labels["x"] == "ab" + "y" * 2046


def test_scan_whose_audit_fails_offers_nothing(world, monkeypatch):
    push(world)
    image = world.track()

    def refuse_to_write(**_):
        raise audit.AuditOutsideTransactionError("no trail, no change")

    with monkeypatch.context() as broken:
        broken.setattr(audit, "record", refuse_to_write)
        scan(world)

    assert not Candidate.objects.exists()
    scan(world, later=130)
    assert offer(image) == "main-1"
