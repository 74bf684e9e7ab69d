"""The API server's rules of writing, shown with the real Kubernetes client."""

import base64

import pytest
from kubernetes.client.exceptions import ApiException

from tests.integration.kubernetes.builders import (
    ARGO,
    World,
    an_application,
    parameter,
    with_parameters,
)

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"


def _refusal(call) -> ApiException:
    with pytest.raises(ApiException) as caught:
        call()
    return caught.value


def test_create_checklist_01_gives_a_uid_generation_1_and_no_status(world: World) -> None:
    created = world.create()

    assert created["metadata"]["generation"] == 1
    assert len(created["metadata"]["uid"]) == 36
    assert "status" not in created


def test_create_when_the_name_is_taken_is_a_conflict(world: World) -> None:
    world.create()

    refusal = _refusal(world.create)

    assert (refusal.status, "AlreadyExists" in refusal.body) == (409, True)


def test_get_checklist_02_status_subresource_is_not_found(world: World) -> None:
    world.create()

    answer = world.http.get(f"{world.collection}/example/status")

    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


def test_patch_checklist_03_of_status_moves_version_and_generation(world: World) -> None:
    created = world.create()

    patched = world.patch({"status": {"health": {"status": "Healthy"}}})

    assert patched["metadata"]["generation"] == 2
    assert patched["metadata"]["resourceVersion"] != created["metadata"]["resourceVersion"]


def test_patch_of_an_annotation_leaves_the_generation(world: World) -> None:
    world.create()

    patched = world.patch({"metadata": {"annotations": {"a": "b"}}})

    assert patched["metadata"]["generation"] == 1


def test_patch_checklist_04_unknown_spec_field_is_pruned_and_nothing_happens(world: World) -> None:
    created = world.create()
    version = created["metadata"]["resourceVersion"]

    answer = world.http.patch(
        f"{world.collection}/example",
        json={"spec": {"bogus": 1}},
        headers={"Content-Type": "application/merge-patch+json"},
    )

    assert answer.status_code == 200
    assert "bogus" not in answer.json()["spec"]
    assert answer.headers["Warning"] == '299 - unknown field "spec.bogus"'
    assert answer.json()["metadata"]["resourceVersion"] == version
    assert [event for event in world.watch(version) if event["type"] != "BOOKMARK"] == []


def test_patch_with_strict_validation_refuses_an_unknown_field(world: World) -> None:
    world.create()

    refusal = _refusal(lambda: world.patch({"spec": {"bogus": 1}}, field_validation="Strict"))

    assert (refusal.status, "unknown field" in refusal.body) == (400, True)


def test_patch_checklist_05_replaces_the_whole_parameter_list(world: World) -> None:
    world.create()
    world.patch(with_parameters(parameter("a", "1"), parameter("b", "2")))

    patched = world.patch(with_parameters(parameter("b", "3")))

    assert patched["spec"]["source"]["helm"]["parameters"] == [parameter("b", "3")]


def test_patch_checklist_06_strategic_merge_is_unsupported(world: World) -> None:
    world.create()

    refusal = _refusal(
        lambda: world.patch({"spec": {}}, _content_type="application/strategic-merge-patch+json")
    )

    assert (refusal.status, "UnsupportedMediaType" in refusal.body) == (415, True)


@pytest.mark.parametrize("guard", [{"resourceVersion": "1"}, {"uid": "another"}])
def test_patch_checklist_07_with_a_stale_guard_is_a_conflict(world: World, guard) -> None:
    created = world.create(an_application())
    world.patch({"metadata": {"annotations": {"a": "b"}}})

    refusal = _refusal(lambda: world.patch({"metadata": guard, "spec": {"project": "other"}}))

    assert (refusal.status, '"reason": "Conflict"' in refusal.body) == (409, True)
    assert world.get()["spec"] == created["spec"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/spec/project", "value": "another"},
        {"op": "remove", "path": "/metadata/annotations/absent"},
        {"op": "replace", "path": "/spec/sources/0", "value": {}},
    ],
    ids=["failing-test", "missing-path", "missing-list"],
)
def test_patch_checklist_08_failing_json_patch_is_invalid(world: World, operation) -> None:
    world.create()

    refusal = _refusal(lambda: world.patch([operation], _content_type=JSON_PATCH))

    assert (refusal.status, '"reason": "Invalid"' in refusal.body) == (422, True)


def test_patch_with_a_json_patch_tests_and_changes(world: World) -> None:
    world.create(an_application(sources=[{"repoURL": "a"}, {"repoURL": "b"}]))
    operations = [
        {"op": "test", "path": "/spec/sources/1/repoURL", "value": "b"},
        {"op": "add", "path": "/spec/sources/1/path", "value": "x"},
        {"op": "add", "path": "/spec/sources/-", "value": {"repoURL": "c"}},
        {"op": "remove", "path": "/spec/sources/0"},
    ]

    patched = world.patch(operations, _content_type=JSON_PATCH)

    assert patched["spec"]["sources"] == [{"repoURL": "b", "path": "x"}, {"repoURL": "c"}]


def test_patch_with_a_list_as_merge_patch_is_a_bad_request(world: World) -> None:
    world.create()

    refusal = _refusal(lambda: world.patch([{"op": "remove", "path": "/spec"}]))

    assert refusal.status == 400


