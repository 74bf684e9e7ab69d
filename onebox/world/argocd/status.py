"""The status of an Application, made from a comparison and from what runs (sections 1.5 and 4); pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from onebox.world.argocd import sources
from onebox.world.argocd.comparing import Comparison
from onebox.world.argocd.live import HEALTHY, MISSING, Pods
from onebox.world.argocd.manifests import ObjectKey
from onebox.world.cluster.documents import Json

_SEVERITY = (HEALTHY, "Suspended", "Progressing", MISSING, "Degraded", "Unknown")
_LINK = "link.argocd.argoproj.io/"
# The condition types a comparison finds again or takes away.
_COMPARED = (
    "ComparisonError",
    "InvalidSpecError",
    "SyncError",
    "RepeatedResourceWarning",
    "UnknownError",
)


@dataclass(frozen=True, slots=True)
class Observation:
    """What runs: pods of the workloads, and whether anything exists at all."""

    pods: Mapping[ObjectKey, Pods]
    has_objects: bool

    @property
    def health(self) -> str:
        """The worst health of the workloads; Missing when nothing runs."""
        if not self.has_objects:
            return MISSING
        return max((pod.health for pod in self.pods.values()), key=_SEVERITY.index, default=HEALTHY)

    @property
    def images(self) -> list[str]:
        """The images of all pods."""
        return sorted({image for pod in self.pods.values() for image in pod.images})

    @property
    def causes(self) -> str:
        """Up to three reasons for the health."""
        return "; ".join([pod.message for pod in self.pods.values() if pod.message][:3])


@dataclass(frozen=True, slots=True)
class Style:
    """The settings that change how status is written."""

    controller_namespace: str
    persists_health: bool
    tells_causes: bool
    reports_app_of_apps: bool


def compared(
    app: Json,
    comparison: Comparison,
    observation: Observation,
    conditions: Sequence[tuple[str, str]],
    style: Style,
    *,
    now: str,
) -> Json:
    """Return the status after a comparison."""
    old = app.get("status") or {}
    new = {
        **{key: value for key, value in old.items() if key != "resourceHealthSource"},
        "controllerNamespace": style.controller_namespace,
        "reconciledAt": now,
        "sync": {
            "status": comparison.status,
            "comparedTo": sources.compared_to(app["spec"]),
            **comparison.sources.revisions(comparison.revisions),
        },
        "resources": _resources(old, comparison, observation, style),
        "conditions": merged_conditions(old, conditions, now=now),
    }
    if not style.persists_health:
        new["resourceHealthSource"] = "appTree"
    if comparison.source_types:
        new.update(_types(comparison))
    return observed(app, new, observation, style, now=now)


def observed(app: Json, status: Json, observation: Observation, style: Style, *, now: str) -> Json:
    """Return the status with health and images as they are now; nothing else moves."""
    health = {"status": observation.health}
    if style.tells_causes and observation.causes:
        health["message"] = observation.causes
    old = status.get("health") or {}
    is_same = old.get("status") == health["status"]
    health["lastTransitionTime"] = old.get("lastTransitionTime", now) if is_same else now
    new = {**status, "health": health, "summary": _summary(app, status, observation, style)}
    return {key: value for key, value in new.items() if value != []}  # Go omits empty lists


def invalid(app: Json, conditions: Sequence[tuple[str, str]], *, now: str) -> Json:
    """Return the status of an Application its project does not permit: times and comparedTo stay."""
    old = app.get("status") or {}
    sync = {**(old.get("sync") or {}), "status": "Unknown"}
    sync.setdefault("comparedTo", {"destination": {}, "source": sources.NO_SOURCE})
    is_same = (old.get("health") or {}).get("status") == "Unknown"
    moved = old["health"].get("lastTransitionTime", now) if is_same else now
    return {
        **old,
        "sync": sync,
        "health": {"status": "Unknown", "lastTransitionTime": moved},
        "conditions": merged_conditions(old, conditions, now=now),
    }


def merged_conditions(
    status: Json, found: Iterable[tuple[str, str]], *, now: str, types: Sequence[str] = _COMPARED
) -> list[Json]:
    """Return the conditions with those of `types` replaced; one that stays keeps its time."""
    old = status.get("conditions") or []
    since = {(item["type"], item["message"]): item.get("lastTransitionTime", now) for item in old}
    kept = [(item["type"], item["message"]) for item in old if item["type"] not in types]
    return [
        {"type": kind, "message": message, "lastTransitionTime": since.get((kind, message), now)}
        for kind, message in sorted({*kept, *found})
    ]


def _types(comparison: Comparison) -> Json:
    if comparison.sources.is_multiple:
        return {"sourceTypes": list(comparison.source_types)}
    return {"sourceType": comparison.source_types[0]}


def _resources(
    old: Json, comparison: Comparison, observation: Observation, style: Style
) -> list[Json]:
    if comparison.error:
        return [{**item, "status": "Unknown"} for item in old.get("resources") or []]
    listed = []
    for item in comparison.objects:
        entry: Json = {
            "version": item.version,
            "kind": item.key.kind,
            "namespace": item.key.namespace,
            "name": item.key.name,
            "status": item.status,
        }
        if item.key.group:
            entry["group"] = item.key.group
        if item.must_go:
            entry["requiresPruning"] = True
        if style.persists_health and item.key in observation.pods:
            entry["health"] = {"status": observation.pods[item.key].health}
        listed.append(entry)
    return listed


def _summary(app: Json, status: Json, observation: Observation, style: Style) -> Json:
    summary: Json = {}
    if observation.images:
        summary["images"] = observation.images
    annotations = app["metadata"].get("annotations", {})
    links = [
        value.rpartition("|")[2] for key, value in annotations.items() if key.startswith(_LINK)
    ]
    if links:
        summary["externalURLs"] = sorted(links)
    kinds = [item.get("kind") for item in status.get("resources") or []]
    if style.reports_app_of_apps and "Application" in kinds:
        summary["isAppOfApps"] = True
    return summary
