"""The product's cluster client against the API server: the rows of section K, and the happy path."""

import itertools
import logging
import time
from contextlib import suppress
from pathlib import Path

import pytest

from onebox.world.cluster import Account, ClusterServer, Rule, administrator, reader, writer
from tests.integration.kubernetes.builders import (
    World,
    an_application,
    parameter,
    with_parameters,
)
from updater.errors import PermanentError, TransientError
from updater.integrations import kubernetes
from updater.integrations.kubernetes import listing
from updater.integrations.kubernetes.client import REFRESH, REFRESH_TIMESTAMP, ClusterClient
from updater.integrations.kubernetes.gateway import Timeouts


def _guard(manifest) -> dict[str, str]:
    metadata = manifest["metadata"]
    return {"resource_version": metadata["resourceVersion"], "uid": metadata["uid"]}


def test_get_application_gives_the_manifest(world: World, cluster: ClusterClient) -> None:
    created = world.create()

    assert cluster.get_application(world.namespace, "example") == created


def test_get_application_when_absent_is_not_found(world: World, cluster: ClusterClient) -> None:
    with pytest.raises(kubernetes.ApplicationNotFoundError, match="example does not exist"):
        cluster.get_application(world.namespace, "example")


def test_patch_application_is_guarded_and_under_our_name(
    world: World, cluster: ClusterClient
) -> None:
    created = world.create()
    change = with_parameters(parameter("image.tag", "main-1"))

    patched = cluster.patch_application(world.namespace, "example", change, **_guard(created))

    assert patched["spec"]["source"]["helm"]["parameters"] == [parameter("image.tag", "main-1")]
    assert patched["metadata"]["managedFields"][-1]["manager"] == "countersign"


def test_patch_application_k01_conflict_once_then_again_with_a_fresh_read(
    world: World, cluster: ClusterClient
) -> None:
    created = world.create()
    world.server.faults.add("conflict", verbs=("patch",), times=1)
    change = {"spec": {"project": "other"}}

    with pytest.raises(kubernetes.PatchConflictError) as caught:
        cluster.patch_application(world.namespace, "example", change, **_guard(created))
    again = cluster.get_application(world.namespace, "example")
    patched = cluster.patch_application(world.namespace, "example", change, **_guard(again))

    assert isinstance(caught.value, TransientError)
    assert patched["spec"]["project"] == "other"


def test_patch_application_k01_conflict_for_ever_never_writes(
    world: World, cluster: ClusterClient
) -> None:
    created = world.create()
    world.server.faults.add("conflict", verbs=("patch",))

    for _ in range(5):
        with pytest.raises(kubernetes.PatchConflictError):
            cluster.patch_application(
                world.namespace, "example", {"spec": {"project": "x"}}, **_guard(created)
            )

    assert world.get() == created


def test_patch_application_k03_without_permission_names_verb_kind_and_namespace(
    world: World,
) -> None:
    created = world.create()
    account = reader("reader", "reader-token")
    world.server.accounts.add(account)
    path = world.server.write_kubeconfig(world.folder / "reader", account)
    cluster = kubernetes.connect(str(path))

    with pytest.raises(kubernetes.ClusterForbiddenError) as caught:
        cluster.patch_application(world.namespace, "example", {"spec": {}}, **_guard(created))

    missing = (caught.value.verb, caught.value.resource, caught.value.namespace)
    assert missing == ("patch", "applications.argoproj.io", world.namespace)
    assert f"patch applications.argoproj.io in namespace {world.namespace}" in str(caught.value)


def test_get_application_k03_after_token_rotation_reads_the_token_once_more(world: World) -> None:
    created = world.create()
    old, new = administrator("us", "old"), administrator("us", "new")
    world.server.accounts.add(old)
    path = world.server.write_kubeconfig(world.folder / "ours", old)
    cluster = kubernetes.connect(str(path))
    cluster.get_application(world.namespace, "example")
    world.server.accounts.revoke("old")
    world.server.accounts.add(new)
    world.server.write_kubeconfig(path, new)

    found = cluster.get_application(world.namespace, "example")

    assert found == created


def test_get_application_k03_with_a_refused_token_is_unauthorized(world: World) -> None:
    path = world.server.write_kubeconfig(world.folder / "eve", Account("eve", "wrong"))

    with pytest.raises(kubernetes.ClusterUnauthorizedError, match="Renew the token"):
        kubernetes.connect(str(path)).get_application(world.namespace, "example")