def test_apply_checklist_09_of_foreign_parameters_conflicts_until_forced(world: World) -> None:
    world.create()
    world.patch(with_parameters(parameter("a", "1")), field_manager="kubectl")
    wanted = {**an_application(), **with_parameters(parameter("a", "2"))}
    wanted["spec"] = {**an_application()["spec"], **wanted["spec"]}
    wanted["spec"]["source"] = {**an_application()["spec"]["source"], **wanted["spec"]["source"]}
    settings = {"_content_type": APPLY, "field_manager": "countersign"}

    refusal = _refusal(lambda: world.patch(wanted, **settings))
    taken = world.patch(wanted, force=True, **settings)

    assert refusal.status == 409
    assert "FieldManagerConflict" in refusal.body
    assert ".spec.source.helm.parameters" in refusal.body
    owners = {
        entry["manager"]: entry["operation"]
        for entry in taken["metadata"]["managedFields"]
        if "f:parameters" in str(entry["fieldsV1"])
    }
    assert owners == {"countersign": "Apply"}
    assert taken["spec"]["source"]["helm"]["parameters"] == [parameter("a", "2")]


def test_apply_removes_what_its_manager_no_longer_states(world: World) -> None:
    world.create()
    settings = {"_content_type": APPLY, "field_manager": "gitops"}
    world.patch({**_identity(), "metadata": {"annotations": {"a": "1", "b": "2"}}}, **settings)

    applied = world.patch({**_identity(), "metadata": {"annotations": {"a": "1"}}}, **settings)

    assert applied["metadata"]["annotations"] == {"a": "1"}


def test_apply_without_a_field_manager_is_a_bad_request(world: World) -> None:
    world.create()

    answer = world.http.patch(
        f"{world.collection}/example", json=_identity(), headers={"Content-Type": APPLY}
    )

    assert answer.status_code == 400


def _identity() -> dict[str, str]:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"spec": {"destination": None}}, "spec.destination"),
        ({"spec": {"source": {"repoURL": None}}}, "spec.source.repoURL"),
        ({"spec": {"project": 7}}, "spec.project"),
        ({"status": {"history": [{"id": 1}]}}, "status.history[0].deployedAt"),
    ],
    ids=["no-destination", "no-repository", "number-for-text", "history-without-time"],
)
def test_patch_that_breaks_the_schema_is_invalid(world: World, change, field) -> None:
    world.create()

    refusal = _refusal(lambda: world.patch(change))

    assert refusal.status == 422
    assert f'"field": "{field}"' in refusal.body


def test_replace_without_a_version_is_invalid_and_with_an_old_one_a_conflict(world: World) -> None:
    created = world.create()
    world.patch({"metadata": {"annotations": {"a": "b"}}})
    arguments = {**ARGO, "namespace": world.namespace, "name": "example"}
    replace = world.custom.replace_namespaced_custom_object

    blind = _refusal(lambda: replace(**arguments, body=an_application()))
    stale = _refusal(lambda: replace(**arguments, body=created))

    assert (blind.status, stale.status) == (422, 409)


def test_patch_in_a_dry_run_stores_nothing(world: World) -> None:
    created = world.create()

    shown = world.patch({"spec": {"project": "other"}}, dry_run="All")

    assert shown["spec"]["project"] == "other"
    assert world.get() == created


def test_delete_checklist_25_without_finalizer_is_gone_and_recreated_has_a_new_uid(
    world: World,
) -> None:
    created = world.create()

    status = world.delete()
    again = world.create()

    assert status["status"] == "Success"
    assert again["metadata"]["uid"] != created["metadata"]["uid"]
    kinds = [event["type"] for event in world.watch(created["metadata"]["resourceVersion"])]
    assert kinds[:2] == ["DELETED", "ADDED"]


def test_delete_checklist_25_with_finalizer_waits_for_its_removal(world: World) -> None:
    manifest = an_application()
    manifest["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    created = world.create(manifest)

    marked = world.delete()
    adding = _refusal(lambda: world.patch({"metadata": {"finalizers": ["other"]}}))
    world.patch({"metadata": {"finalizers": None}})

    assert marked["metadata"]["deletionTimestamp"]
    assert adding.status == 422
    assert _refusal(world.get).status == 404
    kinds = [event["type"] for event in world.watch(created["metadata"]["resourceVersion"])]
    assert kinds[:2] == ["MODIFIED", "DELETED"]


def test_delete_of_an_owner_collects_its_children(world: World) -> None:
    owner = world.create(an_application("parent"))
    child = an_application("child")
    child["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "name": "parent",
            "uid": owner["metadata"]["uid"],
        }
    ]
    world.create(child)

    world.delete("parent")

    assert _refusal(lambda: world.get("child")).status == 404


def test_secret_string_data_is_encoded_and_lists_carry_no_kind(world: World) -> None:
    body = {"metadata": {"name": "login", "labels": {"kind": "a"}}, "stringData": {"user": "eve"}}
    world.core.create_namespaced_secret(world.namespace, body)

    listed = world.core.list_namespaced_secret(world.namespace, label_selector="kind in (a,b)")

    assert base64.b64decode(listed.items[0].data["user"]) == b"eve"
    assert listed.items[0].kind is None


def test_config_map_takes_the_typed_clients_strategic_patch(world: World) -> None:
    world.core.create_namespaced_config_map(
        world.namespace, {"metadata": {"name": "settings"}, "data": {"a": "1"}}
    )

    patched = world.core.patch_namespaced_config_map(
        "settings", world.namespace, {"data": {"b": "2"}}
    )

    assert patched.data == {"a": "1", "b": "2"}


def test_event_about_another_namespace_is_invalid(world: World) -> None:
    body = {"metadata": {"generateName": "x."}, "involvedObject": {"namespace": "elsewhere"}}

    refusal = _refusal(lambda: world.core.create_namespaced_event(world.namespace, body))

    assert refusal.status == 422
