"""One installation of Argo CD: what its parts share, and what it remembers about each Application."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from onebox.world.argocd import globs, happenings, override, projects
from onebox.world.argocd.api import APP_PROJECTS, APPLICATIONS, EVENTS, ClusterApi
from onebox.world.argocd.live import LiveWorld
from onebox.world.argocd.rendering import Rendered
from onebox.world.argocd.repositories import Repositories
from onebox.world.argocd.settings import Settings
from onebox.world.cluster import times
from onebox.world.cluster.documents import Json


@dataclass(slots=True)
class Run:
    """A sync under way."""

    next_at: float = 0.0
    stage: str = "prepare"
    rendered: Rendered | None = None


@dataclass(slots=True)
class Memory:
    """What the controller knows of an Application beside its status; lost with a restart, as it may be."""

    uid: str = ""
    compared_at: float | None = None
    jitter_seconds: float = 0.0
    automated: tuple[bool, bool] | None = None
    rendered: Rendered | None = None
    rendered_from: Json | None = None
    repository_error_since: float | None = None
    pending_level: int = 0  # a comparison something else asked for
    heal_at: float | None = None
    run: Run | None = None
    hydrated_at: float | None = None


@dataclass
class Installation:
    """The API, the repositories, the destination cluster, the speed, and the time."""

    api: ClusterApi
    settings: Settings
    repositories: Repositories
    live: LiveWorld
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep
    chance: random.Random = field(default_factory=random.Random)
    memories: dict[str, Memory] = field(default_factory=dict)

    def memory(self, app: Json) -> Memory:
        """Return what is remembered of this life of an Application."""
        key, uid = key_of(app), app["metadata"]["uid"]
        if key not in self.memories or self.memories[key].uid != uid:
            self.memories[key] = Memory(uid)
        return self.memories[key]

    def nudge(self, key: str, level: int) -> None:
        """Have an Application compared at its next turn."""
        if memory := self.memories.get(key):
            memory.pending_level = max(memory.pending_level, level)

    def find(self, key: str) -> Json | None:
        """Return an Application by `namespace/name`, or None."""
        namespace, _, name = key.partition("/")
        return self.api.find(APPLICATIONS, namespace, name)

    def now(self) -> str:
        """Return the time as status holds it."""
        return times.rfc3339(self.clock())

    def project(self, app: Json) -> Json | None:
        """Return the Application's project, which lives in Argo CD's namespace."""
        name = app["spec"].get("project") or "default"
        return self.api.find(APP_PROJECTS, self.settings.namespace, name)

    def is_watched(self, app: Json) -> bool:
        """Whether the Application's namespace is one the controller looks at."""
        namespace = app["metadata"]["namespace"]
        if namespace == self.settings.namespace:
            return True
        is_listed = globs.matches_namespace(self.settings.application_namespaces, namespace)
        return is_listed and projects.permits_namespace(self.project(app), namespace)

    def instance(self, app: Json) -> str:
        """Return the name used in override files and tracking marks."""
        metadata = app["metadata"]
        return override.instance_name(
            metadata["namespace"], metadata["name"], self.settings.namespace
        )

    def patch(self, app: Json, patch: Json) -> Json:
        """Merge a patch into an Application; the controller never guards its own writes."""
        return self.api.merge_patch(APPLICATIONS, app, patch)

    def tell(self, app: Json, reason: str, message: str, *, is_warning: bool = False) -> None:
        """Create an event about an Application, as `kubectl describe` shows it."""
        kind = "Warning" if is_warning else "Normal"
        event = happenings.event(app, reason, message, kind=kind, at=self.clock())
        self.api.create(EVENTS, app["metadata"]["namespace"], event)


def key_of(manifest: Json) -> str:
    """Return `namespace/name`."""
    return f"{manifest['metadata']['namespace']}/{manifest['metadata']['name']}"
