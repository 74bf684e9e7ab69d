"""Rendered objects: which object a manifest is, and the images and pods of a workload; pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from onebox.world.cluster.documents import Json

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout", "Job", "Pod")


@dataclass(frozen=True, slots=True, order=True)
class ObjectKey:
    """The identity of an object; sorted as `status.resources` is."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def is_application(self) -> bool:
        """Whether it is a child Application (app of apps)."""
        return (self.group, self.kind) == ("argoproj.io", "Application")

    def __str__(self) -> str:
        return "/".join(part for part in (self.group, self.kind, self.namespace, self.name) if part)


def key_of(manifest: Json, namespace: str) -> ObjectKey:
    """Return the identity of a manifest that is applied to a namespace."""
    metadata = manifest.get("metadata") or {}
    group, _, _ = str(manifest.get("apiVersion", "")).rpartition("/")
    return ObjectKey(
        group,
        str(manifest.get("kind", "")),
        str(metadata.get("namespace") or namespace),
        str(metadata.get("name", "")),
    )


def version_of(manifest: Json) -> str:
    """Return the version part of a manifest's apiVersion."""
    return str(manifest.get("apiVersion", "")).rpartition("/")[2]


def deployment(name: str, image: str, replicas: int) -> Json:
    """Return a Deployment of one container, as a chart would render it."""
    container = {"name": name, "image": image}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}},
    }


def containers(manifest: Json) -> Iterator[Json]:
    """Yield the containers of a workload, init containers first."""
    spec = manifest.get("spec") or {}
    pod = spec if manifest.get("kind") == "Pod" else (spec.get("template") or {}).get("spec") or {}
    for key in ("initContainers", "containers"):
        yield from (item for item in pod.get(key) or [] if isinstance(item, dict))


def images(manifest: Json) -> tuple[str, ...]:
    """Return the images a manifest's pods run; none for other kinds or without replicas."""
    if manifest.get("kind") not in WORKLOADS or replicas(manifest) == 0:
        return ()
    return tuple(str(item.get("image", "")) for item in containers(manifest))


def replicas(manifest: Json) -> int:
    """Return how many pods are wanted."""
    count = (manifest.get("spec") or {}).get("replicas", 1)
    return count if isinstance(count, int) else 1


def problem(manifest: Json) -> str | None:
    """Return why a cluster would refuse the object, if it would."""
    name = (manifest.get("metadata") or {}).get("name", "")
    where = f'{manifest.get("kind")}.{key_of(manifest, "").group} "{name}" is invalid: '
    if manifest.get("kind") not in WORKLOADS:
        return None
    if replicas(manifest) < 0:
        count = replicas(manifest)
        return f"{where}spec.replicas: Invalid value: {count}: must be greater than or equal to 0"
    if any(not item.get("image") for item in containers(manifest)):
        return f"{where}spec.template.spec.containers[0].image: Required value"
    return None
