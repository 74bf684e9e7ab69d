"""Deleting an Application with finalizers: its objects go first, then the finalizers (section 2.7)."""

from onebox.world.argocd import children
from onebox.world.argocd.api import APPLICATIONS
from onebox.world.argocd.installation import Installation, key_of
from onebox.world.cluster.documents import Json

_FINALIZER = "resources-finalizer.argocd.argoproj.io"
_FINALIZERS = (_FINALIZER, f"{_FINALIZER}/foreground", f"{_FINALIZER}/background")


def finish(installation: Installation, app: Json) -> None:
    """Delete what the Application manages, then let it go."""
    finalizers = app["metadata"].get("finalizers", [])
    if not any(item in _FINALIZERS for item in finalizers):
        return
    for _, child in children.left_over(installation, app, {}):
        installation.api.delete(APPLICATIONS, child)
    for key in list(installation.live.objects(key_of(app))):
        installation.live.remove(key_of(app), key)
    kept = [item for item in finalizers if item not in _FINALIZERS]
    installation.patch(app, {"metadata": {"finalizers": kept or None}})
