"""The source hydrator: rendering the dry branch and pushing plain manifests to the sync branch (section 5.5)."""

import json
import math

from onebox.world.argocd import comparing
from onebox.world.argocd.installation import Installation, Memory
from onebox.world.argocd.levels import REFRESH
from onebox.world.argocd.snapshot import RenderError
from onebox.world.argocd.sources import Sources
from onebox.world.cluster import times
from onebox.world.cluster.documents import Json

HYDRATE = "argocd.argoproj.io/hydrate"


def advance(installation: Installation, app: Json, memory: Memory) -> float | None:
    """Hydrate when the dry branch moved or somebody asked; return when to look again."""
    at, poll = installation.clock(), installation.settings.resync_seconds or math.inf
    is_asked = HYDRATE in app["metadata"].get("annotations", {})
    is_due = memory.hydrated_at is None or at >= memory.hydrated_at + poll
    if is_asked or is_due or _has_changed(app):
        memory.hydrated_at = at
        _hydrate(installation, app, is_asked=is_asked)
    again_at = (memory.hydrated_at or at) + poll
    return again_at if again_at < math.inf else None


def _operations(app: Json) -> Json:
    hydration: Json = (app.get("status") or {}).get("sourceHydrator") or {}
    return hydration


def _has_changed(app: Json) -> bool:
    current = _operations(app).get("currentOperation") or {}
    return bool(current.get("sourceHydrator") != app["spec"]["sourceHydrator"])


def _hydrate(installation: Installation, app: Json, *, is_asked: bool) -> None:
    """Hydrate the newest dry commit, unless that was done or has just failed."""
    stated = app["spec"]["sourceHydrator"]
    dry = Sources((stated["drySource"],), is_multiple=False)
    operation = {"startedAt": installation.now(), "sourceHydrator": stated}
    try:
        (commit,) = comparing.resolve(installation, app, dry, is_fresh=True)
        if is_asked or not _is_known(installation, app, commit):
            operation["drySHA"] = commit
            _carry_out(installation, app, dry, operation)
    except RenderError as error:
        ended = {"phase": "Failed", "finishedAt": installation.now(), "message": str(error)}
        _write(installation, app, {**operation, **ended})


def _carry_out(installation: Installation, app: Json, dry: Sources, operation: Json) -> None:
    _write(installation, app, {**operation, "phase": "Hydrating"})
    hydrated = _push(installation, app, dry, operation["drySHA"])
    ended = {"phase": "Hydrated", "finishedAt": installation.now(), "hydratedSHA": hydrated}
    _write(installation, app, {**operation, **ended}, is_success=True)


def _is_known(installation: Installation, app: Json, commit: str) -> bool:
    current = _operations(app).get("currentOperation") or {}
    if current.get("drySHA") != commit or _has_changed(app):
        return False
    return current["phase"] == "Hydrated" or _cools(installation, current)


def _cools(installation: Installation, current: Json) -> bool:
    failed_at = times.parse(current.get("finishedAt") or current["startedAt"])
    return installation.clock() < failed_at + installation.settings.hydration_cooldown_seconds


def _push(installation: Installation, app: Json, dry: Sources, commit: str) -> str:
    stated = app["spec"]["sourceHydrator"]
    rendered = comparing.render(installation, app, dry, (commit,))
    branch = (stated.get("hydrateTo") or stated["syncSource"])["targetBranch"]
    folder = stated["syncSource"]["path"].strip("/")
    documents = "---\n".join(json.dumps(item, indent=2) + "\n" for item in rendered.manifests)
    metadata = {"repoURL": dry.items[0]["repoURL"], "drySha": commit}
    files = {
        f"{folder}/manifest.yaml": documents.encode(),
        f"{folder}/README.md": b"Rendered by Argo CD; do not edit.\n",
        f"{folder}/hydrator.metadata": json.dumps(metadata, indent=2).encode(),
    }
    url = stated["syncSource"].get("repoURL") or dry.items[0]["repoURL"]
    project = app["spec"].get("project", "")
    message = f"[Argo CD Bot] hydrate {commit}"
    return installation.repositories.push_files(url, branch, files, message, project)


def _write(
    installation: Installation, app: Json, operation: Json, *, is_success: bool = False
) -> None:
    """Store the operation whole; success asks for a comparison and ends the request."""
    blank = dict.fromkeys(("finishedAt", "message", "hydratedSHA"))
    hydration: Json = {"currentOperation": {**blank, **operation}}
    patch: Json = {"status": {"sourceHydrator": hydration}}
    if is_success:
        hydration["lastSuccessfulOperation"] = operation
    if operation["phase"] != "Hydrating":
        annotations = {HYDRATE: None, **({REFRESH: "normal"} if is_success else {})}
        patch["metadata"] = {"annotations": annotations}
    installation.patch(app, patch)
