"""The demo's Argo CD among the world's other parts: Git over HTTP, a registry, and its own process."""

import base64
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from onebox.world import argocd
from onebox.world.argocd import DEGRADED_LABEL, ImageFact
from onebox.world.argocd.image_facts import RegistryLookUp, docker_logins
from onebox.world.cluster import access, administrator
from onebox.world.cluster.kubeconfig import Connection, read
from onebox.world.git_host import GitHost
from onebox.world.registry.access import Account, Anonymous, Basic, Bearer
from onebox.world.registry.server import RegistryServer
from onebox.world.registry.world import RegistryWorld
from tests.integration.kubernetes.argocd_rig import (
    AUTOMATED,
    DESTINATION,
    QUICK,
    GitRepository,
    Rig,
    chart,
    conditions,
    images,
    is_settled,
    override,
    running,
)
from updater.integrations import kubernetes
from updater.integrations.kubernetes.client import ClusterClient

LOGIN = Account("countersign", "s3cret")


@pytest.fixture
def git_host(tmp_path: Path) -> Iterator[GitHost]:
    host = GitHost(tmp_path / "git", {LOGIN.name: LOGIN.password}).start()
    yield host
    host.stop()


@pytest.fixture(params=["anonymous", "basic", "bearer"])
def registry(request: pytest.FixtureRequest) -> Iterator[RegistryServer]:
    ways = {
        "anonymous": Anonymous(),
        "basic": Basic(LOGIN),
        "bearer": Bearer(LOGIN, clock=time.monotonic),
    }
    world = RegistryWorld(access=ways[request.param])
    world.push("acme/web", "main-1")
    world.push("acme/web", "multi", platforms=("linux/amd64", "linux/arm64"))
    world.push("acme/web", "bad", labels={DEGRADED_LABEL: "true"})
    server = RegistryServer(world).start()
    yield server
    server.stop()


def _repository_secret(url: str) -> dict:
    fields = {"url": url, "username": LOGIN.name, "password": LOGIN.password}
    return {
        "metadata": {
            "name": "deploy",
            "labels": {"argocd.argoproj.io/secret-type": "repository"},
        },
        "stringData": fields,
    }


def _docker_config(host: str) -> bytes:
    entry = {"username": LOGIN.name, "password": LOGIN.password}
    return json.dumps({"auths": {host: entry}}).encode()


def _post(rig: Rig, path: str, body: dict) -> None:
    assert rig.http.post(path, json=body).is_success


def test_a_repository_over_http_needs_its_secret(tmp_path: Path, git_host: GitHost) -> None:
    values = b'{"web": {"image": "registry.example/web", "tag": "main-1"}}'
    files = {"Chart.yaml": b"name: web\nversion: 1.0.0\n", "values.yaml": values}
    url = git_host.create_repository("acme/deploy", files)
    source = {"repoURL": url, "path": ".", "targetRevision": "main"}

    with running(tmp_path / "argocd") as rig:
        rig.create("private", source=source, syncPolicy=AUTOMATED)
        closed = rig.until("private", conditions)
        _post(rig, "/api/v1/namespaces/argocd/secrets", _repository_secret(url))
        rig.refresh("private")
        app = rig.until("private", is_settled)

    assert "failed to list refs" in conditions(closed)["ComparisonError"]
    assert LOGIN.password not in json.dumps(closed)
    assert images(app) == ["registry.example/web:main-1"]


@pytest.mark.parametrize(
    ("tag", "fact"),
    [
        ("main-1", ImageFact.RUNS),
        ("multi", ImageFact.RUNS),
        ("bad", ImageFact.CRASHES),
        ("absent", ImageFact.MISSING),
    ],
)
def test_an_image_is_looked_up_in_its_registry(
    registry: RegistryServer, tag: str, fact: ImageFact
) -> None:
    look_up = RegistryLookUp(lambda: docker_logins(_docker_config(registry.host)))

    assert look_up(f"{registry.host}/acme/web:{tag}") is fact


def test_an_image_is_looked_up_by_its_digest_when_it_has_one(registry: RegistryServer) -> None:
    look_up = RegistryLookUp(lambda: docker_logins(_docker_config(registry.host)))
    absent = f"sha256:{'0' * 64}"

    assert look_up(f"{registry.host}/acme/web:main-1@{absent}") is ImageFact.MISSING


