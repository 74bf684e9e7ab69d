"""The demo's Argo CD compares when and as deep as the real one does, in both generations (sections 2 and 3)."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from onebox.world.argocd import NEWER
from tests.integration.kubernetes.argocd_rig import (
    AUTOMATED,
    QUICK,
    Rig,
    chart,
    conditions,
    health,
    images,
    is_settled,
    override,
    running,
    state,
    sync,
)

REFRESH, STAMP = "argocd.argoproj.io/refresh", "argocd.argoproj.io/refresh-timestamp"


def _annotations(app) -> dict[str, str]:
    return app["metadata"].get("annotations", {})


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running(tmp_path_factory.mktemp("older")) as rig:
        yield rig


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running(tmp_path_factory.mktemp("newer"), replace(QUICK, generation=NEWER)) as rig:
        yield rig


class _Gate:
    """A comparison that waits, so that a test can do something meanwhile."""

    def __init__(self, rig: Rig) -> None:
        self.is_entered, self.is_open = threading.Event(), threading.Event()
        rig.controller.installation.pause = self._wait

    def _wait(self, _seconds: float) -> None:
        self.is_entered.set()
        self.is_open.wait(10)


def test_checklist_10_older_ends_a_refresh_in_the_write_of_the_status(older: Rig) -> None:
    before = older.deployed("same", older.repository(chart(web="main-1")))
    older.controller.installation.clock = lambda: time.time() + 60
    start = len(older.seen)

    older.refresh("same", stamp="1")
    app = older.until("same", lambda app: REFRESH not in _annotations(app))

    assert app["status"]["reconciledAt"] > before["status"]["reconciledAt"]
    assert _annotations(app) == {STAMP: "1"}  # unknown to this generation, so left behind
    asked, done = older.versions("same", start)
    assert done["status"]["reconciledAt"] > asked["status"]["reconciledAt"]


def test_checklist_10_newer_ends_a_refresh_in_a_second_write(newer: Rig) -> None:
    before = newer.deployed("same", newer.repository(chart(web="main-1")))
    newer.controller.installation.clock = lambda: time.time() + 60
    start = len(newer.seen)

    newer.refresh("same", stamp="1")
    app = newer.until("same", lambda app: not _annotations(app))

    assert app["status"]["reconciledAt"] > before["status"]["reconciledAt"]
    _asked, compared, done = newer.versions("same", start)
    assert _annotations(compared) == {REFRESH: "normal", STAMP: "1"}
    assert compared["status"] == done["status"]


def test_checklist_11_older_loses_a_request_that_comes_during_a_refresh(older: Rig) -> None:
    repository = older.repository(chart(web="main-1"))
    older.deployed("twice", repository)
    gate = _Gate(older)

    older.refresh("twice", stamp="1")
    gate.is_entered.wait(10)
    commit = repository.commit(chart(web="main-2"))
    older.refresh("twice", stamp="2")
    gate.is_open.set()
    app = older.until("twice", lambda app: REFRESH not in _annotations(app))

    assert sync(app)["revision"] != commit
    older.stays("twice", lambda app: sync(app)["revision"] != commit)


def test_checklist_11_newer_keeps_a_request_with_another_stamp(newer: Rig) -> None:
    repository = newer.repository(chart(web="main-1"))
    newer.deployed("twice", repository)
    gate = _Gate(newer)

    newer.refresh("twice", stamp="1")
    gate.is_entered.wait(10)
    commit = repository.commit(chart(web="main-2"))
    newer.refresh("twice", stamp="2")
    gate.is_open.set()

    newer.until("twice", lambda app: sync(app)["revision"] == commit)
    newer.until("twice", lambda app: not _annotations(app))


def test_checklist_12_a_commit_is_found_by_polling(tmp_path: Path) -> None:
    with running(tmp_path, replace(QUICK, resync_seconds=0.3)) as rig:
        repository = rig.repository(chart(web="main-1"))
        rig.create("polled", repository)
        before = rig.until("polled", lambda app: sync(app).get("status"))

        commit = repository.commit(chart(web="main-2"))
        app = rig.until("polled", lambda app: sync(app)["revision"] == commit)

    assert health(app) == health(before) == "Missing"


def test_checklist_15_newer_replaces_the_old_state(newer: Rig) -> None:
    newer.deployed("clean", newer.repository(chart(web="main-1")))

    newer.patch("clean", {"operation": {"sync": {}, "initiatedBy": {"username": "us"}}})
    started = newer.until("clean", lambda app: state(app)["phase"] == "Running")

    assert state(started)["operation"]["initiatedBy"] == {"username": "us"}
    assert "syncResult" not in state(started) or state(started)["message"] != "successfully synced"
    newer.until("clean", is_settled)


def test_checklist_21_an_unreadable_repository_is_kept_quiet_only_while_polling(
    older: Rig,
) -> None:
    repository = older.repository(chart(web="main-1"))
    before = older.deployed("unreadable", repository)
    spec = {"source": {"targetRevision": "gone"}}

    older.patch("unreadable", {"spec": spec})
    app = older.until("unreadable", lambda app: "ComparisonError" in conditions(app))
    older.stays("unreadable", lambda app: "operation" not in app)
    older.patch("unreadable", {"spec": {"source": {"targetRevision": "main"}}})
    recovered = older.until("unreadable", is_settled)

    assert sync(app)["status"] == "Unknown"
    assert sync(app)["revision"] == "gone"
    assert conditions(app)["ComparisonError"].startswith(
        "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: "
    )
    assert {item["status"] for item in app["status"]["resources"]} == {"Unknown"}
    assert app["status"]["health"] == before["status"]["health"]
    assert conditions(recovered) == {}


def test_checklist_21_polling_waits_for_the_grace_period(tmp_path: Path) -> None:
    settings = replace(QUICK, resync_seconds=0.1, repository_error_grace_seconds=0.8)
    with running(tmp_path, settings) as rig:
        repository = rig.repository(chart(web="main-1"))
        rig.deployed("graceful", repository)

        broken_at = time.monotonic()
        Path(repository.url).rename(tmp_path / "moved.git")
        app = rig.until("graceful", lambda app: sync(app)["status"] == "Unknown")

    assert time.monotonic() - broken_at > 0.8
    assert health(app) == "Healthy"


def test_checklist_22_override_files_come_in_order_and_stay_invisible(older: Rig) -> None:
    files = {
        **chart(web="main-1", api="main-1"),
        ".argocd-source.yaml": override(("web.tag", "both"), ("api.tag", "both")),
        ".argocd-source-layered.yaml": override(("web.tag", "own")),
    }
    helm = {"parameters": [{"name": "api.tag", "value": "spec"}]}
    repository = older.repository(files)
    source = {"repoURL": repository.url, "path": ".", "targetRevision": "main", "helm": helm}

    older.create("layered", source=source, syncPolicy=AUTOMATED)
    app = older.until("layered", is_settled)

    # The last file's list replaces all others, so the api falls back to the chart's own value.
    assert images(app) == ["registry.example/api:main-1", "registry.example/web:own"]
    assert sync(app)["comparedTo"]["source"]["helm"] == helm
    assert app["spec"]["source"]["helm"] == helm


def test_checklist_22_an_unquoted_number_is_a_comparison_error(older: Rig) -> None:
    repository = older.repository(chart(web="main-1"))
    older.deployed("unquoted", repository)

    text = "helm:\n  parameters:\n  - name: web.tag\n    value: 1.20\n"
    commit = repository.commit({".argocd-source-unquoted.yaml": text})
    older.refresh("unquoted")
    app = older.until("unquoted", lambda app: "ComparisonError" in conditions(app))

    assert "error while parsing source parameters" in conditions(app)["ComparisonError"]
    assert sync(app)["revision"] == "main"
    assert commit not in str(app["status"])


def test_checklist_22_elsewhere_the_file_name_has_the_namespace(tmp_path: Path) -> None:
    files = {
        **chart(web="main-1"),
        ".argocd-source-abroad.yaml": override(("web.tag", "wrong")),
        ".argocd-source-team-a_abroad.yaml": override(("web.tag", "right")),
    }
    with running(tmp_path, replace(QUICK, application_namespaces=("team-*",))) as rig:
        repository = rig.repository(files)
        rig.create("ignored", repository, namespace="other", syncPolicy=AUTOMATED)

        rig.create("abroad", repository, namespace="team-a", syncPolicy=AUTOMATED)
        app = rig.until("abroad", is_settled, namespace="team-a")

        assert "status" not in rig.get("ignored", "other")
    assert images(app) == ["registry.example/web:right"]


def test_checklist_29_several_sources_have_revisions_and_types_each(older: Rig) -> None:
    charts = older.repository(chart(web="main-1"))
    values = older.repository({"env/prod.yaml": "web:\n  tag: from-ref\n"}, name="values")
    rendered = {
        "repoURL": charts.url,
        "path": ".",
        "targetRevision": "main",
        "helm": {"valueFiles": ["$values/env/prod.yaml"]},
    }
    ref = {"repoURL": values.url, "targetRevision": "main", "ref": "values"}

    older.create("several", sources=[rendered, ref], syncPolicy=AUTOMATED)
    app = older.until("several", is_settled)

    revisions = [charts.head(), values.head()]
    assert images(app) == ["registry.example/web:from-ref"]
    assert (sync(app)["revisions"], "revision" in sync(app)) == (revisions, False)
    assert app["status"]["sourceTypes"] == ["Helm", ""]
    (entry,) = app["status"]["history"]
    assert entry["source"] == {"repoURL": ""}
    assert (entry["sources"], entry["revisions"]) == ([rendered, ref], revisions)
    assert state(app)["syncResult"]["revision"] == ""


def test_checklist_30_a_hydrated_application_follows_the_dry_commit(older: Rig) -> None:
    repository = older.repository(chart(web="main-1"))
    hydrator = {
        "drySource": {"repoURL": repository.url, "path": ".", "targetRevision": "main"},
        "syncSource": {"targetBranch": "env/prod", "path": "web"},
    }
    older.create("hydrated", sourceHydrator=hydrator, syncPolicy=AUTOMATED)
    older.until("hydrated", is_settled)
    start = len(older.seen)

    dry = repository.commit({".argocd-source-hydrated.yaml": override(("web.tag", "main-2"))})
    older.patch("hydrated", {"metadata": {"annotations": {"argocd.argoproj.io/hydrate": "normal"}}})
    app = older.until(
        "hydrated", lambda app: images(app) == ["registry.example/web:main-2"] and is_settled(app)
    )

    operation = app["status"]["sourceHydrator"]["currentOperation"]
    assert (operation["phase"], operation["drySHA"]) == ("Hydrated", dry)
    assert sync(app)["revision"] == operation["hydratedSHA"] == repository.head("env/prod")
    assert app["status"]["sourceHydrator"]["lastSuccessfulOperation"] == operation
    phases = [
        item["status"]["sourceHydrator"]["currentOperation"]["phase"]
        for item in older.versions("hydrated", start)
    ]
    assert "Hydrating" in phases
    assert dry in repository.show("web/hydrator.metadata", "env/prod")
    assert "argocd.argoproj.io/hydrate" not in _annotations(app)


def test_hydration_that_cannot_read_the_dry_branch_fails(older: Rig) -> None:
    hydrator = {
        "drySource": {"repoURL": str(older.folder / "none"), "path": ".", "targetRevision": "main"},
        "syncSource": {"targetBranch": "env/prod", "path": "web"},
    }

    older.create("dry-less", sourceHydrator=hydrator)
    app = older.until("dry-less", lambda app: app.get("status", {}).get("sourceHydrator"))

    assert app["status"]["sourceHydrator"]["currentOperation"]["phase"] == "Failed"


def test_skip_reconcile_stops_everything(older: Rig) -> None:
    metadata = {"annotations": {"argocd.argoproj.io/skip-reconcile": "true", REFRESH: "normal"}}

    older.create("skipped", older.repository(chart(web="main-1")), metadata=metadata)

    older.stays("skipped", lambda app: "status" not in app and REFRESH in _annotations(app))


def test_a_source_the_project_does_not_permit_is_invalid(older: Rig) -> None:
    older.project("narrow", sourceRepos=["https://git.example/*"])
    repository = older.repository(chart(web="main-1"))

    older.create("outside", repository, project="narrow")
    app = older.until("outside", conditions)
    older.create("projectless", repository, project="nowhere")
    other = older.until("projectless", conditions)

    assert "is not permitted in project 'narrow'" in conditions(app)["InvalidSpecError"]
    assert (sync(app)["status"], health(app)) == ("Unknown", "Unknown")
    assert "reconciledAt" not in app["status"]
    assert "which does not exist" in conditions(other)["InvalidSpecError"]


def test_a_commit_outside_the_named_paths_is_no_change_until_a_hard_refresh(older: Rig) -> None:
    repository = older.repository(chart(web="main-1"))
    metadata = {"annotations": {"argocd.argoproj.io/manifest-generate-paths": "/charts"}}
    older.deployed("pathed", repository, metadata=metadata)

    commit = repository.commit({".argocd-source-pathed.yaml": override(("web.tag", "main-2"))})
    older.refresh("pathed")
    blind = older.until("pathed", lambda app: sync(app)["revision"] == commit)
    older.stays("pathed", is_settled)
    older.refresh("pathed", kind="hard")
    app = older.until("pathed", lambda app: images(app) == ["registry.example/web:main-2"])

    assert images(blind) == ["registry.example/web:main-1"]
    assert sync(app)["revision"] == commit


def test_empty_tool_objects_and_projects_are_normalized(older: Rig) -> None:
    repository = older.repository(chart(web="main-1"))
    source = {"repoURL": repository.url, "path": ".", "helm": {}}

    older.create("untidy", source=source, project="", syncPolicy=AUTOMATED)
    app = older.until("untidy", is_settled)

    assert app["spec"]["project"] == "default"
    assert "helm" not in app["spec"]["source"]
    assert sync(app)["revision"] == repository.head()


def test_a_kustomization_takes_its_own_and_the_specs_images(older: Rig) -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:0"}]}}},
    }
    kustomization = "resources: [web.yaml]\nimages:\n- name: web\n  newName: registry.example/web\n"
    repository = older.repository(
        {
            "web.yaml": str(deployment).replace("'", '"'),
            "kustomization.yaml": kustomization,
            ".argocd-source-kustomized.yaml": (
                "kustomize:\n  images:\n  - registry.example/web:main-9\n"
            ),
        }
    )
    source = {
        "repoURL": repository.url,
        "path": ".",
        "targetRevision": "main",
        "kustomize": {"images": ["web=registry.example/web:main-1"]},
    }

    older.create("kustomized", source=source, syncPolicy=AUTOMATED)
    app = older.until("kustomized", is_settled)

    assert app["status"]["sourceType"] == "Kustomize"
    assert images(app) == ["registry.example/web:0"]


def test_health_of_objects_is_stored_only_when_that_is_switched_on(tmp_path: Path) -> None:
    with running(tmp_path) as rig:
        before = rig.deployed("persisted", rig.repository(chart(web="main-1")))
        rig.restart(persists_health=True)

        rig.refresh("persisted")
        app = rig.until("persisted", lambda app: "health" in app["status"]["resources"][0])

    assert before["status"]["resourceHealthSource"] == "appTree"
    assert "health" not in before["status"]["resources"][0]
    assert app["status"]["resources"][0]["health"] == {"status": "Healthy"}
    assert "resourceHealthSource" not in app["status"]


def test_a_restarted_controller_finishes_the_sync_under_way(tmp_path: Path) -> None:
    with running(tmp_path, replace(QUICK, operation_step_seconds=5)) as rig:
        rig.create("resumed", rig.repository(chart(web="main-1")), syncPolicy=AUTOMATED)
        rig.until("resumed", lambda app: state(app).get("phase") == "Running")

        rig.restart(operation_step_seconds=0.03)
        app = rig.until("resumed", is_settled)

    assert len(app["status"]["history"]) == 1
