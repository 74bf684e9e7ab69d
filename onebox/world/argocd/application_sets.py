"""A small ApplicationSet controller: it makes children from a list and puts back what others change (7.2)."""

import json
import re

from onebox.world.argocd.api import APPLICATION_SETS, APPLICATIONS
from onebox.world.argocd.installation import Installation
from onebox.world.cluster.documents import Json, JsonValue
from onebox.world.cluster.patches import difference, merge

_KEPT_ANNOTATIONS = (
    "notified.notifications.argoproj.io",
    "argocd.argoproj.io/refresh",
    "argocd.argoproj.io/hydrate",
)
_KEPT_FINALIZERS = ("pre-delete-finalizer.", "post-delete-finalizer.")
_UPDATES, _DELETES = ("sync", "create-update"), ("sync", "create-delete")


def reconcile(installation: Installation, application_set: Json) -> None:
    """Create, put back and delete children, as far as the set's policy lets it."""
    policy = (application_set["spec"].get("syncPolicy") or {}).get("applicationsSync") or "sync"
    wanted = {child["metadata"]["name"]: child for child in children(application_set)}
    namespace, uid = application_set["metadata"]["namespace"], application_set["metadata"]["uid"]
    listed, _ = installation.api.list_objects(APPLICATIONS, namespace)
    owned = {item["metadata"]["name"]: item for item in listed if owner_uid(item) == uid}
    for name, child in wanted.items():
        if name not in owned:
            installation.api.create(APPLICATIONS, namespace, child)
        elif policy in _UPDATES:
            _put_back(installation, application_set, owned[name], child)
    for name, item in owned.items():
        if name not in wanted and policy in _DELETES:
            installation.api.delete(APPLICATIONS, item)


def owner_uid(app: Json) -> str:
    """Return the uid of the ApplicationSet that owns an Application, or ""."""
    for owner in app["metadata"].get("ownerReferences", []):
        if owner.get("controller") and owner["kind"] == "ApplicationSet":
            return str(owner["uid"])
    return ""


def owner_key(app: Json) -> str:
    """Return `namespace/name` of the owning ApplicationSet, or ""."""
    owners = app["metadata"].get("ownerReferences", [])
    names = [owner["name"] for owner in owners if owner["kind"] == "ApplicationSet"]
    return f"{app['metadata']['namespace']}/{names[0]}" if names else ""


def children(application_set: Json) -> list[Json]:
    """Return the Applications the list generators yield."""
    template = application_set["spec"]["template"]
    elements = [
        element
        for generator in application_set["spec"].get("generators") or []
        for element in (generator.get("list") or {}).get("elements") or []
    ]
    return [_child(application_set, _filled(template, element)) for element in elements]


def _child(application_set: Json, filled: Json) -> Json:
    owner = {
        "apiVersion": APPLICATION_SETS.api_version,
        "kind": APPLICATION_SETS.kind,
        "name": application_set["metadata"]["name"],
        "uid": application_set["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {**filled["metadata"], "ownerReferences": [owner]}
    return {
        "apiVersion": APPLICATIONS.api_version,
        "kind": APPLICATIONS.kind,
        "metadata": metadata,
        "spec": filled["spec"],
    }


def _filled(template: Json, element: Json) -> Json:
    """Put an element's values in for `{{name}}` and `{{.name}}`."""

    def value(found: re.Match[str]) -> str:
        text = str(element.get(found.group(1), found.group(0)))
        return json.dumps(text)[1:-1]

    filled: Json = json.loads(re.sub(r"\{\{\s*\.?(\w+)\s*\}\}", value, json.dumps(template)))
    return filled


def _put_back(installation: Installation, application_set: Json, live: Json, wanted: Json) -> None:
    """Merge-patch spec, labels, annotations and finalizers back to what the template says."""
    preserved = application_set["spec"].get("preservedFields") or {}
    annotations = (*_KEPT_ANNOTATIONS, *(preserved.get("annotations") or []))
    target = {
        "metadata": {
            "labels": _kept(live, wanted, "labels", preserved.get("labels") or []),
            "annotations": _kept(live, wanted, "annotations", annotations),
            "finalizers": _finalizers(live, wanted),
            "ownerReferences": wanted["metadata"]["ownerReferences"],
        },
        "spec": _spec(application_set, live, wanted),
    }
    present = {
        "metadata": {
            key: live["metadata"].get(key, type(value)())
            for key, value in target["metadata"].items()
        },
        "spec": live["spec"],
    }
    if patch := difference(present, target):
        installation.api.merge_patch(APPLICATIONS, live, patch)


def _kept(live: Json, wanted: Json, field: str, keys: tuple[str, ...] | list[str]) -> Json:
    present = live["metadata"].get(field, {})
    kept = {key: value for key, value in present.items() if key in keys}
    return {**kept, **wanted["metadata"].get(field, {})}


def _finalizers(live: Json, wanted: Json) -> list[str]:
    kept = [
        item for item in live["metadata"].get("finalizers", []) if item.startswith(_KEPT_FINALIZERS)
    ]
    return [*wanted["metadata"].get("finalizers", []), *kept]


def _spec(application_set: Json, live: Json, wanted: Json) -> Json:
    """Return the template's spec, with the ignored fields as they are."""
    spec: Json = wanted["spec"]
    for rule in application_set["spec"].get("ignoreApplicationDifferences") or []:
        if rule.get("name") in (None, "", live["metadata"]["name"]):
            for pointer in rule.get("jsonPointers") or []:
                spec = _with_live_field(spec, live, pointer.strip("/").split("/")[1:])
    return spec


def _with_live_field(spec: Json, live: Json, path: list[str]) -> Json:
    value: JsonValue = live["spec"]
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    for key in reversed(path):
        value = {key: value}
    changed: Json = merge(spec, value)
    return changed
