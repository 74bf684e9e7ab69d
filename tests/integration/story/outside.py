"""The whole outside world in this process: Git host, registry and cluster, all over loopback HTTP.

Each stage of the product is called as its task calls it, so a test walks a story step by step.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from approvals import execution, outcomes, promotions, requested
from approvals.models import Promotion
from onebox.world.cluster import ClusterServer, administrator
from onebox.world.git_host import GitHost
from onebox.world.registry import RegistryServer, RegistryWorld
from updater import clock, inventory, scanning
from updater.audit import Actor
from updater.connections import Connections
from updater.inventory import Reading
from updater.models import ImageRepository

MACHINE = Actor(name="countersign", via="worker")
ROOT = administrator("root", "root-token")
NAMESPACE = "argocd"
ANNOTATION = "argocd-image-updater.argoproj.io/"
CHART = {
    "Chart.yaml": b"apiVersion: v2\nname: example\nversion: 0.1.0\n",
    "values.yaml": b"frontend:\n  image: x\n  tag: y\nbackend:\n  image: x\n  tag: y\n",
}
REPOSITORY = "acme/example-chart"


class Outside:
    """The three servers, and the stages of the product looking at them."""

    def __init__(
        self,
        git: GitHost,
        registry: RegistryServer,
        cluster: ClusterServer,
        *,
        token: str = ROOT.token,
    ) -> None:
        self.git = git
        self.registry = registry
        self.images: RegistryWorld = registry.world
        self.cluster = cluster
        self.http = httpx.Client(
            base_url=cluster.url,
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=10,
        )

    # The outside

    def create(self, kind: str, manifest: Mapping[str, Any], *, core: bool = False) -> None:
        group = "/api/v1" if core else "/apis/argoproj.io/v1alpha1"
        answer = self.http.post(f"{group}/namespaces/{NAMESPACE}/{kind}", json=manifest)
        answer.raise_for_status()

    def create_secret(self, name: str, fields: Mapping[str, str], *, kind: str = "") -> None:
        """Create a Secret with Argo CD's label of this kind."""
        self.create("secrets", _secret(name, fields, kind), core=True)

    def patch(self, name: str, patch: Mapping[str, Any]) -> None:
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications/{name}"
        headers = {"Content-Type": "application/merge-patch+json"}
        self.http.patch(path, content=json.dumps(patch), headers=headers).raise_for_status()

    def application(self, name: str = "example") -> dict[str, Any]:
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications/{name}"
        return self.http.get(path).raise_for_status().json()

    def delete(self, name: str) -> None:
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications/{name}"
        self.http.delete(path).raise_for_status()

    def add_example(self, name: str = "example", **annotations: str) -> None:
        """Create the story's Application with both images running main-aaaaaaa, and its secrets."""
        repository = REPOSITORY if name == "example" else f"acme/{name}-chart"
        url = self.git.create_repository(repository, CHART)
        self.add_repository_secret(name, url)
        self.add_application(name, url, **annotations)

    def add_repository_secret(self, name: str, url: str) -> None:
        fields = {"type": "git", "url": url, "username": "bot", "password": "git-password"}
        self.create("secrets", _secret(f"repository-{name}", fields, "repository"), core=True)

    def add_application(self, name: str, url: str, *, path: str = ".", **annotations: str) -> None:
        own = {**self.annotations(), **annotations}
        manifest = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "annotations": own},
            "spec": {
                "project": "default",
                "source": {"repoURL": url, "path": path, "targetRevision": "main"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
                "syncPolicy": {"automated": {}},
            },
        }
        self.create("applications", manifest)
        self.report(name, ["main-aaaaaaa"], revision=self.git.log(_name(url), "main")[0].sha)

    def annotations(self) -> dict[str, str]:
        host = self.registry.host
        images = f"frontend={host}/acme/frontend, backend={host}/acme/backend"
        settings = {
            "image-list": images,
            "update-strategy": "latest",
            "write-back-method": "git",
        }
        for alias in ("frontend", "backend"):
            settings |= {
                f"{alias}.allow-tags": "regexp:^main",
                f"{alias}.helm.image-name": f"{alias}.image",
                f"{alias}.helm.image-tag": f"{alias}.tag",
                f"{alias}.pull-secret": "pullsecret:argocd/registry-secret",
            }
        return {ANNOTATION + key: value for key, value in settings.items()}

    def report(
        self,
        name: str,
        backend_tags: list[str],
        *,
        revision: str,
        frontend_tag: str = "main-aaaaaaa",
        sync: str = "Synced",
        health: str = "Healthy",
    ) -> None:
        """Let Argo CD report these images, this revision and these states."""
        host = self.registry.host
        images = [f"{host}/acme/backend:{tag}" for tag in backend_tags]
        images.append(f"{host}/acme/frontend:{frontend_tag}")
        status = {
            "sourceType": "Helm",
            "sync": {"status": sync, "revision": revision},
            "health": {"status": health},
            "summary": {"images": sorted(images)},
            "reconciledAt": "2026-11-23T10:00:00Z",
            "controllerNamespace": NAMESPACE,
        }
        self.patch(name, {"status": status})

    def push(self, tag: str, image: str = "backend", **options: Any) -> str:
        return self.images.push(f"acme/{image}", tag, **options)

    # The product, stage by stage

    def look(self) -> None:
        """Read the cluster and scan the registries, as beat would have it done."""
        world = Connections()
        how = Reading(
            "in-cluster",
            NAMESPACE,
            world.image_updaters(NAMESPACE),
            world.sync_windows(),
            allow_http=True,
        )
        listing = world.cluster.list_applications()
        inventory.reconcile(listing, how=how, by=MACHINE, at=clock.now())
        ImageRepository.objects.update(next_scan_at=None)
        scanning.scan_due(
            endpoints=world.registries,
            credentials_for=world.registry_credentials,
            at=clock.now(),
            by=MACHINE,
            tuning=scanning.Tuning(interval_seconds=60, guard_seconds=0),
        )

    def propose(self) -> dict[str, int]:
        requested.sweep(world=Connections(), by=MACHINE)
        return promotions.sweep(world=Connections(), by=MACHINE)

    def execute(self, holder: str = "worker-1") -> int:
        return execution.sweep(world=Connections(), holder=holder, by=MACHINE)

    def observe(self) -> int:
        return outcomes.sweep(world=Connections(), by=MACHINE)

    def offer(self, tag: str = "main-e1f492f", image: str = "backend", **options: Any) -> Promotion:
        """Push a build and return the pending promotion it becomes."""
        self.push(tag, image, **options)
        self.look()
        self.propose()
        return Promotion.objects.get(to_tag=tag, tracked_image__alias=image, status="PENDING")


@contextmanager
def outside(folder: Path) -> Iterator[Outside]:
    """Start the servers with a pull secret in place, and end them."""
    git = GitHost(folder / "git", {"bot": "git-password"}).start()
    with RegistryServer(RegistryWorld()) as registry, ClusterServer([ROOT]) as cluster:
        world = Outside(git, registry, cluster)
        world.create("secrets", _pull_secret(registry.host), core=True)
        for image in ("frontend", "backend"):
            world.push("main-aaaaaaa", image, created="2026-11-20T10:00:00Z")
        try:
            yield world
        finally:
            world.http.close()
            git.stop()


def _pull_secret(host: str) -> dict[str, Any]:
    auths = {host: {"auth": base64.b64encode(b"reader:registry-password").decode()}}
    document = json.dumps({"auths": auths})
    return _secret("registry-secret", {".dockerconfigjson": document}, "")


def _secret(name: str, fields: Mapping[str, str], kind: str) -> dict[str, Any]:
    labels = {"argocd.argoproj.io/secret-type": kind} if kind else {}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in fields.items()}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def _name(url: str) -> str:
    return url.removesuffix(".git").split("/", 3)[3]
