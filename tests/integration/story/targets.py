"""Applications of every shape for the stories of targets and credentials, and the way from a build to a commit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from approvals.models import Promotion
from tests.integration.git.scene import plain_git
from tests.integration.story import outside as world
from tests.integration.story.conftest import approve
from tests.integration.story.outside import ANNOTATION, NAMESPACE, Outside
from updater.models import Candidate

REPOSITORY = "acme/deploy"
OLD, NEW = "main-aaaaaaa", "main-e1f492f"
HELM = {"backend.helm.image-name": "backend.image", "backend.helm.image-tag": "backend.tag"}


@dataclass
class Shape:
    """One Application following one image; `annotations` without the prefix, `own` with their whole names."""

    annotations: Mapping[str, str] = field(default_factory=lambda: HELM)
    own: Mapping[str, str] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)  # over the usual source
    spec: Mapping[str, Any] = field(default_factory=dict)  # instead of the source
    status: Mapping[str, Any] = field(default_factory=lambda: {"sourceType": "Helm"})
    name: str = "shop"
    namespace: str = NAMESPACE
    project: str = "default"


def repository(outside: Outside, files: Mapping[str, bytes], name: str = REPOSITORY) -> str:
    """Make a Git repository that the usual repository Secret opens."""
    url = outside.git.create_repository(name, files)
    outside.add_repository_secret(name.replace("/", "-"), url)
    return url


def image(outside: Outside) -> str:
    """Return the name of the image that is followed."""
    return f"{outside.registry.host}/acme/backend"


def add(outside: Outside, url: str, shape: Shape) -> None:
    """Create the Application of this shape, running the old build."""
    listed = {
        "image-list": f"backend={image(outside)}",
        "update-strategy": "latest",
        "write-back-method": "git",
        "backend.allow-tags": "regexp:^main",
    }
    named = {ANNOTATION + key: value for key, value in (listed | dict(shape.annotations)).items()}
    source = {"repoURL": url, "path": ".", "targetRevision": "main"} | dict(shape.source)
    spec = {
        "project": shape.project,
        **(shape.spec or {"source": source}),
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
        "syncPolicy": {"automated": {}},
    }
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": shape.name, "annotations": named | dict(shape.own)},
        "spec": spec,
    }
    applications = f"/apis/argoproj.io/v1alpha1/namespaces/{shape.namespace}/applications"
    outside.http.post(applications, json=manifest).raise_for_status()
    status = {
        "sync": {"status": "Synced", "revision": "main"},
        "health": {"status": "Healthy"},
        "summary": {"images": [f"{image(outside)}:{OLD}"]},
        "reconciledAt": "2026-11-23T10:00:00Z",
        "controllerNamespace": NAMESPACE,
        **shape.status,
    }
    outside.http.patch(
        f"{applications}/{shape.name}",
        content=json.dumps({"status": status}),
        headers={"Content-Type": "application/merge-patch+json"},
    ).raise_for_status()


def carry_out(outside: Outside, person: Any, tag: str = NEW) -> Promotion:
    """Offer a build, approve it, let the worker write it, and return the promotion as it stands then."""
    try:
        offered = outside.offer(tag)
    except Promotion.DoesNotExist:
        problems = list(Candidate.objects.values_list("problem", flat=True))
        raise AssertionError(f"nothing was offered: {problems}") from None
    promotion = approve(offered, person)
    outside.execute()
    promotion.refresh_from_db()
    return promotion


def written(outside: Outside, person: Any, tag: str = NEW) -> Promotion:
    """Carry out, and require that it was written."""
    promotion = carry_out(outside, person, tag)
    assert promotion.status == "VERIFYING", f"{promotion.status}: {promotion.status_reason}"
    return promotion


def image_updater(
    *images: Mapping[str, Any], name: str = "images", **fields: Any
) -> dict[str, Any]:
    """Return an ImageUpdater resource for the Application of the usual name."""
    reference = {"namePattern": "shop", "images": list(images), **fields}
    return {
        "apiVersion": "argocd-image-updater.argoproj.io/v1alpha1",
        "kind": "ImageUpdater",
        "metadata": {"name": name},
        "spec": {"applicationRefs": [reference]},
    }


def history(outside: Outside) -> str:
    """Return `git log -p` of every branch of every repository."""
    repositories = outside.git.repositories
    return "\n".join(
        f"=== {name}\n"
        + plain_git(repositories.path(name), "log", "-p", "--all", "--format=fuller")
        for name in repositories.names()
    )


def secret(name: str, fields: Mapping[str, str], kind: str) -> dict[str, Any]:
    """Return the manifest of a Secret with Argo CD's label of this kind."""
    return world._secret(name, fields, kind)
