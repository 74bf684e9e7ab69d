"""What of an Application may be kept: named fields only, none of which can hold a secret's value.

`kubectl.kubernetes.io/last-applied-configuration`, Helm values, plugin variables and foreign parameters are
places where people put passwords; they are read, never kept. Pure.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

Json = dict[str, Any]

_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "ownerReferences",
    "finalizers",
    "labels",
)
_ANNOTATION_PREFIXES = (
    "argocd-image-updater.argoproj.io/",
    "argocd.argoproj.io/",
    "link.argocd.argoproj.io/",
)
_SOURCE = ("repoURL", "path", "targetRevision", "chart", "ref", "name", "tagPrefix")
_SYNC = ("status", "revision", "revisions")
_OPERATION_STATE = ("phase", "message", "startedAt", "finishedAt", "retryCount")
_REQUESTED = ("initiatedBy", "info")
_HISTORY = ("id", "revision", "revisions", "deployStartedAt", "deployedAt", "initiatedBy")
_STATUS = (
    "health",
    "summary",
    "conditions",
    "sourceType",
    "sourceTypes",
    "reconciledAt",
    "controllerNamespace",
)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


def trim(manifest: Mapping[str, Any], *, parameters: Collection[str] = ()) -> Json:
    """Return the Application with only what may be stored and shown.

    `parameters` names the Helm parameters whose values are image names or tags; of others only the name stays.
    """
    kept = {
        "apiVersion": manifest.get("apiVersion"),
        "kind": manifest.get("kind"),
        "metadata": _metadata(_object(manifest, "metadata")),
        "spec": _spec(_object(manifest, "spec"), parameters),
        "status": _status(_object(manifest, "status")),
    }
    if "operation" in manifest:
        kept["operation"] = _pick(_object(manifest, "operation"), _REQUESTED)
    redacted: Json = _redact(kept)
    return redacted


def _object(container: Mapping[str, Any], key: str) -> Json:
    value = container.get(key)
    return value if isinstance(value, dict) else {}


def _objects(container: Mapping[str, Any], key: str) -> list[Json]:
    value = container.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _pick(container: Mapping[str, Any], keys: Collection[str]) -> Json:
    return {key: container[key] for key in keys if key in container}


def _metadata(metadata: Json) -> Json:
    annotations = {
        key: value
        for key, value in _object(metadata, "annotations").items()
        if key.startswith(_ANNOTATION_PREFIXES)
    }
    managers = [
        _pick(entry, ("manager", "operation", "time", "fieldsV1"))
        for entry in _objects(metadata, "managedFields")
    ]
    return {**_pick(metadata, _METADATA), "annotations": annotations, "managedFields": managers}


def _spec(spec: Json, parameters: Collection[str]) -> Json:
    kept = _pick(spec, ("project", "destination", "syncPolicy", "revisionHistoryLimit"))
    if "source" in spec:
        kept["source"] = _source(_object(spec, "source"), parameters)
    if "sources" in spec:
        kept["sources"] = [_source(source, parameters) for source in _objects(spec, "sources")]
    if "sourceHydrator" in spec:
        kept["sourceHydrator"] = _hydrator(_object(spec, "sourceHydrator"), parameters)
    return kept


def _hydrator(hydrator: Json, parameters: Collection[str]) -> Json:
    dry = _source(_object(hydrator, "drySource"), parameters)
    return {**_pick(hydrator, ("syncSource", "hydrateTo")), "drySource": dry}


def _source(source: Json, parameters: Collection[str]) -> Json:
    kept = _pick(source, _SOURCE)
    if "helm" in source:
        helm = _object(source, "helm")
        listed = [_parameter(item, parameters) for item in _objects(helm, "parameters")]
        kept["helm"] = {**_pick(helm, ("valueFiles", "releaseName")), "parameters": listed}
    if "kustomize" in source:
        kept["kustomize"] = _pick(_object(source, "kustomize"), ("images",))
    if "plugin" in source:
        kept["plugin"] = _pick(_object(source, "plugin"), ("name",))
    if "directory" in source:
        kept["directory"] = {}
    return kept


def _parameter(parameter: Json, shown: Collection[str]) -> Json:
    keys = ("name", "value", "forceString") if parameter.get("name") in shown else ("name",)
    return _pick(parameter, keys)


def _status(status: Json) -> Json:
    kept = _pick(status, _STATUS)
    if "sync" in status:
        kept["sync"] = _pick(_object(status, "sync"), _SYNC)
    if "history" in status:
        kept["history"] = [_pick(entry, _HISTORY) for entry in _objects(status, "history")]
    if "operationState" in status:
        kept["operationState"] = _operation_state(_object(status, "operationState"))
    if "sourceHydrator" in status:
        kept["sourceHydrator"] = _hydration(_object(status, "sourceHydrator"))
    return kept


def _operation_state(state: Json) -> Json:
    operation, result = _object(state, "operation"), _object(state, "syncResult")
    return {
        **_pick(state, _OPERATION_STATE),
        "operation": _pick(operation, _REQUESTED),
        "syncResult": _pick(result, ("revision", "revisions")),
    }


def _hydration(status: Json) -> Json:
    keys = ("phase", "message", "startedAt", "finishedAt", "drySHA", "hydratedSHA")
    names = ("currentOperation", "lastSuccessfulOperation")
    return {name: _pick(_object(status, name), keys) for name in names if name in status}


def _redact(value: Any) -> Any:  # noqa: ANN401  any JSON value
    """Remove user info from every URL: repository addresses and messages about them."""
    if isinstance(value, str):
        return _USER_INFO.sub("", value)
    if isinstance(value, dict):
        return {key: _redact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact(item) for item in value]
    return value