def test_the_pull_secret_of_the_cluster_opens_the_registry(tmp_path: Path) -> None:
    registry = RegistryServer(RegistryWorld(access=Basic(LOGIN))).start()
    data = base64.b64encode(_docker_config(registry.host)).decode()
    secret = {"metadata": {"name": "pull"}, "data": {".dockerconfigjson": data}}

    with running(tmp_path) as rig:
        _post(rig, "/api/v1/namespaces/argocd/secrets", secret)
        connection = Connection(rig.server.url, "token")
        controller = argocd.build(connection, tmp_path / "other", QUICK, pull_secret="pull")
        look_up = controller.installation.live.look_up
        before = look_up(f"{registry.host}/acme/web:late")
        registry.world.push("acme/web", "late")
        after = look_up(f"{registry.host}/acme/web:late")
        controller.installation.api.close()
    registry.stop()

    assert (before, after) == (ImageFact.MISSING, ImageFact.RUNS)


@pytest.fixture
def promoted(tmp_path: Path) -> Iterator[tuple[Rig, ClusterClient, dict]]:
    """A settled Application `example`, and the product's client with no more rights than it needs."""
    with running(tmp_path) as rig:
        account = access.writer("countersign", "executing")
        rig.server.accounts.add(account)
        path = rig.server.write_kubeconfig(tmp_path / "kubeconfig", account)
        app = rig.deployed("example", rig.repository(chart(web="main-1")))
        yield rig, kubernetes.connect(str(path)), app


def test_the_products_refresh_carries_a_commit_to_the_running_image(promoted) -> None:
    rig, cluster, app = promoted
    repository = GitRepository.opened(app["spec"]["source"]["repoURL"])
    override_file = {".argocd-source-example.yaml": override(("web.tag", "main-2"))}

    commit = repository.commit(override_file)
    cluster.refresh("argocd", "example", stamp="1", uid=app["metadata"]["uid"])
    new = ["registry.example/web:main-2"]
    done = rig.until("example", lambda app: images(app) == new and is_settled(app))

    assert done["status"]["sync"]["revision"] == commit


def test_the_products_parameter_patch_is_rolled_out(promoted) -> None:
    rig, cluster, _ = promoted
    read_back = cluster.get_application("argocd", "example")
    helm = {"parameters": [{"name": "web.tag", "value": "main-2", "forceString": True}]}

    cluster.patch_application(
        "argocd",
        "example",
        {"spec": {"source": {"helm": helm}}},
        resource_version=read_back["metadata"]["resourceVersion"],
        uid=read_back["metadata"]["uid"],
    )

    new = ["registry.example/web:main-2"]
    rig.until("example", lambda app: images(app) == new and is_settled(app))


def test_the_products_sync_request_is_recognised_afterwards(promoted) -> None:
    rig, cluster, app = promoted
    rig.controller.stop()  # so that the request still stands when the second one comes

    cluster.request_sync(
        "argocd",
        "example",
        uid=app["metadata"]["uid"],
        username="countersign",
        info={"Promotion": "4711"},
    )
    with pytest.raises(kubernetes.OperationRunningError):
        cluster.request_sync(
            "argocd", "example", uid=app["metadata"]["uid"], username="other", info={}
        )
    rig.restart()
    done = rig.until("example", lambda app: len(app["status"].get("history", [])) == 2)

    operation = done["status"]["operationState"]["operation"]
    assert operation["initiatedBy"] == {"username": "countersign"}
    assert operation["info"] == [{"name": "Promotion", "value": "4711"}]


def test_cluster_and_argo_cd_run_as_processes_of_their_own(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps(access.as_json([administrator("root", "token")])))
    kubeconfigs = tmp_path / "kubeconfigs"
    settings = tmp_path / "settings.json"
    settings.write_text('{"resync_seconds": 1, "application_namespaces": ["team-*"]}')
    cluster = _start(
        "onebox.world.cluster", f"--accounts={accounts}", f"--kubeconfigs={kubeconfigs}"
    )
    kubeconfig = kubeconfigs / "root.kubeconfig"
    _wait_for(kubeconfig.exists)
    controller = _start(
        "onebox.world.argocd",
        f"--kubeconfig={kubeconfig}",
        f"--state={tmp_path / 'state'}",
        f"--settings={settings}",
    )
    connection = read(kubeconfig)
    body = {
        "metadata": {"name": "alone"},
        "spec": {"project": "none", "destination": DESTINATION, "source": {"repoURL": "x"}},
    }
    path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"

    try:
        with httpx.Client(
            base_url=connection.url,
            headers={"Authorization": f"Bearer {connection.token}"},
            trust_env=False,
        ) as http:
            assert http.post(path, json=body).status_code == 201
            _wait_for(lambda: "status" in http.get(f"{path}/alone").json())
            mode = kubeconfig.stat().st_mode & 0o777
    finally:
        for process in (controller, cluster):
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(10) for process in (controller, cluster)]

    assert mode == 0o600
    assert codes[0] == 0


def _start(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", module, *arguments])


def _wait_for(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
