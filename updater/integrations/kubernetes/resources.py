"""The kinds we read, and the outside client's function for each way of asking."""

from dataclasses import dataclass
from typing import Any

from updater.integrations.kubernetes.calls import Call
from updater.integrations.kubernetes.gateway import Gateway, Pick
from updater.integrations.kubernetes.listing import PAGE_SIZE

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CustomKind:
    """A custom resource by its address."""

    group: str
    version: str
    plural: str

    @property
    def qualified_name(self) -> str:
        """`plural.group`, as permissions and messages write it."""
        return f"{self.plural}.{self.group}"

    @property
    def address(self) -> dict[str, str]:
        """The arguments every function for custom resources takes."""
        return {"group": self.group, "version": self.version, "plural": self.plural}


APPLICATIONS = CustomKind("argoproj.io", "v1alpha1", "applications")
APP_PROJECTS = CustomKind("argoproj.io", "v1alpha1", "appprojects")
IMAGE_UPDATERS = CustomKind("argocd-image-updater.argoproj.io", "v1alpha1", "imageupdaters")


def list_function(namespace: str) -> Pick:
    """Return how to list a kind in one namespace, or in all for ""."""
    if namespace:
        return lambda connection: connection.custom.list_namespaced_custom_object
    return lambda connection: connection.custom.list_cluster_custom_object


def scope(namespace: str) -> dict[str, str]:
    """Return the namespace argument, absent for the whole cluster."""
    return {"namespace": namespace} if namespace else {}


def read_page(gateway: Gateway, kind: CustomKind, namespace: str, token: str) -> Json:
    """Return one page of a list."""
    going_on = {"_continue": token} if token else {}
    return gateway.ask(
        Call("list", kind.qualified_name, namespace),
        list_function(namespace),
        limit=PAGE_SIZE,
        **kind.address,
        **scope(namespace),
        **going_on,
    )
