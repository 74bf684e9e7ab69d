"""Storing a status: one patch of what changed, the end of a refresh request, and the events about it (2.3, 9.2)."""

from onebox.world.argocd import status
from onebox.world.argocd.api import APPLICATIONS, ApiError
from onebox.world.argocd.installation import Installation, key_of
from onebox.world.argocd.levels import REFRESH, STAMP
from onebox.world.argocd.status import Observation, Style
from onebox.world.cluster.documents import Json
from onebox.world.cluster.patches import difference


def style(installation: Installation) -> Style:
    """Return how this installation writes status."""
    settings = installation.settings
    return Style(
        controller_namespace=settings.namespace,
        persists_health=settings.persists_health,
        tells_causes=settings.is_newer,
        reports_app_of_apps=settings.reports_app_of_apps,
    )


def observe(installation: Installation, app: Json) -> Observation:
    """Return what runs of an Application."""
    key, known = key_of(app), (app.get("status") or {}).get("resources") or []
    has_children = any(item.get("kind") == "Application" for item in known)
    pods = installation.live.pods(key)
    return Observation(pods, bool(installation.live.objects(key)) or has_children)


def tick(installation: Installation, app: Json) -> float | None:
    """Bring health and images up to date; return when to look again."""
    observation = observe(installation, app)
    old = app.get("status") or {}
    if (old.get("sync") or {}).get("status") and not _is_invalid(old):
        now = installation.now()
        new = status.observed(app, old, observation, style(installation), now=now)
        write(installation, app, new, ends_refresh=False)
    moments = [pod.next_at for pod in observation.pods.values() if pod.next_at is not None]
    return min(moments, default=None)


def write(installation: Installation, app: Json, new: Json, *, ends_refresh: bool) -> None:
    """Patch the status to `new`; 3.5 ends a refresh in the same write, 3.6 in one of its own."""
    old = app.get("status") or {}
    patch: Json = {}
    if changes := difference(old, new):
        patch["status"] = changes
    asked = REFRESH in app["metadata"].get("annotations", {}) and ends_refresh
    if asked and not installation.settings.is_newer:
        patch["metadata"] = {"annotations": {REFRESH: None}}
    if patch:
        installation.patch(app, patch)
    if asked and installation.settings.is_newer:
        _end_refresh(installation, app)
    _tell_changes(installation, app, old, new)


def _is_invalid(old: Json) -> bool:
    return any(item["type"] == "InvalidSpecError" for item in old.get("conditions") or [])


def _end_refresh(installation: Installation, app: Json) -> None:
    """Take the annotations away unless another request came meanwhile (its time stamp differs)."""
    prefix = "/metadata/annotations/"
    operations = [{"op": "remove", "path": prefix + REFRESH.replace("/", "~1")}]
    stamp = app["metadata"]["annotations"].get(STAMP)
    if stamp is not None:
        path = prefix + STAMP.replace("/", "~1")
        test = {"op": "test", "path": path, "value": stamp}
        operations = [test, {"op": "remove", "path": path}, *operations]
    try:
        installation.api.json_patch(APPLICATIONS, app, operations)
    except ApiError as error:
        if error.code != 422:
            raise


def _tell_changes(installation: Installation, app: Json, old: Json, new: Json) -> None:
    for field in ("sync", "health"):
        before = (old.get(field) or {}).get("status", "")
        after = (new.get(field) or {}).get("status", "")
        if before != after:
            message = f"Updated {field} status: {before} -> {after}"
            installation.tell(app, "ResourceUpdated", message)
