"""Automatic syncs, permissions, generate paths: the controller's pure decisions."""

from dataclasses import replace

import pytest

from onebox.world.argocd import auto_sync, generate_paths, globs, projects, status
from onebox.world.argocd.comparing import Comparison, ObjectState
from onebox.world.argocd.live import Pods
from onebox.world.argocd.manifests import ObjectKey
from onebox.world.argocd.settings import Settings
from onebox.world.argocd.sources import Sources
from onebox.world.argocd.status import Observation

SOURCE = {"repoURL": "https://git.example/a.git", "path": "."}
WEB = ObjectKey("apps", "Deployment", "shop", "web")
OUT = ObjectState(WEB, "v1", "OutOfSync")
GONE = ObjectState(WEB, "v1", "OutOfSync", must_go=True)
COMPARED = Comparison(Sources((SOURCE,), is_multiple=False), ("new",), ("Helm",), objects=(OUT,))
AT = 1_800_000_000.0


def _app(automated: dict | None = None, *, state: dict | None = None, **fields) -> dict:
    return {
        "metadata": {"name": "web", "namespace": "argocd"},
        "spec": {"syncPolicy": {"automated": automated if automated is not None else {}}},
        "status": {"operationState": state} if state else {},
        **fields,
    }


def _state(phase: str, revision: str = "new", **fields) -> dict:
    result = {"revision": revision, "source": SOURCE}
    finished = "2027-01-15T08:00:00Z"
    return {"phase": phase, "syncResult": result, "finishedAt": finished, **fields}


def _decide(app: dict, comparison: Comparison = COMPARED, *, may_sync: bool = True):
    return auto_sync.decide(app, comparison, Settings(), may_sync=may_sync, at=AT)


@pytest.mark.parametrize(
    "app",
    [
        _app(),
        _app({"enabled": True}),
        _app(state=_state("Succeeded", "old")),
        _app(state=_state("Failed", "old")),
        _app(state={**_state("Failed"), "syncResult": {"revision": "new", "source": {}}}),
    ],
    ids=["first", "enabled", "new-commit", "after-a-failure", "other-source"],
)
def test_decide_starts_a_sync(app: dict) -> None:
    operation = _decide(app).operation

    assert operation["sync"] == {"revision": "new", "source": SOURCE}
    assert operation["initiatedBy"] == {"automated": True}
    assert operation["retry"] == {"limit": 5}


@pytest.mark.parametrize(
    ("app", "comparison"),
    [
        (_app({"enabled": False}), COMPARED),
        ({**_app(), "spec": {}}, COMPARED),
        (_app(operation={"sync": {}}), COMPARED),
        (_app(metadata={"deletionTimestamp": "x"}), COMPARED),
        (_app(), replace(COMPARED, error="broken")),
        (_app(), replace(COMPARED, objects=(replace(OUT, status="Synced"),))),
        (_app(), replace(COMPARED, objects=(GONE,))),
        (_app(state=_state("Succeeded")), COMPARED),
    ],
    ids=[
        "disabled",
        "no-policy",
        "running",
        "deleting",
        "unknown",
        "synced",
        "only-pruning",
        "drift-without-self-heal",
    ],
)
def test_decide_does_nothing(app: dict, comparison: Comparison) -> None:
    assert _decide(app, comparison) == auto_sync.Decision()


def test_decide_in_a_closed_window_is_silent() -> None:
    assert _decide(_app(), may_sync=False) == auto_sync.Decision()


def test_decide_never_repeats_a_failed_revision() -> None:
    decision = _decide(_app(state=_state("Failed", message="one or more objects failed")))

    assert decision.operation is None
    assert decision.condition == "Failed last sync attempt to [new]: one or more objects failed"


def test_decide_refuses_to_wipe_everything_out_unless_it_may() -> None:
    wiped = replace(COMPARED, objects=(GONE,))

    assert "wipe out all resources" in _decide(_app({"prune": True}), wiped).condition
    allowed = _decide(_app({"prune": True, "allowEmpty": True}), wiped)
    assert allowed.operation["sync"]["prune"] is True


