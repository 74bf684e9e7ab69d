"""Who owns an Application reverts what others change: ApplicationSets and parents (argo-cd.md, section 7)."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.kubernetes.argocd_rig import (
    AUTOMATED,
    DESTINATION,
    QUICK,
    Rig,
    chart,
    is_settled,
    running,
    sync,
)

TRACKING = "argocd.argoproj.io/tracking-id"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running(tmp_path_factory.mktemp("owners")) as rig:
        yield rig


def _application_set(world: Rig, name: str, repository_url: str, **spec) -> None:
    template = {
        "metadata": {"name": "{{name}}", "labels": {"team": "{{ .team }}"}},
        "spec": {
            "project": "default",
            "source": {"repoURL": repository_url, "path": ".", "targetRevision": "main"},
            "destination": DESTINATION,
        },
    }
    elements = [{"name": f"{name}-one", "team": "red"}, {"name": f"{name}-two", "team": "blue"}]
    body = {
        "metadata": {"name": name},
        "spec": {"generators": [{"list": {"elements": elements}}], "template": template, **spec},
    }
    assert world.http.post(world.path("applicationsets"), json=body).is_success


def _exists(world: Rig, name: str) -> bool:
    return world.http.get(world.path("applications", name)).is_success


def _wait_for(condition) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _child(name: str, repository_url: str, **spec) -> str:
    """Return a child Application as a parent's repository states it (JSON is YAML)."""
    source = {"repoURL": repository_url, "path": ".", "targetRevision": "main"}
    return json.dumps(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {"project": "default", "source": source, "destination": DESTINATION, **spec},
        }
    )