def test_patch_application_k04_throttled_says_when_to_come_back(
    world: World, cluster: ClusterClient
) -> None:
    created = world.create()
    world.server.faults.add("throttle", retry_after_seconds=9)

    with pytest.raises(kubernetes.ThrottledError) as caught:
        cluster.patch_application(world.namespace, "example", {"spec": {}}, **_guard(created))

    assert caught.value.retry_after_seconds == 9


@pytest.mark.parametrize("code", [500, 503, 504])
def test_patch_application_k04_lost_answer_is_an_unknown_outcome_to_be_read_back(
    world: World, cluster: ClusterClient, code: int
) -> None:
    created = world.create()
    world.server.faults.add("lose", code=code, times=1)
    change = {"spec": {"project": "other"}}

    with pytest.raises(kubernetes.UnknownOutcomeError):
        cluster.patch_application(world.namespace, "example", change, **_guard(created))
    found = cluster.get_application(world.namespace, "example")

    assert found["spec"]["project"] == "other"
    with pytest.raises(kubernetes.PatchConflictError):  # no duplicate: the guard is spent
        cluster.patch_application(world.namespace, "example", change, **_guard(created))


def test_get_application_k04_server_error_on_a_read_is_unreachable(
    world: World, cluster: ClusterClient
) -> None:
    world.server.faults.add("refuse", code=500)

    with pytest.raises(kubernetes.ClusterUnreachableError):
        cluster.get_application(world.namespace, "example")


def test_patch_application_k04_refused_connection_is_unreachable_not_unknown(
    tmp_path: Path,
) -> None:
    account = administrator("root", "root-token")
    server = ClusterServer([account]).start()
    path = server.write_kubeconfig(tmp_path / "kubeconfig", account)
    cluster = kubernetes.connect(str(path), connect_seconds=0.2)
    server.stop()

    with pytest.raises(kubernetes.ClusterUnreachableError, match="cannot be reached"):
        cluster.patch_application("argocd", "example", {}, resource_version="1", uid="u")


def test_patch_application_k06_recreated_application_is_replaced_not_conflicting(
    world: World, cluster: ClusterClient
) -> None:
    created = world.create()
    world.delete()
    world.create()

    with pytest.raises(kubernetes.ApplicationReplacedError):
        cluster.patch_application(world.namespace, "example", {"spec": {}}, **_guard(created))


def test_refresh_k06_with_the_uid_refuses_a_recreated_application(
    world: World, cluster: ClusterClient
) -> None:
    created = world.create()
    world.delete()
    world.create()

    with pytest.raises(kubernetes.ApplicationReplacedError):
        cluster.refresh(world.namespace, "example", stamp="s", uid=created["metadata"]["uid"])


@pytest.mark.parametrize(
    "change",
    [
        {"source": {"repoURL": "https://git.example/evil.git"}},
        {"source": {"path": "elsewhere"}},
        {"source": {"targetRevision": "release"}},
        {"project": "other"},
        {"destination": {"namespace": "kube-system"}},
    ],
    ids=["repository", "path", "revision", "project", "destination"],
)
def test_patch_application_k07_after_any_change_of_the_target_is_refused(
    world: World, cluster: ClusterClient, change
) -> None:
    approved = world.create()
    world.patch({"spec": change})

    with pytest.raises(kubernetes.PatchConflictError):
        cluster.patch_application(
            world.namespace,
            "example",
            with_parameters(parameter("image.tag", "main-2")),
            **_guard(approved),
        )


@pytest.mark.parametrize(
    "patch",
    [[], [{"op": "add", "path": "/spec", "value": {}}], None, "{}", {"metadata": []}],
    ids=["empty-list", "json-patch", "nothing", "text", "metadata-list"],
)
def test_patch_application_k09_anything_but_an_object_is_refused_by_us(
    world: World, cluster: ClusterClient, patch
) -> None:
    created = world.create()

    with pytest.raises(kubernetes.InvalidPatchError, match="merge patch"):
        cluster.patch_application(world.namespace, "example", patch, **_guard(created))

    assert world.get() == created


@pytest.mark.parametrize("missing", ["resource_version", "uid"])
def test_patch_application_without_its_guard_is_refused(
    world: World, cluster: ClusterClient, missing: str
) -> None:
    guard = {**_guard(world.create()), missing: ""}

    with pytest.raises(kubernetes.InvalidPatchError, match="resourceVersion and uid"):
        cluster.patch_application(world.namespace, "example", {}, **guard)


