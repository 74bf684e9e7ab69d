"""Lists, watches, access and overload of the API server, shown with the real Kubernetes client."""

from pathlib import Path

import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from onebox.world.cluster import Account, ClusterServer, Rule, administrator
from tests.integration.kubernetes.builders import ARGO, World, an_application

ROOT = administrator("root", "root-token")


def _page(world: World, **settings):
    return world.custom.list_namespaced_custom_object(**ARGO, namespace=world.namespace, **settings)


def test_list_checklist_26_pages_share_a_version_until_the_token_expires(world: World) -> None:
    for index in range(5):
        world.create(an_application(f"app-{index}"))

    first = _page(world, limit=2)
    world.create(an_application("app-9"))
    second = _page(world, limit=2, _continue=first["metadata"]["continue"])
    world.server.do(world.server.application.listings.expire_tokens)
    with pytest.raises(ApiException) as caught:
        _page(world, limit=2, _continue=second["metadata"]["continue"])

    assert first["metadata"]["remainingItemCount"] == 3
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]
    assert [item["metadata"]["name"] for item in second["items"]] == ["app-2", "app-3"]
    assert (caught.value.status, '"Expired"' in caught.value.body) == (410, True)


def test_list_is_ordered_and_filtered_by_labels(world: World) -> None:
    for name, team in (("b", "red"), ("a", "red"), ("c", "blue")):
        manifest = an_application(name)
        manifest["metadata"]["labels"] = {"team": team}
        world.create(manifest)

    red = _page(world, label_selector="team=red,team notin (blue)")

    assert [item["metadata"]["name"] for item in red["items"]] == ["a", "b"]
    assert red["items"][0]["kind"] == "Application"


def test_list_by_another_field_than_the_name_is_a_bad_request(world: World) -> None:
    with pytest.raises(ApiException) as caught:
        _page(world, field_selector="spec.project=default")

    assert caught.value.status == 400


def test_watch_checklist_27_from_a_forgotten_version_is_expired(world: World) -> None:
    created = world.create()
    world.patch({"spec": {"project": "other"}})
    store = world.server.store
    world.server.do(lambda: store.forget_before(store.version))

    events = world.watch(created["metadata"]["resourceVersion"])

    assert events[0]["type"] == "ERROR"
    assert (events[0]["object"]["code"], events[0]["object"]["reason"]) == (410, "Expired")


def test_watch_checklist_27_when_idle_sends_bookmarks_and_ends_in_time(world: World) -> None:
    world.create()
    stream = watch.Watch().stream(
        world.custom.list_namespaced_custom_object,
        **ARGO,
        namespace=world.namespace,
        resource_version=_page(world)["metadata"]["resourceVersion"],
        timeout_seconds=1,
        allow_watch_bookmarks=True,
    )

    kinds = {event["type"] for event in stream}

    assert kinds == {"BOOKMARK"}


def test_watch_without_a_version_begins_with_what_exists(world: World) -> None:
    world.create()

    events = world.watch("0")

    assert (events[0]["type"], events[0]["object"]["metadata"]["name"]) == ("ADDED", "example")


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_throttle_checklist_28_answers_429_with_retry_after_on_any_verb(
    world: World, method: str
) -> None:
    world.create()
    world.server.faults.add("throttle", retry_after_seconds=7)
    path = world.collection if method == "POST" else f"{world.collection}/example"

    answer = world.http.request(method, path)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json()["reason"] == "TooManyRequests"


@pytest.mark.parametrize("code", [500, 504])
def test_lose_checklist_28_stores_the_write_and_answers_an_error(world: World, code: int) -> None:
    world.create()
    world.server.faults.add("lose", code=code, times=1)

    with pytest.raises(ApiException) as caught:
        world.patch({"spec": {"project": "other"}})

    assert caught.value.status == code
    assert world.get()["spec"]["project"] == "other"


def test_switches_can_be_set_over_http_by_an_administrator_only(world: World) -> None:
    world.server.accounts.add(Account("eve", "eve-token", (Rule(("*",), ("*",), ("get",)),)))
    switches = [{"kind": "refuse", "code": 503, "verbs": ["get"]}]

    by_root = world.http.put("/world/faults", json=switches)
    by_eve = world.http.get("/world/faults", headers={"Authorization": "Bearer eve-token"})

    assert by_root.json()["faults"][0]["code"] == 503
    assert by_eve.status_code == 404
    with pytest.raises(ApiException, match="503"):
        world.get()


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic cm9vdDpyb290"])
def test_access_with_a_wrong_token_is_unauthorized(world: World, header: str) -> None:
    answer = world.http.get(world.collection, headers={"Authorization": header})

    assert (answer.status_code, answer.json()["reason"]) == (401, "Unauthorized")


def test_access_beyond_the_rules_is_forbidden_and_says_what_is_missing(world: World) -> None:
    rule = Rule(("argoproj.io",), ("applications",), ("list",), (world.namespace,))
    world.server.accounts.add(Account("eve", "eve-token", (rule,)))
    eve = {"Authorization": "Bearer eve-token"}

    allowed = world.http.get(world.collection, headers=eve)
    everywhere = world.http.get("/apis/argoproj.io/v1alpha1/applications", headers=eve)
    writing = world.http.post(world.collection, json=an_application(), headers=eve)

    assert [allowed.status_code, everywhere.status_code, writing.status_code] == [200, 403, 403]
    assert 'User "eve" cannot create resource "applications"' in writing.json()["message"]
    assert "at the cluster scope" in everywhere.json()["message"]


def test_access_review_answers_what_the_account_may(world: World) -> None:
    rule = Rule(("argoproj.io",), ("applications",), ("get",))
    world.server.accounts.add(Account("eve", "eve-token", (rule,)))
    configuration = client.Configuration(host=world.server.url)
    configuration.api_key = {"BearerToken": "Bearer eve-token"}
    api = client.AuthorizationV1Api(client.ApiClient(configuration))
    asked = {"group": "argoproj.io", "resource": "applications"}

    answers = [
        api.create_self_subject_access_review(
            {"spec": {"resourceAttributes": {**asked, "verb": verb}}}
        ).status.allowed
        for verb in ("get", "patch")
    ]

    assert answers == [True, False]


def test_discovery_is_complete_enough_for_the_dynamic_client(world: World) -> None:
    dynamic = pytest.importorskip("kubernetes.dynamic")
    world.create()
    api = dynamic.DynamicClient(config.new_client_from_config(world.kubeconfig))

    kind = api.resources.get(api_version="argoproj.io/v1alpha1", kind="Application")

    assert kind.get(name="example", namespace=world.namespace).metadata.name == "example"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/livez"])
def test_health_needs_no_token(world: World, path: str) -> None:
    assert world.http.get(path, headers={"Authorization": ""}).text == "ok"


def test_store_in_a_folder_survives_a_restart(tmp_path: Path) -> None:
    with ClusterServer([ROOT], folder=tmp_path / "state") as first:
        world = World(first, ROOT, tmp_path)
        world.create()
        world.create(an_application("gone"))
        world.delete("gone")
        version = _page(world)["metadata"]["resourceVersion"]
        world.http.close()

    with ClusterServer([ROOT], folder=tmp_path / "state") as second:
        again = World(second, ROOT, tmp_path)
        again.namespace = world.namespace
        listed = _page(again)
        again.http.close()

    assert [item["metadata"]["name"] for item in listed["items"]] == ["example"]
    assert listed["metadata"]["resourceVersion"] == version
