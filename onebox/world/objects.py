"""The demo's projects and Applications as Argo CD reads them; pure."""

from typing import Any

from onebox.world.content import (
    DEPLOY_PATH,
    NAMESPACE,
    PROJECTS,
    PULL_SECRET,
    VALUES_FILE,
    VALUES_SOURCE,
    DemoApplication,
    Image,
    Layout,
)

Json = dict[str, Any]

ANNOTATION = "argocd-image-updater.argoproj.io/"
OWN_ANNOTATION = "countersign.dev/"
CLUSTER = "https://kubernetes.default.svc"


def project_manifest(name: str, *, git_url: str) -> Json:
    """Return an AppProject whose Applications may use the world's repositories."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "description": PROJECTS[name],
            "sourceRepos": [f"{git_url}/acme/*"],
            "destinations": [{"server": CLUSTER, "namespace": "*"}],
        },
    }


def application_manifest(application: DemoApplication, *, git_url: str, registry: str) -> Json:
    """Return the Argo CD Application, with what Argo CD Image Updater would read from it."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": application.name,
            "namespace": NAMESPACE,
            "annotations": annotations(application, registry=registry),
        },
        "spec": {
            "project": application.project,
            **_sources(application, git_url),
            "destination": {"server": CLUSTER, "namespace": application.name},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
    }


def _sources(application: DemoApplication, git_url: str) -> Json:
    own: Json = {
        "repoURL": f"{git_url}/{application.repository}.git",
        "path": DEPLOY_PATH if application.layout is Layout.KUSTOMIZATION else ".",
        "targetRevision": "main",
    }
    match application.layout:
        case Layout.VALUES_FILE:
            return {"source": {**own, "helm": {"valueFiles": [VALUES_FILE]}}}
        case Layout.TWO_SOURCES:
            chart = {**own, "helm": {"valueFiles": [f"${VALUES_SOURCE}/{VALUES_FILE}"]}}
            return {"sources": [chart, _values_source(application, git_url)]}
    return {"source": own}


def _values_source(application: DemoApplication, git_url: str) -> Json:
    return {
        "repoURL": f"{git_url}/{application.values_repository}.git",
        "targetRevision": "main",
        "ref": VALUES_SOURCE,
        "name": VALUES_SOURCE,
    }


def annotations(application: DemoApplication, *, registry: str) -> dict[str, str]:
    """Return the Application's annotations for images on this registry host."""
    settings = {"image-list": ", ".join(_entry(image, registry) for image in application.images)}
    settings |= application.settings
    for image in application.images:
        own = {
            **image.settings,
            **_place(image, application.layout),
            "pull-secret": f"pullsecret:{NAMESPACE}/{PULL_SECRET}",
        }
        settings |= {f"{image.alias}.{key}": value for key, value in own.items()}
    ours = {OWN_ANNOTATION + key: value for key, value in application.own_settings.items()}
    return {ANNOTATION + key: value for key, value in settings.items()} | ours


def _place(image: Image, layout: Layout) -> dict[str, str]:
    if layout is Layout.KUSTOMIZATION:
        return {"kustomize.image-name": image.repository}
    return {"helm.image-name": f"{image.alias}.image", "helm.image-tag": f"{image.alias}.tag"}


def _entry(image: Image, registry: str) -> str:
    constraint = f":{image.constraint}" if image.constraint else ""
    return f"{image.alias}={registry}/{image.repository}{constraint}"