@pytest.mark.parametrize(
    "name",
    ["../../../api/v1/namespaces/argocd/secrets/x", "a?x=1", "a/status", "", "A", "a" * 254, "a\n"],
    ids=["other-path", "query", "subresource", "empty", "upper-case", "too-long", "line-feed"],
)
def test_names_k10_that_could_change_the_address_never_leave_the_process(
    world: World, cluster: ClusterClient, name: str
) -> None:
    world.server.faults.add("refuse", code=500)  # any request would show as unreachable

    with pytest.raises(kubernetes.InvalidNameError):
        cluster.get_application(world.namespace, name)
    with pytest.raises(kubernetes.InvalidNameError):
        cluster.get_application(name, "example")
    with pytest.raises(kubernetes.InvalidNameError):
        cluster.refresh(world.namespace, name, stamp="s")


def test_list_applications_k12_ten_thousand_come_in_pages_of_500(
    world: World, cluster: ClusterClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = next(r for r in world.server.store._objects if r.plural == "applications")
    by_name = {}
    for index in range(10_000):
        metadata = {"namespace": world.namespace, "name": f"app-{index:05}", "uid": str(index)}
        by_name[world.namespace, metadata["name"]] = {"metadata": metadata, "spec": {}}
    monkeypatch.setitem(world.server.store._objects, resource, by_name)
    taken = cluster.list_applications([world.namespace])

    first = [manifest["metadata"]["uid"] for manifest in itertools.islice(taken, 501)]
    snapshots = len(world.server.application.listings._snapshots)
    rest = sum(1 for _ in taken)

    assert (first[-1], rest) == ("500", 9499)
    assert snapshots == 1  # still open: the rest was not asked for yet
    assert taken.resource_version == str(world.server.store.version)


def test_patch_application_k13_field_of_another_manager_is_never_forced(
    world: World, cluster: ClusterClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = world.create()
    asked = []
    original = type(cluster._gateway).ask
    monkeypatch.setattr(
        type(cluster._gateway),
        "ask",
        lambda *args, **kwargs: asked.append(kwargs) or original(*args, **kwargs),
    )

    cluster.patch_application(
        world.namespace, "example", {"spec": {"project": "x"}}, **_guard(created)
    )

    assert [call.get("force") for call in asked] == [None]


def test_patch_application_k15_silence_ends_in_time_with_an_unknown_outcome(
    world: World, cluster: ClusterClient
) -> None:
    created = world.create()
    cluster = kubernetes.connect(world.kubeconfig, read_seconds=0.3)
    world.server.faults.add("hang", verbs=("patch",))
    started = time.monotonic()

    with pytest.raises(kubernetes.UnknownOutcomeError, match="kept silent"):
        cluster.patch_application(world.namespace, "example", {"spec": {}}, **_guard(created))

    assert time.monotonic() - started < 3


def test_connect_k15_gives_up_after_thirty_seconds_of_silence(cluster: ClusterClient) -> None:
    assert (Timeouts().connect, Timeouts().read) == (3, 30)


def test_get_application_when_a_proxy_answers_html_is_unreachable(
    world: World, cluster: ClusterClient
) -> None:
    world.server.faults.add("garbage")

    with pytest.raises(kubernetes.ClusterUnreachableError, match="not JSON"):
        cluster.get_application(world.namespace, "example")


def test_connect_r37_ignores_proxies_of_the_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.create()
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    found = kubernetes.connect(world.kubeconfig).get_application(world.namespace, "example")

    assert found["metadata"]["name"] == "example"


def test_connect_verifies_certificates_whatever_the_kubeconfig_says(
    world: World, tmp_path: Path
) -> None:
    text = (
        Path(world.kubeconfig)
        .read_text()
        .replace('"server"', '"insecure-skip-tls-verify": true, "server"')
    )
    (tmp_path / "careless").write_text(text)

    cluster = kubernetes.connect(str(tmp_path / "careless"))

    configuration = cluster._gateway._connection.custom.api_client.configuration
    assert configuration.verify_ssl is True


@pytest.mark.parametrize(
    "content",
    [None, "", "[]", "a: [", "apiVersion: v1"],
    ids=["no-file", "empty", "list", "broken", "too-little"],
)
def test_connect_with_an_unusable_kubeconfig_says_so(tmp_path: Path, content) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)

    with pytest.raises(kubernetes.ClusterConfigurationError, match="kubeconfig"):
        kubernetes.connect(str(path))


def test_connect_outside_a_pod_without_kubeconfig_says_so(monkeypatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    with pytest.raises(kubernetes.ClusterConfigurationError, match="Set KUBECONFIG"):
        kubernetes.connect(None)


def test_list_applications_starts_again_when_the_token_expires(
    world: World, cluster: ClusterClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 2)
    monkeypatch.setattr("updater.integrations.kubernetes.resources.PAGE_SIZE", 2)
    for index in range(5):
        world.create(an_application(f"app-{index}"))
    taken = cluster.list_applications([world.namespace])
    first = next(taken)["metadata"]["name"]
    world.server.do(world.server.application.listings.expire_tokens)

    names = {manifest["metadata"]["name"] for manifest in taken}

    assert first == "app-0"
    assert names == {f"app-{index}" for index in range(5)}


def test_list_applications_of_all_namespaces_needs_the_right_to(world: World) -> None:
    account = Account("narrow", "narrow", (Rule(("argoproj.io",), ("*",), ("list",), ("a",)),))
    world.server.accounts.add(account)
    path = world.server.write_kubeconfig(world.folder / "narrow", account)
    cluster = kubernetes.connect(str(path))

    with pytest.raises(kubernetes.ClusterForbiddenError, match="in all namespaces"):
        list(cluster.list_applications())
    assert list(cluster.list_applications(["a"])) == []


def test_watch_applications_follows_a_list(world: World, cluster: ClusterClient) -> None:
    world.create()
    taken = cluster.list_applications([world.namespace])
    assert len(list(taken)) == 1
    stream = cluster.watch_applications(
        taken.resource_version, seconds=5, namespace=world.namespace
    )
    world.patch({"spec": {"project": "other"}})
    world.delete()

    events = list(itertools.islice(stream, 3))
    stream.close()

    kinds = [event.kind for event in events if event.kind != "BOOKMARK"]
    assert kinds[:2] == ["MODIFIED", "DELETED"]
    assert events[0].manifest["spec"]["project"] == "other"
    assert events[0].resource_version > taken.resource_version


def test_watch_applications_ends_when_its_seconds_are_over(
    world: World, cluster: ClusterClient
) -> None:
    version = str(world.server.store.version)

    events = list(cluster.watch_applications(version, seconds=1, namespace=world.namespace))

    assert {event.kind for event in events} == {"BOOKMARK"}


def test_watch_applications_from_a_forgotten_version_is_expired(
    world: World, cluster: ClusterClient
) -> None:
    world.create()
    store = world.server.store
    world.server.do(lambda: store.forget_before(store.version))

    with pytest.raises(kubernetes.WatchExpiredError):
        list(cluster.watch_applications("1", seconds=1))


def test_refresh_sets_both_annotations_and_nothing_else(
    world: World, cluster: ClusterClient
) -> None:
    created = world.create()

    refreshed = cluster.refresh(world.namespace, "example", stamp="2026-11-03T12:00:00.5Z")

    annotations = {REFRESH: "normal", REFRESH_TIMESTAMP: "2026-11-03T12:00:00.5Z"}
    assert refreshed["metadata"]["annotations"] == annotations
    assert refreshed["spec"] == created["spec"]


def test_request_sync_writes_operation_and_removes_the_old_state(
    world: World, cluster: ClusterClient
) -> None:
    policy = {"syncOptions": ["CreateNamespace=true"], "retry": {"limit": 2}}
    created = world.create(an_application(syncPolicy=policy))
    state = {"phase": "Succeeded", "startedAt": "x", "operation": {}, "message": "old"}
    world.patch({"status": {"operationState": state}})

    written = cluster.request_sync(
        world.namespace,
        "example",
        uid=created["metadata"]["uid"],
        username="countersign",
        info={"Promotion": "4711"},
        revisions=["a" * 40],
    )

    assert "operationState" not in written["status"]
    assert written["operation"] == {
        "initiatedBy": {"username": "countersign"},
        "info": [{"name": "Promotion", "value": "4711"}],
        "retry": {"limit": 2},
        "sync": {
            "revision": "a" * 40,
            "source": created["spec"]["source"],
            "syncOptions": ["CreateNamespace=true"],
            "syncStrategy": {"hook": {}},
        },
    }


def test_request_sync_while_an_operation_runs_is_refused(
    world: World, cluster: ClusterClient
) -> None:
    created = world.create()
    world.patch({"operation": {"sync": {}}})

    with pytest.raises(kubernetes.OperationRunningError):
        cluster.request_sync(
            world.namespace,
            "example",
            uid=created["metadata"]["uid"],
            username="countersign",
            info={},
        )


def test_request_sync_of_a_deleting_application_is_refused(
    world: World, cluster: ClusterClient
) -> None:
    manifest = an_application()
    manifest["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    created = world.create(manifest)
    world.delete()

    with pytest.raises(kubernetes.ApplicationDeletingError):
        cluster.request_sync(
            world.namespace,
            "example",
            uid=created["metadata"]["uid"],
            username="countersign",
            info={},
        )


def test_secrets_are_decoded_and_never_in_a_repr(world: World, cluster: ClusterClient) -> None:
    label = {"argocd.argoproj.io/secret-type": "repository"}
    fields = {"url": "https://git.example/a.git", "password": "s3cret"}
    world.core.create_namespaced_secret(
        world.namespace, {"metadata": {"name": "repo", "labels": label}, "stringData": fields}
    )
    world.core.create_namespaced_secret(
        world.namespace, {"metadata": {"name": "other"}, "stringData": {"a": "b"}}
    )

    listed = cluster.list_repository_secrets(world.namespace)
    one = cluster.get_secret(world.namespace, "other")

    assert [(item.name, item.kind, item.text("url")) for item in listed] == [
        ("repo", "repository", "https://git.example/a.git")
    ]
    assert listed[0].fields["password"] == b"s3cret"
    assert "s3cret" not in repr(listed)
    assert one == {"a": b"b"}


def test_get_secret_when_absent_is_not_found(world: World, cluster: ClusterClient) -> None:
    with pytest.raises(kubernetes.ObjectNotFoundError, match="secrets"):
        cluster.get_secret(world.namespace, "absent")


def test_get_config_map_gives_its_texts(world: World, cluster: ClusterClient) -> None:
    world.core.create_namespaced_config_map(
        world.namespace, {"metadata": {"name": "argocd-cm"}, "data": {"url": "https://cd"}}
    )

    assert cluster.get_config_map(world.namespace, "argocd-cm") == {"url": "https://cd"}


def test_list_app_projects_and_image_updaters(world: World, cluster: ClusterClient) -> None:
    for group, plural, kind in (
        ("argoproj.io", "appprojects", "AppProject"),
        ("argocd-image-updater.argoproj.io", "imageupdaters", "ImageUpdater"),
    ):
        world.custom.create_namespaced_custom_object(
            group, "v1alpha1", world.namespace, plural, {"kind": kind, "metadata": {"name": "x"}}
        )

    projects = cluster.list_app_projects(world.namespace)
    updaters = cluster.list_image_updaters(world.namespace)

    assert [item["kind"] for item in (*projects, *updaters)] == ["AppProject", "ImageUpdater"]


def test_the_writers_rights_are_enough_for_everything_the_client_does(world: World) -> None:
    created = world.create()
    account = writer("writer", "writer-token", argocd_namespace=world.namespace)
    world.server.accounts.add(account)
    path = world.server.write_kubeconfig(world.folder / "writer", account)
    cluster = kubernetes.connect(str(path))
    uid = created["metadata"]["uid"]

    list(cluster.list_applications())
    list(cluster.watch_applications("0", seconds=1))
    cluster.refresh(world.namespace, "example", stamp="s", uid=uid)
    cluster.request_sync(world.namespace, "example", uid=uid, username="u", info={})
    cluster.list_repository_secrets(world.namespace)
    cluster.list_app_projects(world.namespace)
    cluster.list_image_updaters("")
    for name in ("argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm"):
        with suppress(kubernetes.ObjectNotFoundError):  # allowed to look, and it is not there
            cluster.get_config_map(world.namespace, name)

    assert "operation" in world.get()


def test_requests_leave_no_body_or_token_in_the_log(
    world: World, cluster: ClusterClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.core.create_namespaced_secret(
        world.namespace, {"metadata": {"name": "login"}, "stringData": {"password": "s3cret"}}
    )
    caplog.clear()

    cluster.get_secret(world.namespace, "login")

    text = "".join(record.getMessage() for record in caplog.records if "httpx" not in record.name)
    assert "czNjcmV0" not in text
    assert "root-token" not in text


def test_every_error_has_a_code_of_its_own_and_one_base() -> None:
    classes = [value for value in vars(kubernetes).values() if isinstance(value, type)]
    found = [cls for cls in classes if issubclass(cls, PermanentError | TransientError)]

    codes = [cls.code for cls in found]

    assert len(found) == 18
    assert len(set(codes)) == len(codes)
