"""Registries that fail: one bad repository or registry never stops the others, and the last good data stays."""

import time
from datetime import timedelta

import pytest

from onebox.world.registry import Account, Basic, Fault, RegistryWorld
from tests import builders
from tests.integration.scanning.worlds import World, access, offer, scan
from updater import clock, scanning
from updater.errors import PermanentError, TransientError
from updater.integrations.registry import Credentials
from updater.models import AuditEvent, ImageRepository, ImageTag, Registry
from updater.scanning import recording

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    with World() as one:
        for repository in ("acme/app", "acme/bad", "acme/db"):
            for day, tag in ((10, "main-0"), (11, "main-1")):
                one.world.push(repository, tag, created=f"2026-11-{day}T10:00:00Z")
        yield one


def follow(world, *repositories):
    return [
        world.track(repository=name, application=builders.make_application())
        for name in repositories
    ]


def row(name="acme/bad"):
    return ImageRepository.objects.get(name=name)


def kinds():
    return list(
        AuditEvent.objects.filter(kind__startswith="scan.")
        .order_by("sequence")
        .values_list("kind", flat=True)
    )


FAULTS = [
    pytest.param("tags", Fault(status=401), "authentication_failed", id="401"),
    pytest.param("tags", Fault(status=403), "forbidden", id="r31-403"),
    pytest.param("tags", Fault(status=404), "repository_not_found", id="404"),
    pytest.param("tags", Fault(status=500), "registry_unavailable", id="r30-500"),
    pytest.param("tags", Fault(body="truncated"), "bad_body", id="r12-truncated"),
    pytest.param("tags", Fault(body="html"), "bad_body", id="r12-html"),
    pytest.param("tags", Fault(body="huge"), "tag_list_incomplete", id="r01-50-megabytes"),
    pytest.param("tags", Fault(body="endless-links"), "tag_list_incomplete", id="r03-endless-links"),
    pytest.param("tags", Fault(body="cut-off"), "registry_unavailable", id="r24-cut-off"),
    pytest.param("tags", Fault(delay_seconds=9), "registry_timeout", id="r24-too-slow"),
    pytest.param("manifest", Fault(body="wrong-digest"), "digest_mismatch", id="r16-wrong-digest"),
    pytest.param("manifest", Fault(status=503), "registry_unavailable", id="r30-503-manifest"),
    pytest.param("blob", Fault(body="truncated"), "digest_mismatch", id="r16-truncated-config"),
    pytest.param("blob", Fault(status=500), "registry_unavailable", id="r30-500-blob"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "fault", "code"), FAULTS)
def test_scan_with_one_bad_repository_scans_the_others_and_names_the_error(
    world, kind, fault, code
):
    good, bad, last = follow(world, "acme/app", "acme/bad", "acme/db")
    world.world.faults.add(fault, kind=kind, repository="acme/bad")

    deadline = 0.4 if fault.delay_seconds else 20
    summary = scan(world, shared=access(world, deadline_seconds=deadline))

    assert [offer(good), offer(bad), offer(last)] == ["main-1", None, "main-1"]
    assert [(one.subject, one.code) for one in summary.errors] == [
        ("registry.example/acme/bad", code)
    ]
    assert (row().error_code, row().failing_since is not None) == (code, True)
    assert row().error_message
    assert kinds() == ["scan.failed"]
    assert Registry.objects.get().error_code == ""


def test_scan_records_an_outage_once_and_its_end_once(world):
    [bad] = follow(world, "acme/bad")
    follow(world, "acme/app")
    world.world.faults.add(Fault(status=403), kind="tags", repository="acme/bad")
    for cycle in range(3):
        scan(world, later=cycle * 130)
    since = row().failing_since
    world.world.faults.clear()

    for cycle in range(3, 6):
        scan(world, later=cycle * 130)

    assert kinds() == ["scan.failed", "scan.recovered"]
    assert (row().error_code, row().error_message, row().failing_since) == ("", "", None)
    assert since < row().scanned_at
    assert offer(bad) == "main-1"


def test_scan_that_fails_keeps_the_last_good_data_and_the_offer(world):
    [image] = follow(world, "acme/bad")
    scan(world)
    before = row()
    world.world.faults.add(Fault(status=404), kind="tags")

    scan(world, later=130)

    assert offer(image) == "main-1"
    assert ImageTag.objects.filter(removed_at=None).count() == 2
    assert row().scanned_at == before.scanned_at