def test_decide_heals_drift_partially_and_waits_longer_each_time() -> None:
    automated = {"selfHeal": True}
    first = _decide(_app(automated, state=_state("Succeeded")))
    again = {"sync": {"autoHealAttemptsCount": 3}}
    waiting = auto_sync.decide(
        _app(automated, state=_state("Succeeded", operation=again)),
        COMPARED,
        Settings(),
        may_sync=True,
        at=AT - 50,
    )

    assert first.operation["sync"]["autoHealAttemptsCount"] == 1
    assert first.operation["sync"]["resources"] == [
        {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web"}
    ]
    assert waiting.operation is None
    assert waiting.heal_at == AT + 54  # finished at AT, then 27 times 2 s


PROJECT = {
    "spec": {
        "sourceRepos": ["https://git.example/acme/*", "!https://git.example/acme/secret*"],
        "destinations": [
            {"server": "https://*", "namespace": "shop-*"},
            {"name": "in-*", "namespace": "*"},
        ],
        "sourceNamespaces": ["team-*", "/^x[0-9]$/"],
    }
}


@pytest.mark.parametrize(
    ("url", "destination", "is_fine"),
    [
        ("https://git.example/acme/a.git", {"server": "https://c", "namespace": "shop-a"}, True),
        ("https://git.example/acme/a.git", {"name": "in-cluster", "namespace": "any"}, True),
        ("https://git.example/acme/a/b.git", {"name": "in-cluster"}, False),
        ("https://git.example/acme/secret.git", {"name": "in-cluster"}, False),
        ("https://git.example/acme/a.git", {"server": "https://c", "namespace": "other"}, False),
    ],
    ids=["by-server", "by-name", "deeper", "denied", "namespace"],
)
def test_permission_problem_follows_the_project(url: str, destination: dict, is_fine: bool) -> None:  # noqa: FBT001  a table's column
    app = {"spec": {"project": "shop", "destination": destination}}

    problem = projects.permission_problem(PROJECT, app, [{"repoURL": url}])

    assert (problem is None) is is_fine


@pytest.mark.parametrize(
    ("namespace", "expected"), [("team-a", True), ("x1", True), ("x12", False), ("other", False)]
)
def test_permits_namespace_knows_globs_and_expressions(namespace: str, expected: bool) -> None:  # noqa: FBT001  a table's column
    assert projects.permits_namespace(PROJECT, namespace) is expected


@pytest.mark.parametrize(
    ("setting", "changed", "expected"),
    [
        (".", "charts/web/.argocd-source-web.yaml", True),
        (".", "charts/api/values.yaml", False),
        ("values.yaml", "charts/web/values.yaml", True),
        ("/shared", "shared/a.yaml", True),
        ("/shared;templates", "charts/web/templates/a.yaml", True),
        ("*.yaml", "charts/web/values.yaml", True),
        ("*.yaml", "charts/web/deep/values.yaml", False),
        ("../api", "charts/api/values.yaml", True),
    ],
)
def test_is_touched_reads_the_paths(setting: str, changed: str, expected: bool) -> None:  # noqa: FBT001  a table's column
    assert generate_paths.is_touched(setting, "charts/web", [changed]) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "separator", "expected"),
    [
        ("*", "a/b", "", True),
        ("*", "a/b", "/", False),
        ("**", "a/b", "/", True),
        ("a?c", "abc", "", True),
        ("[!a]b", "cb", "", True),
        ("[!a]b", "ab", "", False),
        ("{a,b}c", "bc", "", True),
        (r"a\*", "a*", "", True),
        ("a.c", "abc", "", False),
        ("{a", "a", "", True),
    ],
)
def test_matches_knows_the_globs(pattern: str, text: str, separator: str, expected: bool) -> None:  # noqa: FBT001  a table's column
    assert globs.matches(pattern, text, separator=separator) is expected


def test_observation_health_is_the_worst_and_missing_without_objects() -> None:
    pods = {
        WEB: Pods(("web:1",), "Healthy"),
        replace(WEB, name="api"): Pods(("api:1", "web:1"), "Progressing"),
    }

    assert Observation(pods, has_objects=True).health == "Progressing"
    assert Observation(pods, has_objects=True).images == ["api:1", "web:1"]
    assert Observation({}, has_objects=False).health == "Missing"
    assert Observation({}, has_objects=True).health == "Healthy"


def test_merged_conditions_keep_the_time_of_what_stays() -> None:
    old = {
        "conditions": [
            {"type": "SyncError", "message": "same", "lastTransitionTime": "then"},
            {"type": "ComparisonError", "message": "over", "lastTransitionTime": "then"},
            {"type": "DeletionError", "message": "other", "lastTransitionTime": "then"},
        ]
    }

    merged = status.merged_conditions(old, [("SyncError", "same"), ("SyncError", "new")], now="now")

    assert [(item["type"], item["message"], item["lastTransitionTime"]) for item in merged] == [
        ("DeletionError", "other", "then"),
        ("SyncError", "new", "now"),
        ("SyncError", "same", "then"),
    ]
