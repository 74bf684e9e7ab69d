"""The demo's Argo CD carries out syncs as the real one does (argo-cd.md, section 11)."""

from collections.abc import Iterator

import pytest

from onebox.world.argocd import ImageFact
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

OPERATION = {
    "operation": {
        "initiatedBy": {"username": "countersign"},
        "info": [{"name": "Promotion", "value": "4711"}],
        "sync": {},
    },
    "status": {"operationState": None},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running(tmp_path_factory.mktemp("syncing")) as rig:
        yield rig


def test_checklist_01_a_new_application_gets_its_status(world: Rig) -> None:
    repository = world.repository(chart(web="main-1"))

    created = world.create("new", repository)
    app = world.until("new", lambda app: "status" in app)

    assert "status" not in created
    assert sync(app)["status"] == "OutOfSync"
    assert sync(app)["revision"] == repository.head()
    assert health(app) == "Missing"
    assert app["status"]["controllerNamespace"] == "argocd"
    assert app["status"]["sourceType"] == "Helm"
    assert app["status"]["reconciledAt"].endswith("Z")
    assert app["status"]["resources"] == [
        {
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "new-web",
            "status": "OutOfSync",
        }
    ]


def test_checklist_03_every_status_write_moves_version_and_generation(world: Rig) -> None:
    world.deployed("moves", world.repository(chart(web="main-1")))

    versions = world.versions("moves")

    numbers = [int(item["metadata"]["resourceVersion"]) for item in versions]
    generations = [item["metadata"]["generation"] for item in versions]
    assert numbers == sorted(set(numbers))
    assert generations == sorted(set(generations))


def test_checklist_05_a_parameter_change_needs_no_refresh(world: Rig) -> None:
    world.deployed("parameters", world.repository(chart(web="main-1")))
    helm = {"parameters": [{"name": "web.tag", "value": "main-2", "forceString": True}]}

    world.patch("parameters", {"spec": {"source": {"helm": helm}}})
    app = world.until(
        "parameters", lambda app: images(app) == ["registry.example/web:main-2"] and is_settled(app)
    )

    assert sync(app)["comparedTo"]["source"]["helm"] == helm


def test_checklist_12_a_commit_without_automation_is_only_noticed(world: Rig) -> None:
    repository = world.repository(chart(web="main-1"))
    world.create("manual", repository)
    world.until("manual", lambda app: sync(app).get("status"))
    world.patch("manual", OPERATION)
    before = world.until("manual", is_settled)

    commit = repository.commit({"values.yaml": chart(web="main-2")["values.yaml"]})
    world.stays("manual", lambda app: sync(app)["revision"] != commit)
    world.refresh("manual")
    app = world.until("manual", lambda app: sync(app)["revision"] == commit)

    assert sync(app)["status"] == "OutOfSync"
    assert app["status"]["health"] == before["status"]["health"]
    assert images(app) == ["registry.example/web:main-1"]


def test_checklist_13_a_commit_with_automation_is_rolled_out_in_this_order(world: Rig) -> None:
    old, new = ["registry.example/web:main-1"], ["registry.example/web:main-2"]
    repository = world.repository(chart(web="main-1"))
    world.deployed("ordered", repository)
    start = len(world.seen)

    with world.pods_held() as move_to:
        overriding = override(("web.tag", "main-2"))
        commit = repository.commit({".argocd-source-ordered.yaml": overriding})
        world.refresh("ordered")
        world.until("ordered", lambda app: state(app).get("phase") == "Running")
        world.until("ordered", lambda app: sync(app)["status"] == "Synced")
        move_to(1.5 * QUICK.pod_start_seconds)
        world.until("ordered", lambda app: images(app) == [*old, *new])
    world.until("ordered", lambda app: images(app) == new and is_settled(app))

    versions = world.versions("ordered", start)
    steps = [
        lambda app: "operation" in app and not state(app) and sync(app)["status"] == "Synced",
        lambda app: sync(app)["status"] == "OutOfSync" and sync(app)["revision"] == commit,
        lambda app: state(app).get("phase") == "Running",
        lambda app: state(app).get("syncResult", {}).get("revision") == commit,
        lambda app: app["status"]["history"][-1]["revision"] == commit,
        lambda app: state(app)["phase"] == "Succeeded" and "operation" not in app,
        lambda app: (sync(app)["status"], health(app)) == ("Synced", "Progressing"),
        lambda app: (sync(app)["status"], health(app)) == ("Synced", "Healthy"),
    ]
    places = [0]
    for number, step in enumerate(steps):
        found = [index for index in range(places[-1], len(versions)) if step(versions[index])]
        assert found, f"step {number} was never seen"
        places.append(found[0])
    shown = [images(app) for app in versions]
    assert shown.index([*old, *new]) < shown.index(new)
    succeeded = versions[places[6]]
    assert sync(succeeded)["status"] == "OutOfSync"  # applied, and not yet compared again


def test_checklist_14_a_requested_sync_runs_as_ours_and_tells_only_its_end(world: Rig) -> None:
    world.create("asked", world.repository(chart(web="main-1")))
    world.until("asked", lambda app: sync(app).get("status"))

    world.patch("asked", OPERATION)
    started = world.until("asked", lambda app: state(app).get("phase") == "Running")
    ended = world.until("asked", is_settled)

    assert state(started)["operation"] == OPERATION["operation"]
    assert state(ended)["operation"]["initiatedBy"] == {"username": "countersign"}
    assert ended["status"]["history"][0]["initiatedBy"] == {"username": "countersign"}
    reasons = [reason for reason, _ in world.events("asked")]
    assert "OperationStarted" not in reasons
    assert "OperationCompleted" in reasons


def test_checklist_15_left_over_state_is_merged_into_the_new_run(world: Rig) -> None:
    world.deployed("left-over", world.repository(chart(web="main-1")))

    world.patch("left-over", {"operation": {"sync": {}, "initiatedBy": {"username": "us"}}})
    started = world.until("left-over", lambda app: state(app)["phase"] == "Running")

    assert state(started)["operation"]["initiatedBy"] == {"automated": True, "username": "us"}
    assert "syncResult" in state(started)
    world.until("left-over", is_settled)


def _begin(world: Rig, name: str) -> None:
    world.create(name, world.repository(chart(web="main-1")))
    world.until(name, lambda app: sync(app).get("status"))
    world.patch(name, OPERATION)


def test_checklist_16_a_request_while_one_runs_is_lost(world: Rig) -> None:
    another = {"operation": {"info": [{"name": "Promotion", "value": "2"}]}}
    with world.standing_still():
        _begin(world, "second")
        world.until("second", lambda app: state(app).get("phase") == "Running")

        merged = world.patch("second", another)
    ended = world.until("second", is_settled)

    assert merged["operation"]["initiatedBy"] == {"username": "countersign"}
    assert state(ended)["operation"]["info"] == [{"name": "Promotion", "value": "4711"}]
    world.stays("second", lambda app: "operation" not in app)


def test_checklist_17_removing_only_the_request_leaves_it_running_for_ever(world: Rig) -> None:
    with world.standing_still():
        _begin(world, "stuck")
        world.until("stuck", lambda app: state(app).get("phase") == "Running")

        world.patch("stuck", {"operation": None})

    world.stays("stuck", lambda app: state(app)["phase"] == "Running")


def test_checklist_18_terminating_ends_as_failed(world: Rig) -> None:
    with world.standing_still():
        _begin(world, "stopped")
        world.until("stopped", lambda app: state(app).get("phase") == "Running")

        world.patch("stopped", {"status": {"operationState": {"phase": "Terminating"}}})
    app = world.until("stopped", lambda app: "operation" not in app)

    assert (state(app)["phase"], state(app)["message"]) == ("Failed", "Operation terminated")


def test_checklist_19_a_failing_sync_is_retried_and_then_given_up(world: Rig) -> None:
    values = '{"web": {"image": "registry.example/web", "tag": "1", "replicas": -1}}'
    repository = world.repository({**chart(), "values.yaml": values})
    retry = {"limit": 2, "backoff": {"duration": "50ms", "factor": 1}}

    world.create("failing", repository, syncPolicy={**AUTOMATED, "retry": retry})
    app = world.until("failing", lambda app: "SyncError" in conditions(app))

    between = [item for item in world.versions("failing") if state(item).get("finishedAt")]
    retries = [
        (
            state(item)["phase"],
            state(item)["retryCount"],
            "Retrying attempt" in state(item)["message"],
        )
        for item in between
        if state(item)["phase"] == "Running"
    ]
    assert {("Running", 1, True), ("Running", 2, True)} <= set(retries)
    assert state(app)["phase"] == "Failed"
    assert state(app)["message"].endswith("(retried 2 times).")
    assert state(app)["syncResult"]["resources"][0]["status"] == "SyncFailed"
    assert conditions(app)["SyncError"].startswith("Failed last sync attempt to ")
    world.refresh("failing")
    world.stays("failing", lambda app: "operation" not in app)
    repository.commit(chart(web="main-2"))
    world.refresh("failing")
    settled = world.until("failing", is_settled)
    assert "SyncError" not in conditions(settled)


def test_checklist_20_a_closed_window_stops_automation_silently_and_blocks_requests(
    world: Rig,
) -> None:
    always = {
        "kind": "deny",
        "schedule": "* * * * *",
        "duration": "2h",
        "applications": ["closed*"],
    }
    world.project("windowed", syncWindows=[always])
    repository = world.repository(chart(web="main-1"))

    world.create("closed", repository, syncPolicy=AUTOMATED, project="windowed")
    app = world.until("closed", lambda app: sync(app).get("status") == "OutOfSync")
    world.stays("closed", lambda app: "operation" not in app and not conditions(app))
    world.patch("closed", OPERATION)
    blocked = world.until("closed", lambda app: state(app).get("message"))
    world.project("windowed")
    opened = world.until("closed", is_settled)

    assert images(app) == []
    assert state(blocked)["phase"] == "Running"
    assert state(blocked)["message"] == "Sync operation blocked by sync window"
    assert images(opened) == ["registry.example/web:main-1"]


def test_checklist_23_a_crash_looping_image_is_synced_then_degraded(world: Rig) -> None:
    repository = world.repository(chart(web="main-1"))
    world.deployed("crashing", repository)
    world.images["registry.example/web:bad"] = ImageFact.CRASHES

    with world.pods_held():
        commit = repository.commit(chart(web="bad"))
        world.refresh("crashing")
        rolling = world.until(
            "crashing",
            lambda app: sync(app)["revision"] == commit and sync(app)["status"] == "Synced",
        )
    app = world.until("crashing", lambda app: health(app) == "Degraded")

    assert (state(rolling)["phase"], health(rolling)) == ("Succeeded", "Progressing")
    assert (state(app)["phase"], sync(app)["status"]) == ("Succeeded", "Synced")
    assert images(app) == ["registry.example/web:bad", "registry.example/web:main-1"]
    repository.commit(chart(web="main-3"))
    world.refresh("crashing")
    mended = world.until("crashing", is_settled)
    assert images(mended) == ["registry.example/web:main-3"]


def test_an_image_the_registry_lacks_is_pulled_again_until_it_is_there(world: Rig) -> None:
    repository = world.repository(chart(web="main-1"))
    world.deployed("pulling", repository)
    world.images["registry.example/web:late"] = ImageFact.MISSING

    repository.commit(chart(web="late"))
    world.refresh("pulling")
    world.until("pulling", lambda app: health(app) == "Degraded")
    world.images["registry.example/web:late"] = ImageFact.RUNS
    app = world.until("pulling", is_settled)

    assert images(app) == ["registry.example/web:late"]


def test_going_back_to_what_still_runs_is_quick_and_leaves_no_trace(world: Rig) -> None:
    repository = world.repository(chart(web="main-1"))
    world.deployed("back", repository)
    world.images["registry.example/web:worse"] = ImageFact.CRASHES
    repository.commit(chart(web="worse"))
    world.refresh("back")
    world.until("back", lambda app: health(app) == "Degraded")

    repository.commit(chart(web="main-1"))
    world.refresh("back")
    app = world.until("back", is_settled)

    assert images(app) == ["registry.example/web:main-1"]
    assert len(app["status"]["history"]) == 3


def test_a_commit_that_changes_nothing_moves_only_the_revision(world: Rig) -> None:
    repository = world.repository(chart(web="main-1"))
    world.deployed("same", repository)

    commit = repository.commit({"README.md": "new words"})
    world.refresh("same")
    app = world.until("same", lambda app: sync(app)["revision"] == commit)

    assert is_settled(app)
    assert len(app["status"]["history"]) == 1


def test_history_is_cut_to_its_limit_and_numbers_go_on(world: Rig) -> None:
    repository = world.repository(chart(web="main-1"))
    world.deployed("history", repository, revisionHistoryLimit=2)

    for number in (2, 3):
        commit = repository.commit(chart(web=f"main-{number}"))
        world.refresh("history")
        world.until(
            "history",
            lambda app, commit=commit: (
                is_settled(app) and app["status"]["history"][-1]["revision"] == commit
            ),
        )

    assert [entry["id"] for entry in world.get("history")["status"]["history"]] == [1, 2]


def test_a_partial_or_dry_sync_leaves_no_history(world: Rig) -> None:
    world.create("partial", world.repository(chart(web="main-1", api="main-1")))
    world.until("partial", lambda app: sync(app).get("status"))
    chosen = [{"group": "apps", "kind": "Deployment", "name": "partial-web"}]

    for request in ({"dryRun": True}, {"resources": chosen}):
        world.patch("partial", {**OPERATION, "operation": {"sync": request}})
        world.until(
            "partial",
            lambda app: "operation" not in app and state(app).get("phase") == "Succeeded",
        )

    app = world.until("partial", lambda app: images(app) == ["registry.example/web:main-1"])
    assert "history" not in app["status"]
    assert sync(app)["status"] == "OutOfSync"


def test_pruning_happens_only_when_it_is_asked_for(world: Rig) -> None:
    repository = world.repository(chart(web="main-1", api="main-1"))
    world.deployed("pruning", repository)

    repository.commit(chart(web="main-1"))
    world.refresh("pruning")
    kept = world.until("pruning", lambda app: sync(app)["status"] == "OutOfSync")
    world.stays("pruning", lambda app: "operation" not in app)
    world.patch("pruning", {"spec": {"syncPolicy": {"automated": {"prune": True}}}})
    world.refresh("pruning")
    app = world.until("pruning", is_settled)

    assert [item.get("requiresPruning") for item in kept["status"]["resources"]] == [True, None]
    assert images(app) == ["registry.example/web:main-1"]


def test_checklist_25_deletion_with_the_finalizer_takes_what_runs_along(world: Rig) -> None:
    metadata = {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}
    created = world.deployed("deleted", world.repository(chart(web="main-1")), metadata=metadata)

    world.delete("deleted")

    address = world.path("applications", "deleted")
    while (answer := world.http.get(address)).status_code != 404:
        assert answer.json()["metadata"]["deletionTimestamp"]
    assert world.controller.installation.live.objects("argocd/deleted") == {}
    world.create("deleted", world.repository(chart(web="main-1")))
    again = world.until("deleted", lambda app: sync(app).get("status"))
    assert again["metadata"]["uid"] != created["metadata"]["uid"]
    assert health(again) == "Missing"


def test_checklist_25_deletion_without_finalizer_leaves_what_runs(world: Rig) -> None:
    repository = world.repository(chart(web="main-1"))
    world.deployed("orphaned", repository)

    world.delete("orphaned")
    world.create("orphaned", repository)
    app = world.until("orphaned", is_settled)

    assert images(app) == ["registry.example/web:main-1"]
    assert "operationState" not in app["status"]