@pytest.mark.parametrize("body", ["huge", "endless-links"])
def test_scan_r01_with_an_incomplete_list_proposes_nothing_and_removes_nothing(world, body):
    [image] = follow(world, "acme/bad")
    scan(world)
    world.world.push("acme/bad", "main-2", created="2026-11-12T10:00:00Z")
    world.world.faults.add(Fault(body=body), kind="tags")

    scan(world, later=130)

    assert (offer(image), row().is_complete) == ("main-1", False)
    assert not ImageTag.objects.filter(name="main-2").exists()
    assert ImageTag.objects.filter(removed_at=None).count() == 2
    world.world.faults.clear()
    scan(world, later=260)
    assert (offer(image), row().is_complete) == ("main-2", True)


def test_scan_r30_with_a_registry_down_opens_the_breaker_and_asks_one_probe_after_it(world):
    names = [f"acme/app-{number}" for number in range(30)]
    for name in names:
        world.world.push(name, "main-1", created="2026-11-11T10:00:00Z")
    images = follow(world, *names)
    scan(world)
    assert world.counts
    world.world.faults.add(Fault(status=502))

    summary = scan(world, later=130)

    down = Registry.objects.get()
    asked = world.counts["tags"]
    assert asked <= 3 + scanning.Tuning().parallel
    assert (down.error_code, down.failures) == ("registry_unavailable", 1)
    assert 30 <= (down.retry_at - down.unreachable_since).total_seconds() <= 33
    assert [(one.subject, one.code) for one in summary.errors] == [
        ("registry.example", "registry_unavailable")
    ]
    assert {offer(image) for image in images} == {"main-1"}
    # Nothing at all before the time, then one request
    scan(world, later=150)
    assert world.counts == {}
    scan(world, later=170)
    assert world.counts == {"tags": 1}
    assert Registry.objects.get().failures == 2
    assert kinds() == ["scan.failed"]


def test_scan_r30_after_the_registry_is_back_scans_everything_in_the_same_pass(world):
    images = follow(world, "acme/app", "acme/bad", "acme/db")
    world.world.faults.add(Fault(status=502))
    scan(world)
    world.world.faults.clear()
    assert world.counts

    scan(world, later=40)

    back = Registry.objects.get()
    assert world.counts["tags"] == 3
    assert [offer(image) for image in images] == ["main-1"] * 3
    assert (back.error_code, back.failures, back.retry_at, back.unreachable_since) == (
        "",
        0,
        None,
        None,
    )
    assert kinds() == ["scan.failed", "scan.recovered"]
    assert set(ImageRepository.objects.values_list("error_code", flat=True)) == {""}


def test_scan_r30_backs_off_up_to_five_minutes(world):
    follow(world, "acme/app")
    world.world.faults.add(Fault(status=500))
    later, waits = 0, []
    for _ in range(7):
        scan(world, later=later)
        down = Registry.objects.get()
        at = clock.now() + timedelta(seconds=later)
        waits.append((down.retry_at - at).total_seconds())
        later += 400

    assert waits == sorted(waits[:4]) + waits[4:]
    assert waits[0] < 34
    assert all(300 <= wait <= 330 for wait in waits[4:])


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [("90", 90, 99), ("3600", 3600, 3960), ("999999999", 3600, 3960), ("soon", 30, 33), ("-5", 30, 33), (None, 30, 33)],
)  # fmt: skip
def test_scan_r27_with_429_waits_as_long_as_it_was_told(world, value, low, high):
    follow(world, "acme/app", "acme/db")
    world.world.faults.add(Fault(status=429, retry_after=value))

    scan(world)

    limited = Registry.objects.get()
    assert limited.error_code == "rate_limited"
    assert low <= (limited.retry_at - clock.now()).total_seconds() <= high
    assert limited.unreachable_since is None
    assert world.counts
    scan(world, later=low - 5)
    assert world.counts == {}


def test_scan_r28_with_429_on_hundreds_of_images_stops_at_once(world):
    names = [f"acme/app-{number}" for number in range(200)]
    follow(world, *names)
    world.world.faults.add(Fault(status=429, retry_after="60"))

    scan(world)

    assert world.counts["tags"] <= scanning.Tuning().parallel
    assert kinds() == ["scan.failed"]


class Noting:
    """A request log that notes the times only."""

    def __init__(self, times):
        self._times = times

    def append(self, _):
        self._times.append(time.monotonic())


