"""The beginning of the world: git repositories, first builds, and the cluster's objects."""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus

import httpx

from onebox.world import content, files, objects
from onebox.world.builds import PretendCI
from onebox.world.cluster import kubeconfig
from onebox.world.content import APPLICATIONS, IMAGES, NAMESPACE, PROJECTS, DemoApplication
from onebox.world.git_host import Repositories
from onebox.world.objects import Json
from onebox.world.place import ACCOUNT, TELLING, Place

CORE = f"/api/v1/namespaces/{NAMESPACE}"
ARGO = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}"


def seed(place: Place, repositories: Repositories, ci: PretendCI) -> None:
    """Make everything that is not there yet; the Applications come last."""
    with _cluster(place) as cluster:
        last = cluster.get(f"{ARGO}/applications/{APPLICATIONS[-1].name}")
        if last.status_code == HTTPStatus.OK:
            return
        tags = _first_builds(ci)
        for application in APPLICATIONS:
            _fill(application, place.registry, tags, repositories)
        _create_objects(cluster, place)


def _fill(
    application: DemoApplication,
    registry: str,
    tags: Mapping[str, str],
    repositories: Repositories,
) -> None:
    held = files.by_repository(application, registry=registry, tags=tags)
    for name, found in held.items():
        repositories.create(name, found)
    if "pull-request" in application.own_settings:
        repositories.protect(application.repository, "main")


def _cluster(place: Place) -> httpx.Client:
    connection = kubeconfig.read(place.kubeconfig(TELLING))
    headers = {"Authorization": f"Bearer {connection.token}"}
    return httpx.Client(base_url=connection.url, headers=headers, trust_env=False)


def _first_builds(ci: PretendCI) -> dict[str, str]:
    for image in IMAGES:
        ci.begin(image)
    return {image.repository: ci.build(image) for image in IMAGES}


def _create_objects(cluster: httpx.Client, place: Place) -> None:
    _create(cluster, f"{CORE}/secrets", pull_secret(place))
    for project in PROJECTS:
        manifest = objects.project_manifest(project, git_url=place.git_url)
        _create(cluster, f"{ARGO}/appprojects", manifest)
    written = [name for application in APPLICATIONS for name in application.repositories]
    read = [
        image.repository for image in IMAGES
    ]  # who wrote a build is read from its source repository
    for name in (*written, *read):
        _create(cluster, f"{CORE}/secrets", repository_secret(name, place))
    for application in APPLICATIONS:
        manifest = objects.application_manifest(
            application, git_url=place.git_url, registry=place.registry
        )
        _create(cluster, f"{ARGO}/applications", manifest)


def _create(cluster: httpx.Client, path: str, manifest: Json) -> None:
    answer = cluster.post(path, json=manifest)
    if answer.status_code != HTTPStatus.CONFLICT:  # an earlier beginning came so far
        answer.raise_for_status()


def pull_secret(place: Place) -> Json:
    """Return the Secret with which images are read."""
    pair = f"{ACCOUNT}:{place.registry_password}".encode()
    auths = {place.registry: {"auth": base64.b64encode(pair).decode("ascii")}}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": content.PULL_SECRET, "namespace": NAMESPACE},
        "data": {".dockerconfigjson": _encoded(json.dumps({"auths": auths}))},
    }


def repository_secret(name: str, place: Place) -> Json:
    """Return the Secret with which Argo CD reads, and Countersign writes, a git repository."""
    fields = {
        "type": "git",
        "url": f"{place.git_url}/{name}.git",
        "username": ACCOUNT,
        "password": place.git_password,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": f"repository-{name.rpartition('/')[2]}",
            "namespace": NAMESPACE,
            "labels": {"argocd.argoproj.io/secret-type": "repository"},
        },
        "data": {key: _encoded(value) for key, value in fields.items()},
    }


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
