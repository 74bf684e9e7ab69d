"""App of apps: child Applications as managed objects, which live in the API itself (section 7.3)."""

from collections.abc import Mapping

from onebox.world.argocd.api import APPLICATIONS
from onebox.world.argocd.installation import Installation
from onebox.world.argocd.manifests import ObjectKey, key_of
from onebox.world.cluster.documents import Json, JsonValue
from onebox.world.cluster.patches import merge

TRACKING_ID = "argocd.argoproj.io/tracking-id"
INSTANCE_LABEL = "app.kubernetes.io/instance"
_RESPECT = "RespectIgnoreDifferences=true"


def is_as_stated(installation: Installation, parent: Json, manifest: Json) -> bool:
    """Whether the live child has every field its manifest states; more than that is nobody's business."""
    live = _find(installation, parent, manifest)
    stated = _without_ignored(marked(installation, parent, manifest), parent, manifest)
    return live is not None and _covers(live, stated)


def apply(installation: Installation, parent: Json, manifest: Json) -> str:
    """Create the child, or put back the fields its manifest states; return kubectl's word for it."""
    live = _find(installation, parent, manifest)
    wanted = marked(installation, parent, manifest)
    if live is None:
        installation.api.create(APPLICATIONS, wanted["metadata"]["namespace"], wanted)
        return "created"
    options = (parent["spec"].get("syncPolicy") or {}).get("syncOptions") or []
    if _RESPECT in options:
        wanted = _without_ignored(wanted, parent, manifest)
    patch = {key: value for key, value in wanted.items() if key in ("metadata", "spec")}
    installation.api.merge_patch(APPLICATIONS, live, patch)
    return "configured"


def left_over(
    installation: Installation, parent: Json, wanted: Mapping[ObjectKey, Json]
) -> list[tuple[ObjectKey, Json]]:
    """Return the children that carry the parent's mark and are no longer stated."""
    known = (parent.get("status") or {}).get("resources") or []
    if not any(key.is_application for key in wanted) and not any(
        item.get("kind") == "Application" for item in known
    ):
        return []
    listed, _ = installation.api.list_objects(APPLICATIONS)
    own = [
        (key_of(child, ""), child)
        for child in listed
        if parent_of(child) == _own(installation, parent)
    ]
    return [(key, child) for key, child in own if key not in wanted]


def parent_of(child: Json) -> str:
    """Return the instance name of the parent whose mark a child carries, or ""."""
    metadata = child["metadata"]
    instance, _, about = metadata.get("annotations", {}).get(TRACKING_ID, "").partition(":")
    if about == _identity(child):  # a copied mark names another object and does not count
        return str(instance)
    return str(metadata.get("labels", {}).get(INSTANCE_LABEL, ""))


def marked(installation: Installation, parent: Json, manifest: Json) -> Json:
    """Return the child's manifest with its namespace and the parent's mark."""
    namespace = _namespace(parent, manifest)
    named: Json = merge(manifest, {"metadata": {"namespace": namespace}})
    instance = _own(installation, parent)
    if installation.settings.tracking_method == "label":
        mark = {"labels": {INSTANCE_LABEL: instance}}
    else:
        mark = {"annotations": {TRACKING_ID: f"{instance}:{_identity(named)}"}}
    changed: Json = merge(named, {"metadata": mark})
    return changed


def _own(installation: Installation, parent: Json) -> str:
    return installation.instance(parent)


def _identity(child: Json) -> str:
    metadata = child["metadata"]
    return f"argoproj.io/Application:{metadata['namespace']}/{metadata['name']}"


def _namespace(parent: Json, manifest: Json) -> str:
    stated = manifest["metadata"].get("namespace")
    return str(stated or parent["spec"]["destination"].get("namespace") or "default")


def _find(installation: Installation, parent: Json, manifest: Json) -> Json | None:
    namespace = _namespace(parent, manifest)
    return installation.api.find(APPLICATIONS, namespace, manifest["metadata"]["name"])


def _covers(live: JsonValue, stated: JsonValue) -> bool:
    # Lists are compared whole, objects by their stated keys; an empty object states nothing.
    if isinstance(stated, dict):
        return all(
            _covers(live.get(key) if isinstance(live, dict) else None, value)
            for key, value in stated.items()
        )
    return bool(live == stated)


def _without_ignored(wanted: Json, parent: Json, manifest: Json) -> Json:
    name = manifest["metadata"]["name"]
    for rule in parent["spec"].get("ignoreDifferences") or []:
        is_meant = rule.get("kind") == "Application" and rule.get("name") in (None, "", name)
        for pointer in rule.get("jsonPointers") or [] if is_meant else []:
            wanted = _without(wanted, pointer.strip("/").split("/"))
    return wanted


def _without(value: JsonValue, path: list[str]) -> JsonValue:
    if not isinstance(value, dict) or path[0] not in value:
        return value
    rest = {key: item for key, item in value.items() if key != path[0]}
    return rest if len(path) == 1 else {**rest, path[0]: _without(value[path[0]], path[1:])}