def test_scan_with_one_registry_down_and_one_hostile_scans_the_third_in_no_time():
    with (
        World("good.example") as good,
        World("down.example") as down,
        World("slow.example") as slow,
    ):
        for world in (good, down, slow):
            for number in range(5):
                world.world.push(f"acme/app-{number}", "main-1", created="2026-11-11T10:00:00Z")
                world.track(
                    repository=f"acme/app-{number}", application=builders.make_application()
                )
        down.world.faults.add(Fault(status=500))
        slow.world.faults.add(Fault(delay_seconds=9))
        noted = []
        good.world.log = Noting(noted)
        started = time.monotonic()

        scan(good, down, slow, shared=access(good, down, slow, deadline_seconds=1.5))

        assert max(noted) - started < 1.2  # nobody waited for the slow one's time-out
    errors = dict(Registry.objects.values_list("host", "error_code"))
    assert errors == {
        "good.example": "", "down.example": "registry_unavailable", "slow.example": "registry_timeout",
    }  # fmt: skip
    assert (
        ImageRepository.objects.filter(registry__host="good.example", scanned_at=None).count() == 0
    )


def test_scan_looks_at_an_idle_registry_again_while_a_slow_one_still_answers():
    with World("good.example") as good, World("slow.example") as slow:
        good.world.push("acme/app", "main-1", created="2026-11-11T10:00:00Z")
        good.track()
        slow.world.push("acme/app", "main-1", created="2026-11-11T10:00:00Z")
        slow.track(application=builders.make_application())
        slow.world.faults.add(Fault(delay_seconds=3), kind="tags")
        often = scanning.Tuning(interval_seconds=0, reclaim_seconds=0.05, pass_seconds=2.5)

        scan(good, slow, tuning=often)

        assert good.counts["tags"] > 2
        assert slow.counts["tags"] == 1


@pytest.mark.parametrize(
    "error", [PermanentError("no such secret"), TransientError("the cluster is away")]
)
def test_scan_without_the_login_it_needs_names_the_reason_and_blames_no_registry(world, error):
    follow(world, "acme/bad")

    def no_login(image, endpoint):
        raise error

    scan(world, credentials=no_login)

    assert row().error_message == str(error)
    assert Registry.objects.get().error_code == ""
    assert world.counts == {}


def test_scan_r31_with_a_wrong_password_tries_it_once_for_all_repositories():
    with World(world=RegistryWorld(access=Basic(Account("robot", "right")))) as world:
        follow(world, *(f"acme/app-{number}" for number in range(40)))

        scan(
            world,
            credentials=lambda *_: Credentials("robot", "wrong"),
            tuning=scanning.Tuning(parallel=1),
        )

        sent = [request.authorization for request in world.world.log]
    assert sent.count("Basic") == 1
    assert set(ImageRepository.objects.values_list("error_code", flat=True)) == {
        "authentication_failed"
    }


def test_scan_that_breaks_inside_says_so_and_goes_on(world, monkeypatch, caplog):
    good, bad = follow(world, "acme/app", "acme/bad")
    original = recording.write_listing

    def broken(repository_id, *arguments, **options):
        if repository_id == bad.image_repository_id:
            raise ZeroDivisionError
        return original(repository_id, *arguments, **options)

    monkeypatch.setattr(recording, "write_listing", broken)

    scan(world)

    assert (offer(good), offer(bad)) == ("main-1", None)
    assert row().error_code == "internal_error"
    assert "scan broke" in caplog.text


def test_scan_with_a_budget_used_up_stops_that_kind_only(world):
    class Limited(RegistryWorld):
        def _answer(self, request):
            answer = super()._answer(request)
            if request.kind == "manifest":
                answer.headers.update({"RateLimit-Remaining": "0", "RateLimit-Reset": "500"})
            return answer

    with World("hub.example", world=Limited()) as hub:
        for number in range(3):
            hub.world.push(f"acme/app-{number}", "main-1", created="2026-11-11T10:00:00Z")
            hub.track(repository=f"acme/app-{number}", application=builders.make_application())

        scan(hub, tuning=scanning.Tuning(parallel=1))

        assert hub.counts == {"tags": 3, "manifest": 1, "blob": 1}
    assert Registry.objects.get(host="hub.example").error_code == ""
    limited = ImageRepository.objects.filter(error_code="registry_budget_used_up")
    assert limited.count() == 2
    assert all((one.next_scan_at - clock.now()).total_seconds() > 400 for one in limited)
