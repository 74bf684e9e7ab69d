"""Core events about an Application, as the real controller writes them (section 9.2); pure."""

from onebox.world.cluster import times
from onebox.world.cluster.documents import Json

_COMPONENT = "argocd-application-controller"


def event(app: Json, reason: str, message: str, *, kind: str, at: float) -> Json:
    """Return an Event object; kind is Normal or Warning."""
    metadata, moment = app["metadata"], times.rfc3339(at)
    names = ("namespace", "name", "uid", "resourceVersion")
    return {
        "metadata": {"name": f"{metadata['name']}.{int(at * 1e9):x}"},
        "involvedObject": {
            "apiVersion": app["apiVersion"],
            "kind": app["kind"],
            **{name: metadata[name] for name in names},
        },
        "reason": reason,
        "message": message[:1024],
        "type": kind,
        "source": {"component": _COMPONENT},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
