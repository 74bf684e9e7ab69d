"""What the demo's world holds: two projects, their Applications and the images of these.

Pure descriptions: `objects` and `files` spell them out, `seeding` carries them into Git, the registry and the
cluster, and `story` adds builds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

NAMESPACE = "argocd"
PULL_SECRET = "registry-secret"  # noqa: S105  the name of a Secret
VALUES_FILE = "production.yaml"  # where people keep their own values
VALUES_SOURCE = "values"
DEPLOY_PATH = "production"  # of a kustomization
PROJECTS = {"storefront": "What customers see", "platform": "What the shops stand on"}


class Tagging(StrEnum):
    """How the pretend CI names the builds of an image."""

    COMMIT = "main-<commit>"
    VERSION = "v1.2.<next>"
    STABLE = "stable, pushed again"


class Layout(StrEnum):
    """What an Application is rendered from, and so which file a promotion changes."""

    CHART = "a chart; an override file beside it"
    VALUES_FILE = "a chart; its values file for production"
    KUSTOMIZATION = "a kustomization"
    TWO_SOURCES = "a chart; a values file in another repository"


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
    """One Application: its project, its images, and the annotations that are not about one image.

    `settings` are Argo CD Image Updater's, `own_settings` those of Countersign.
    """

    name: str
    project: str
    images: tuple[Image, ...]
    settings: Mapping[str, str]
    layout: Layout = Layout.CHART
    own_settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def repository(self) -> str:
        """The git repository of its chart or its kustomization."""
        kind = "deploy" if self.layout is Layout.KUSTOMIZATION else "chart"
        return f"acme/{self.name}-{kind}"

    @property
    def values_repository(self) -> str:
        """The git repository of its values, where they are a source of their own."""
        return f"acme/{self.name}-values"

    @property
    def repositories(self) -> tuple[str, ...]:
        """All git repositories that Argo CD reads for it."""
        if self.layout is Layout.TWO_SOURCES:
            return (self.repository, self.values_repository)
        return (self.repository,)


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
    # A values file that people keep: a promotion changes one value, and their comments stay.
    DemoApplication(
        "orders",
        "storefront",
        (Image("api", "acme/orders", FROM_MAIN),),
        {
            "update-strategy": "newest-build",
            "write-back-method": "git",
            "write-back-target": f"helmvalues:{VALUES_FILE}",
        },
        layout=Layout.VALUES_FILE,
    ),
    DemoApplication(
        "delivery",
        "platform",
        (Image("tracker", "acme/delivery", FROM_MAIN),),
        {
            "update-strategy": "newest-build",
            "write-back-method": "git",
            "write-back-target": "kustomization",
        },
        layout=Layout.KUSTOMIZATION,
    ),
    # Nobody pushes to its main branch: an approval opens a pull request, and the merge releases.
    DemoApplication(
        "accounts",
        "platform",
        (Image("api", "acme/accounts", FROM_MAIN),),
        {"update-strategy": "newest-build", "write-back-method": "git"},
        own_settings={"pull-request": "gitea"},
    ),
    # Two sources: the chart is one team's, the values another's; the second one is written.
    DemoApplication(
        "search",
        "storefront",
        (Image("engine", "acme/search", FROM_MAIN),),
        {
            "update-strategy": "newest-build",
            "write-back-method": "git",
            "write-back-target": f"helmvalues:{VALUES_FILE}",
        },
        layout=Layout.TWO_SOURCES,
        own_settings={"source-name": VALUES_SOURCE},
    ),
)
IMAGES = tuple(image for application in APPLICATIONS for image in application.images)
