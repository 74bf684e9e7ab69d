"""What the demo's world holds: two projects, five Applications, their images and their charts.

Pure descriptions: `seeding` carries them into Git, the registry and the cluster; `story` adds builds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

NAMESPACE = "argocd"
PULL_SECRET = "registry-secret"  # noqa: S105  the name of a Secret
ANNOTATION = "argocd-image-updater.argoproj.io/"
CLUSTER = "https://kubernetes.default.svc"
PROJECTS = {"storefront": "What customers see", "platform": "What the shops stand on"}


class Tagging(StrEnum):
    """How the pretend CI names the builds of an image."""

    COMMIT = "main-<commit>"
    VERSION = "v1.2.<next>"
    STABLE = "stable, pushed again"


@dataclass(frozen=True, slots=True)
class Image:
    """One image of an Application: its alias there, its repository, and its own annotations."""

    alias: str
    repository: str
    settings: Mapping[str, str] = field(default_factory=dict)
    constraint: str = ""
    tagging: Tagging = Tagging.COMMIT
    crashes: bool = False  # every build but the first crashes when it runs


@dataclass(frozen=True, slots=True)
class DemoApplication:
    """One Application: its project, its images, and the annotations that are not about one image."""

    name: str
    project: str
    images: tuple[Image, ...]
    settings: Mapping[str, str]

    @property
    def chart(self) -> str:
        """The git repository of its Helm chart."""
        return f"acme/{self.name}-chart"


FROM_MAIN = {"allow-tags": "regexp:^main"}

APPLICATIONS = (
    # The story the product is built around, with the annotations of its first users.
    DemoApplication(
        "example",
        "storefront",
        (
            Image("frontend", "acme/frontend", FROM_MAIN),
            Image("backend", "acme/backend", FROM_MAIN),
        ),
        {"update-strategy": "latest", "write-back-method": "git"},
    ),
    # One annotation is wrong: it stops that image only, and the page says how to mend it.
    DemoApplication(
        "checkout",
        "storefront",
        (
            Image("web", "acme/checkout-web", {"allow-tags": "regexp:^main-("}),
            Image("worker", "acme/checkout-worker", FROM_MAIN),
        ),
        {"update-strategy": "newest-build", "write-back-method": "git"},
    ),
    # Its releases turn out Degraded.
    DemoApplication(
        "payments",
        "platform",
        (Image("api", "acme/payments", FROM_MAIN, crashes=True),),
        {"update-strategy": "newest-build", "write-back-method": "git"},
    ),
    # Versions in a range, written into the Application itself instead of Git.
    DemoApplication(
        "catalog",
        "platform",
        (Image("api", "acme/catalog", constraint="~1.2", tagging=Tagging.VERSION),),
        {"update-strategy": "semver", "write-back-method": "argocd"},
    ),
    # One tag, pushed again and again: the digest is what changes.
    DemoApplication(
        "notifications",
        "platform",
        (Image("mailer", "acme/mailer", constraint="stable", tagging=Tagging.STABLE),),
        {"update-strategy": "digest", "write-back-method": "git"},
    ),
)
IMAGES = tuple(image for application in APPLICATIONS for image in application.images)


def project_manifest(name: str, *, git_url: str) -> Json:
    """Return an AppProject whose Applications may use the world's charts."""
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
            "source": {
                "repoURL": f"{git_url}/{application.chart}.git",
                "path": ".",
                "targetRevision": "main",
            },
            "destination": {"server": CLUSTER, "namespace": application.name},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
    }


def annotations(application: DemoApplication, *, registry: str) -> dict[str, str]:
    """Return the Application's annotations for images on this registry host."""
    settings = {"image-list": ", ".join(_entry(image, registry) for image in application.images)}
    settings |= application.settings
    for image in application.images:
        own = {
            **image.settings,
            "helm.image-name": f"{image.alias}.image",
            "helm.image-tag": f"{image.alias}.tag",
            "pull-secret": f"pullsecret:{NAMESPACE}/{PULL_SECRET}",
        }
        settings |= {f"{image.alias}.{key}": value for key, value in own.items()}
    return {ANNOTATION + key: value for key, value in settings.items()}


def _entry(image: Image, registry: str) -> str:
    constraint = f":{image.constraint}" if image.constraint else ""
    return f"{image.alias}={registry}/{image.repository}{constraint}"
