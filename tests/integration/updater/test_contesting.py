"""Two Applications that write one value for different images: both are named, neither goes on (case A28)."""

import pytest
from django.utils import timezone

from updater import inventory
from updater.audit import Actor, AuditKind
from updater.inventory import Reading, contesting
from updater.models import Application, AuditEvent, TrackedImage

pytestmark = pytest.mark.django_db
BY = Actor(name="countersign", via="worker")
HOW = Reading("in-cluster")
PREFIX = "argocd-image-updater.argoproj.io/"
SHARED = {"write-back-target": "helmvalues:/shared/values.yaml"}


def _manifest(name, image="acme/web", version="1", namespace="argocd", **annotations):
    own = {
        "image-list": f"web=registry.example/{image}",
        "write-back-method": "git",
        "web.helm.image-name": "web.image",
        "web.helm.image-tag": "web.tag",
        **{key.replace("_", "."): value for key, value in annotations.items()},
    }
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "resourceVersion": version,
            "annotations": {PREFIX + key: value for key, value in own.items()},
        },
        "spec": {
            "project": "shop",
            "source": {
                "repoURL": "https://git.example/acme/chart.git",
                "path": ".",
                "targetRevision": "main",
            },
        },
        "status": {"sourceType": "Helm", "sync": {"status": "Synced", "revision": "abc"}},
    }


def _reconcile(*manifests):
    inventory.reconcile(manifests, how=HOW, by=BY, at=timezone.now())


def _conflicts():
    return {
        row.name: [p["alias"] for p in row.problems if p["code"] == "TARGET_CONFLICT"]
        for row in Application.objects.order_by("name")
    }


def _usable():
    return {row.application.name: row.is_usable for row in TrackedImage.objects.all()}


def test_a28_two_images_for_one_value_stop_both():
    _reconcile(_manifest("one", **SHARED), _manifest("two", "acme/other", **SHARED))

    assert _conflicts() == {"one": ["web"], "two": ["web"]}
    assert _usable() == {"one": False, "two": False}
    one, two = Application.objects.order_by("name")
    assert "argocd/two (registry.example/acme/other)" in one.problems[0]["message"]
    assert one.problems[0]["value"] == "web.image and web.tag in shared/values.yaml"
    assert "argocd/one" in two.problems[0]["message"]


def test_a28_is_recorded_once_and_kept_while_it_stands():
    manifests = [_manifest("one", **SHARED), _manifest("two", "acme/other", **SHARED)]
    _reconcile(*manifests)
    found = AuditEvent.objects.filter(kind=AuditKind.CONFIGURATION_PROBLEM_FOUND).count()

    manifests[0]["metadata"]["resourceVersion"] = "2"
    inventory.follow("MODIFIED", manifests[0], how=HOW, by=BY, at=timezone.now())
    assert _usable() == {"one": False, "two": False}
    _reconcile(*manifests)

    assert _conflicts() == {"one": ["web"], "two": ["web"]}
    assert AuditEvent.objects.filter(kind=AuditKind.CONFIGURATION_PROBLEM_FOUND).count() == found


def test_a28_ends_when_one_of_them_is_mended():
    _reconcile(_manifest("one", **SHARED), _manifest("two", "acme/other", **SHARED))

    mended = _manifest("two", "acme/other", version="2", **SHARED)
    mended["metadata"]["annotations"][PREFIX + "web.helm.image-tag"] = "other.tag"
    mended["metadata"]["annotations"][PREFIX + "web.helm.image-name"] = "other.image"
    _reconcile(_manifest("one", **SHARED), mended)

    assert _conflicts() == {"one": [], "two": []}
    assert _usable() == {"one": True, "two": True}


def test_a28_ends_when_one_of_them_is_gone():
    _reconcile(_manifest("one", **SHARED), _manifest("two", "acme/other", **SHARED))

    _reconcile(_manifest("one", **SHARED))

    assert _usable()["one"] is True


@pytest.mark.parametrize(
    ("image", "settings"),
    [
        pytest.param("acme/web", SHARED, id="same-image"),
        pytest.param("acme/other", {"write-back-target": "helmvalues:/b.yaml"}, id="another-file"),
        pytest.param("acme/other", {**SHARED, "git-branch": "other"}, id="another-branch"),
        pytest.param(
            "acme/other",
            {**SHARED, "git-repository": "https://git.example/acme/else.git"},
            id="another-repository",
        ),
        pytest.param("acme/other", {"write-back-method": "argocd"}, id="another-method"),
    ],
)
def test_a28_what_shares_no_value_stands_beside_each_other(image, settings):
    _reconcile(_manifest("one", **SHARED), _manifest("two", image, **settings))

    assert _conflicts() == {"one": [], "two": []}


def test_a28_another_spelling_of_the_repository_is_the_same_file():
    again = {**SHARED, "git-repository": "https://GIT.example/acme/chart"}

    _reconcile(_manifest("one", **SHARED), _manifest("two", "acme/other", **again))

    assert _usable() == {"one": False, "two": False}


def test_a28_third_application_beside_them_goes_on():
    _reconcile(
        _manifest("one", **SHARED), _manifest("two", "acme/other", **SHARED), _manifest("three")
    )

    assert _usable() == {"one": False, "two": False, "three": True}


def test_a29_same_name_in_two_namespaces_writes_two_files():
    _reconcile(_manifest("one"), _manifest("one", "acme/other", namespace="team"))

    files = {row.write_back["target"]["path"] for row in Application.objects.all()}
    assert files == {".argocd-source-one.yaml", ".argocd-source-team_one.yaml"}
    assert all(row.is_usable for row in TrackedImage.objects.all())


def test_a28_of_a_failing_audit_write_changes_nothing(monkeypatch):
    for manifest in (_manifest("one", **SHARED), _manifest("two", "acme/other", **SHARED)):
        inventory.take_in(manifest, how=HOW, by=BY, at=timezone.now())

    def fail(**_):
        raise RuntimeError("no trail, no change")

    monkeypatch.setattr("updater.audit.record", fail)
    with pytest.raises(RuntimeError, match="no trail"):
        contesting.contest("in-cluster", by=BY)

    assert _conflicts() == {"one": [], "two": []}
    assert _usable() == {"one": True, "two": True}