def test_checklist_24_an_application_set_puts_its_children_back(world: Rig) -> None:
    repository = world.repository(chart(web="main-1"))
    _application_set(world, "plain", repository.url)
    _wait_for(lambda: _exists(world, "plain-one"))
    created = world.until("plain-one", lambda app: sync(app).get("status"))
    helm = {"parameters": [{"name": "web.tag", "value": "mine", "forceString": True}]}
    ours = {"countersign.dev/promotion": "4711", "argocd.argoproj.io/refresh-timestamp": "1"}

    world.patch(
        "plain-one",
        {
            "metadata": {"annotations": ours, "labels": {"team": "green", "extra": "x"}},
            "spec": {"source": {"helm": helm}},
        },
    )
    app = world.until("plain-one", lambda app: "helm" not in app["spec"]["source"])

    (owner,) = app["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["controller"]) == ("ApplicationSet", True)
    assert app["spec"] == created["spec"]
    assert app["metadata"]["labels"] == {"team": "red"}
    assert app["metadata"].get("annotations", {}) == {}


def test_checklist_24_a_childs_refresh_and_operation_are_left_alone(world: Rig) -> None:
    _application_set(world, "kept", world.repository(chart(web="main-1")).url)
    _wait_for(lambda: _exists(world, "kept-one"))
    world.until("kept-one", lambda app: sync(app).get("status"))

    world.refresh("kept-one")
    world.until("kept-one", lambda app: not app["metadata"].get("annotations"))
    world.patch("kept-one", {"operation": {"sync": {}}, "status": {"operationState": None}})
    app = world.until("kept-one", is_settled)

    assert app["status"]["history"][0]["id"] == 0


def test_fields_an_application_set_ignores_and_preserves_stay(world: Rig) -> None:
    _application_set(
        world,
        "lenient",
        world.repository(chart(web="main-1")).url,
        ignoreApplicationDifferences=[{"jsonPointers": ["/spec/source/helm/parameters"]}],
        preservedFields={"annotations": ["countersign.dev/promotion"]},
    )
    _wait_for(lambda: _exists(world, "lenient-one"))
    world.until("lenient-one", lambda app: sync(app).get("status"))
    helm = {"parameters": [{"name": "web.tag", "value": "mine", "forceString": True}]}
    annotations = {"countersign.dev/promotion": "4711", "other": "x"}

    world.patch(
        "lenient-one",
        {"metadata": {"annotations": annotations}, "spec": {"source": {"helm": helm}}},
    )
    app = world.until("lenient-one", lambda app: "other" not in app["metadata"]["annotations"])

    assert app["spec"]["source"]["helm"] == helm
    assert app["metadata"]["annotations"] == {"countersign.dev/promotion": "4711"}


@pytest.mark.parametrize(
    ("policy", "updates", "deletes"),
    [("create-only", False, False), ("create-update", True, False), ("create-delete", False, True)],
)
def test_an_application_sets_policy_limits_what_it_does(
    world: Rig,
    policy: str,
    updates: bool,  # noqa: FBT001  a column of the table
    deletes: bool,  # noqa: FBT001  a column of the table
) -> None:
    _application_set(
        world,
        policy,
        world.repository(chart(web="main-1")).url,
        syncPolicy={"applicationsSync": policy},
    )
    one, two = f"{policy}-one", f"{policy}-two"
    _wait_for(lambda: _exists(world, two))
    world.patch(one, {"metadata": {"labels": {"team": "green"}}})

    elements = [{"name": one, "team": "red"}]
    change = {"spec": {"generators": [{"list": {"elements": elements}}]}}
    address, headers = (
        world.path("applicationsets", policy),
        {"Content-Type": "application/merge-patch+json"},
    )
    assert world.http.patch(address, json=change, headers=headers).is_success
    if updates:
        _wait_for(lambda: world.get(one)["metadata"]["labels"]["team"] == "red")
    if deletes:
        _wait_for(lambda: not _exists(world, two))
    time.sleep(0.1)

    assert (world.get(one)["metadata"]["labels"]["team"] == "red") is updates
    assert _exists(world, two) is not deletes


def test_checklist_24_a_self_healing_parent_puts_stated_fields_back(world: Rig) -> None:
    leaf = world.repository(chart(web="main-1"))
    parent = world.repository({"child.yaml": _child("healed", leaf.url)}, name="parent")
    policy = {"automated": {"selfHeal": True}}
    world.create("parent", parent, syncPolicy=policy)
    world.until("parent", is_settled)
    world.until("healed", lambda app: sync(app).get("status"))
    helm = {"parameters": [{"name": "web.tag", "value": "mine", "forceString": True}]}

    world.patch("healed", {"spec": {"source": {"helm": helm, "targetRevision": "other"}}})
    app = world.until("healed", lambda app: app["spec"]["source"]["targetRevision"] == "main")

    assert app["metadata"]["annotations"][TRACKING] == (
        "parent:argoproj.io/Application:argocd/healed"
    )
    assert app["spec"]["source"]["helm"] == helm  # not stated, so nobody's business
    settled = world.until("parent", is_settled)
    assert settled["status"]["summary"]["isAppOfApps"] is True
    assert len(settled["status"]["history"]) == 1  # self-healing leaves no entry
    operation = settled["status"]["operationState"]["operation"]
    assert operation["sync"]["autoHealAttemptsCount"] == 1


def test_a_parent_without_self_heal_only_notices(world: Rig) -> None:
    leaf = world.repository(chart(web="main-1"))
    parent = world.repository({"child.yaml": _child("noticed", leaf.url)}, name="parent")
    world.create("passive", parent, syncPolicy=AUTOMATED)
    world.until("passive", is_settled)

    world.patch("noticed", {"spec": {"source": {"targetRevision": "other"}}})
    world.until("passive", lambda app: sync(app)["status"] == "OutOfSync")

    world.stays("noticed", lambda app: app["spec"]["source"]["targetRevision"] == "other")


def test_a_parent_that_ignores_a_field_leaves_it(world: Rig) -> None:
    leaf = world.repository(chart(web="main-1"))
    helm = {"parameters": [{"name": "web.tag", "value": "stated", "forceString": True}]}
    source = {"repoURL": leaf.url, "path": ".", "targetRevision": "main", "helm": helm}
    parent = world.repository(
        {"child.yaml": _child("spared", leaf.url, source=source)}, name="parent"
    )
    ignored = {"group": "argoproj.io", "kind": "Application", "jsonPointers": ["/spec/source/helm"]}
    world.create(
        "tolerant",
        parent,
        syncPolicy={
            "automated": {"selfHeal": True},
            "syncOptions": ["RespectIgnoreDifferences=true"],
        },
        ignoreDifferences=[ignored],
    )
    world.until("tolerant", is_settled)
    mine = {"parameters": [{"name": "web.tag", "value": "mine", "forceString": True}]}

    world.patch("spared", {"spec": {"source": {"helm": mine}}})

    world.stays("spared", lambda app: app["spec"]["source"]["helm"] == mine)
    assert sync(world.get("tolerant"))["status"] == "Synced"


def test_a_child_its_parent_no_longer_states_is_pruned(world: Rig) -> None:
    leaf = world.repository(chart(web="main-1"))
    files = {"one.yaml": _child("stays", leaf.url), "two.yaml": _child("goes", leaf.url)}
    parent = world.repository(files, name="parent")
    world.create("pruner", parent, syncPolicy={"automated": {"prune": True}})
    world.until("pruner", is_settled)

    parent.commit({"two.yaml": None})
    world.refresh("pruner")

    _wait_for(lambda: not _exists(world, "goes"))
    assert _exists(world, "stays")


def test_tracking_by_label_marks_children_with_the_instance(tmp_path: Path) -> None:
    with running(tmp_path, replace(QUICK, tracking_method="label")) as rig:
        leaf = rig.repository(chart(web="main-1"))
        parent = rig.repository({"child.yaml": _child("labelled", leaf.url)}, name="parent")

        rig.create("labeller", parent, syncPolicy=AUTOMATED)
        rig.until("labeller", is_settled)

        metadata = rig.get("labelled")["metadata"]
    assert metadata["labels"]["app.kubernetes.io/instance"] == "labeller"
    assert TRACKING not in metadata.get("annotations", {})
