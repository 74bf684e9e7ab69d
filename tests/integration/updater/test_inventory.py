"""Inventory: rows follow the cluster, nothing secret is kept, one bad manifest stops nobody."""

import copy
import json

import pytest
from django.utils import timezone

from updater import inventory
from updater.audit import Actor, AuditKind
from updater.inventory import Reading
from updater.models import Application, AuditEvent, TrackedImage

pytestmark = pytest.mark.django_db
BY = Actor(name="countersign", via="worker")
HOW = Reading("in-cluster")
PREFIX = "argocd-image-updater.argoproj.io/"
CANARY = "hunter2-canary"


def _manifest(name="example", version="1", **annotations):
    return {
        "metadata": {
            "name": name,
            "namespace": "argocd",
            "uid": f"uid-{name}",
            "resourceVersion": version,
            "annotations": {
                PREFIX + "image-list": "web=registry.example/acme/web",
                PREFIX + "write-back-method": "git",
                "kubectl.kubernetes.io/last-applied-configuration": CANARY,
                "someone.else/token": CANARY,
                **{PREFIX + key: value for key, value in annotations.items()},
            },
        },
        "spec": {
            "project": "shop",
            "source": {
                "repoURL": "https://git.example/acme/chart.git",
                "path": ".",
                "targetRevision": "main",
                "helm": {
                    "values": f"password: {CANARY}",
                    "parameters": [
                        {"name": "db.password", "value": CANARY},
                        {"name": "image.tag", "value": "main-1"},
                    ],
                },
                "plugin": {"env": [{"name": "API_KEY", "value": CANARY}]},
            },
            "syncPolicy": {"automated": {}},
        },
        "status": {
            "sourceType": "Helm",
            "sync": {"status": "Synced", "revision": "abc"},
            "health": {"status": "Healthy"},
            "summary": {"images": ["registry.example/acme/web:main-1"]},
        },
    }


def _reconcile(*manifests, how=HOW):
    return inventory.reconcile(manifests, how=how, by=BY, at=timezone.now())


def _kinds():
    return list(AuditEvent.objects.order_by("sequence").values_list("kind", flat=True))


def test_reconcile_new_application_makes_rows_and_one_event():
    _reconcile(_manifest())

    image = TrackedImage.objects.get()
    assert Application.objects.get().is_managed
    assert (image.alias, image.live_tag, image.is_live) == ("web", "main-1", True)
    assert str(image.image_repository) == "registry.example/acme/web"
    assert _kinds() == [AuditKind.APPLICATION_FOUND]


def test_k16_reconcile_keeps_nothing_secret():
    _reconcile(_manifest())

    kept = json.dumps([*Application.objects.values(), *TrackedImage.objects.values()], default=str)
    trail = json.dumps(list(AuditEvent.objects.values()), default=str)
    assert CANARY not in kept + trail
    assert "db.password" in kept  # the name is needed to warn that an override hides it


def test_reconcile_of_the_same_version_reads_nothing_again():
    _reconcile(_manifest())

    summary = _reconcile(_manifest())

    assert summary.changed == 0
    assert len(summary.seen) == 1


def test_reconcile_of_a_mere_status_change_is_no_news():
    _reconcile(_manifest())
    changed = _manifest(version="2")
    changed["status"]["health"]["status"] = "Degraded"

    _reconcile(changed)

    assert Application.objects.get().health_status == "Degraded"
    assert _kinds() == [AuditKind.APPLICATION_FOUND]


def test_reconcile_of_another_setting_is_recorded_once():
    _reconcile(_manifest())

    _reconcile(_manifest(version="2", **{"git-branch": "release"}))
    _reconcile(_manifest(version="3", **{"git-branch": "release"}))

    assert _kinds() == [AuditKind.APPLICATION_FOUND, AuditKind.APPLICATION_CHANGED]


def test_a32_reconcile_of_bad_manifests_takes_in_the_good_ones():
    bad = [
        {},
        {"metadata": None},
        {"metadata": {"uid": "x"}},
        {"metadata": {"name": [], "uid": {}}},
    ]

    _reconcile(*bad, _manifest())

    assert Application.objects.filter(name="example", is_managed=True).exists()


def test_reconcile_of_a_broken_setting_disables_that_image_only():
    annotations = {
        "image-list": "web=registry.example/acme/web, api=registry.example/acme/api",
        "web.allow-tags": "regexp:(",
    }

    _reconcile(_manifest(**annotations))

    usable = dict(TrackedImage.objects.values_list("alias", "is_usable"))
    problem = Application.objects.get().problems[0]
    assert usable == {"web": False, "api": True}
    assert (problem["alias"], problem["code"]) == ("web", "BAD_REGEX")
    assert AuditKind.CONFIGURATION_PROBLEM_FOUND in _kinds()


def test_reconcile_without_an_image_any_more_ends_its_row():
    _reconcile(_manifest(**{"image-list": "web=registry.example/acme/web, api=registry.example/x"}))

    _reconcile(_manifest(version="2"))

    ended = TrackedImage.objects.exclude(removed_at=None)
    assert [image.alias for image in ended] == ["api"]


def test_reconcile_without_an_application_marks_it_vanished():
    _reconcile(_manifest(), _manifest("other"))

    _reconcile(_manifest("other"))

    assert Application.objects.get(name="example").vanished_at is not None
    assert _kinds()[-1] == AuditKind.APPLICATION_VANISHED


def test_k06_reconcile_of_another_uid_is_another_application():
    _reconcile(_manifest())
    anew = copy.deepcopy(_manifest())
    anew["metadata"]["uid"] = "uid-new"

    _reconcile(anew)

    present = Application.objects.present()
    assert [row.uid for row in present] == ["uid-new"]
    assert Application.objects.count() == 2


def test_reconcile_with_other_sync_windows_reads_again():
    _reconcile(_manifest())
    window = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}

    _reconcile(_manifest(), how=Reading("in-cluster", sync_windows={"shop": [window]}))

    assert Application.objects.get().sync_windows == [window]


def test_follow_takes_changes_and_deletions():
    inventory.follow("ADDED", _manifest(), how=HOW, by=BY, at=timezone.now())
    inventory.follow("BOOKMARK", {"metadata": {}}, how=HOW, by=BY, at=timezone.now())
    inventory.follow("DELETED", _manifest(), how=HOW, by=BY, at=timezone.now())

    assert Application.objects.get().vanished_at is not None


def test_reconcile_with_a_failing_audit_write_changes_nothing(monkeypatch):
    def fail(**_):
        raise RuntimeError("the audit table is full")

    monkeypatch.setattr("updater.audit.record", fail)

    with pytest.raises(RuntimeError):
        _reconcile(_manifest())

    assert not Application.objects.exists()
