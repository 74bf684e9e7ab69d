"""The kinds this API server serves."""

from dataclasses import dataclass

from onebox.world.cluster.application_schema import APPLICATION
from onebox.world.cluster.schema import Struct


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One namespaced kind; without a schema every field is kept."""

    group: str
    version: str
    plural: str
    kind: str
    schema: Struct | None = None
    short_names: tuple[str, ...] = ()

    @property
    def is_core(self) -> bool:
        """Whether it is built in: no generation, and a PUT may omit resourceVersion."""
        return not self.group

    @property
    def api_version(self) -> str:
        """`group/version`, or just the version for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified_name(self) -> str:
        """`plural.group`, as messages write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the address of an object, of a namespace's objects, or of all."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


RESOURCES = (
    Resource(
        "argoproj.io",
        "v1alpha1",
        "applications",
        "Application",
        schema=APPLICATION,
        short_names=("app", "apps"),
    ),
    Resource("argoproj.io", "v1alpha1", "appprojects", "AppProject", short_names=("appproj",)),
    Resource(
        "argoproj.io", "v1alpha1", "applicationsets", "ApplicationSet", short_names=("appset",)
    ),
    Resource("argocd-image-updater.argoproj.io", "v1alpha1", "imageupdaters", "ImageUpdater"),
    Resource("", "v1", "secrets", "Secret"),
    Resource("", "v1", "configmaps", "ConfigMap", short_names=("cm",)),
    Resource("", "v1", "events", "Event", short_names=("ev",)),
)


def find(group: str, version: str, plural: str) -> Resource | None:
    """Return the resource served at this path, if any."""
    wanted = (group, version, plural)
    matching = (item for item in RESOURCES if (item.group, item.version, item.plural) == wanted)
    return next(matching, None)
