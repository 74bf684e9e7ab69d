"""One Application manifest as this package looks at it; every property is total."""

from collections.abc import Mapping
from dataclasses import dataclass

from updater.configuration import untrusted


@dataclass(frozen=True, slots=True)
class Manifest:
    """An Application as the cluster (or a file) gave it, and where Argo CD itself lives."""

    document: object
    argocd_namespace: str

    @property
    def name(self) -> str:
        """`metadata.name`, or "" when absent."""
        return untrusted.text(self.document, "metadata", "name")

    @property
    def namespace(self) -> str:
        """`metadata.namespace`, or "" when absent."""
        return untrusted.text(self.document, "metadata", "namespace")

    @property
    def project(self) -> str:
        """`spec.project`, "default" when absent."""
        return untrusted.text(self.document, "spec", "project") or "default"

    @property
    def secrets_namespace(self) -> str:
        """The only namespace this Application may name secrets of."""
        return self.namespace or self.argocd_namespace

    @property
    def annotations(self) -> Mapping[str, object]:
        """`metadata.annotations`; values may be anything."""
        return untrusted.mapping(self.document, "metadata", "annotations")

    @property
    def labels(self) -> Mapping[str, str]:
        """`metadata.labels`, as far as they are text."""
        labels = untrusted.mapping(self.document, "metadata", "labels")
        return {key: value for key, value in labels.items() if isinstance(value, str)}

    @property
    def live_images(self) -> list[str]:
        """`status.summary.images`: what Argo CD says is running."""
        images = untrusted.items(self.document, "status", "summary", "images")
        return [image for image in images if isinstance(image, str)]

    def override_file(self, *, exact: bool = False) -> str:
        """Return the name of the override file Argo CD reads for this Application (3.4)."""
        controller = untrusted.text(self.document, "status", "controllerNamespace")
        if exact or not controller:
            # A namespace of "default" means upstream was started without knowing its own.
            short = self.namespace in ("", self.argocd_namespace)
            short = short or self.argocd_namespace == "default"
        else:
            short = self.namespace in ("", controller)
        instance = self.name if short else f"{self.namespace}_{self.name}"
        return f".argocd-source-{instance}.yaml"
