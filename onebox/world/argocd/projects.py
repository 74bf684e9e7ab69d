"""What an AppProject permits, and what its sync windows allow; pure."""

from collections.abc import Sequence

from onebox.world.argocd import globs, windows
from onebox.world.argocd.windows import Subject
from onebox.world.cluster.documents import Json


def permission_problem(project: Json | None, app: Json, sources: Sequence[Json]) -> str | None:
    """Return why the project does not allow the Application, if it does not."""
    name = app["spec"].get("project") or "default"
    if project is None:
        return f"Application referencing project {name} which does not exist"
    spec = project.get("spec") or {}
    for source in sources:
        if not globs.matches_any(spec.get("sourceRepos") or [], source["repoURL"], separator="/"):
            return f"application repo {source['repoURL']} is not permitted in project '{name}'"
    destination = app["spec"].get("destination") or {}
    if not any(_permits(item, destination) for item in spec.get("destinations") or []):
        server, namespace = (
            destination.get("server", destination.get("name")),
            destination.get("namespace"),
        )
        return (
            f"application destination server '{server}' and namespace '{namespace}'"
            f" do not match any of the allowed destinations in project '{name}'"
        )
    return None


def permits_namespace(project: Json | None, namespace: str) -> bool:
    """Whether the project takes Applications outside Argo CD's own namespace."""
    spec = (project or {}).get("spec") or {}
    return globs.matches_namespace(spec.get("sourceNamespaces") or [], namespace)


def _permits(allowed: Json, destination: Json) -> bool:
    by_server = globs.matches(allowed.get("server") or "", destination.get("server") or "")
    by_name = bool(allowed.get("name")) and globs.matches(
        allowed["name"], destination.get("name") or ""
    )
    namespace = globs.matches(allowed.get("namespace") or "", destination.get("namespace") or "")
    return (by_server or by_name) and namespace


def may_sync(
    project: Json | None, app: Json, *, at: float, is_manual: bool, is_running: bool = False
) -> bool:
    """Whether the project's windows let the Application sync."""
    destination = app["spec"].get("destination") or {}
    subject = Subject(
        app["metadata"]["name"],
        destination.get("namespace") or "",
        tuple(destination[key] for key in ("name", "server") if destination.get(key)),
    )
    stated = ((project or {}).get("spec") or {}).get("syncWindows") or []
    now = windows.utc(at)
    return windows.may_sync(stated, subject, now=now, is_manual=is_manual, is_running=is_running)
