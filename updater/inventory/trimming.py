"""What is kept of an Application manifest: a whitelist, so nothing secret can slip through.

Values of Helm parameters and plugin variables stay only where a configured image manages them.
"""

from collections.abc import Collection, Mapping
from typing import Any

from updater.configuration.model import ApplicationConfiguration

_ANNOTATION_PREFIXES = (
    "argocd-image-updater.argoproj.io/",
    "countersign.dev/",
    "argocd.argoproj.io/",
)
_METADATA = ("name", "namespace", "uid", "resourceVersion", "deletionTimestamp", "labels")
_SPEC = ("project", "destination")
_SOURCE = ("repoURL", "path", "targetRevision", "chart", "ref", "name")
_STATUS = (
    "sourceType",
    "sourceTypes",
    "health",
    "conditions",
    "reconciledAt",
    "controllerNamespace",
)
_OPERATION = ("phase", "message", "startedAt", "finishedAt")


def trim(manifest: Mapping[str, Any], configuration: ApplicationConfiguration) -> dict[str, Any]:
    """Return the parts of a manifest that the product needs."""
    managed = managed_names(configuration)
    return {
        "metadata": _metadata(_mapping(manifest.get("metadata"))),
        "spec": _spec(_mapping(manifest.get("spec")), managed),
        "status": _status(_mapping(manifest.get("status"))),
    }


def managed_names(configuration: ApplicationConfiguration) -> frozenset[str]:
    """Return the parameter and variable names that some configured image writes."""
    targets = [target for image in configuration.images for target in (image.helm, image.plugin)]
    names = {name for target in targets for name in (target.name, target.tag, target.spec) if name}
    return frozenset(names | {"image.name", "image.tag"})


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    annotations = _mapping(metadata.get("annotations"))
    owners = [
        _only(_mapping(owner), ("kind", "name", "controller"))
        for owner in _sequence(metadata.get("ownerReferences"))
    ]
    return {
        **_only(metadata, _METADATA),
        "annotations": {
            key: value for key, value in annotations.items() if key.startswith(_ANNOTATION_PREFIXES)
        },
        "ownerReferences": owners,
    }


def _spec(spec: Mapping[str, Any], managed: Collection[str]) -> dict[str, Any]:
    trimmed = _only(spec, _SPEC)
    if "source" in spec:
        trimmed["source"] = _source(_mapping(spec["source"]), managed)
    if "sources" in spec:
        trimmed["sources"] = [
            _source(_mapping(source), managed) for source in _sequence(spec["sources"])
        ]
    if hydrator := _mapping(spec.get("sourceHydrator")):
        trimmed["sourceHydrator"] = {
            "drySource": _source(_mapping(hydrator.get("drySource")), managed),
            "syncSource": _only(_mapping(hydrator.get("syncSource")), ("targetBranch", "path")),
        }
    if policy := _mapping(spec.get("syncPolicy")):
        trimmed["syncPolicy"] = _only(policy, ("automated",))
    return trimmed


def _source(source: Mapping[str, Any], managed: Collection[str]) -> dict[str, Any]:
    trimmed = _only(source, _SOURCE)
    if helm := _mapping(source.get("helm")):
        trimmed["helm"] = {
            **_only(helm, ("valueFiles",)),
            "parameters": _named(helm.get("parameters"), managed),
        }
    if kustomize := _mapping(source.get("kustomize")):
        trimmed["kustomize"] = _only(kustomize, ("images",))
    if plugin := _mapping(source.get("plugin")):
        trimmed["plugin"] = {**_only(plugin, ("name",)), "env": _named(plugin.get("env"), managed)}
    return trimmed


def _named(entries: object, managed: Collection[str]) -> list[dict[str, Any]]:
    return [
        _only(entry, ("name", "value", "forceString"))
        if entry.get("name") in managed
        else _only(entry, ("name",))
        for entry in map(_mapping, _sequence(entries))
    ]


def _status(status: Mapping[str, Any]) -> dict[str, Any]:
    sync = _mapping(status.get("sync"))
    operation = _mapping(status.get("operationState"))
    return {
        **_only(status, _STATUS),
        "summary": _only(_mapping(status.get("summary")), ("images",)),
        "sync": _only(sync, ("status", "revision", "revisions")),
        "operationState": {
            **_only(operation, _OPERATION),
            "syncResult": _only(_mapping(operation.get("syncResult")), ("revision", "revisions")),
        },
    }


def _only(mapping: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: mapping[key] for key in keys if key in mapping}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
