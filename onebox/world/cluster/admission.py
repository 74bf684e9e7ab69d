"""What a body must be before it is stored: identity, names, metadata, schema, kind-specific rules."""

import base64
import binascii
import re
import secrets

from onebox.world.cluster import statuses
from onebox.world.cluster.documents import Json, JsonValue
from onebox.world.cluster.resources import Resource
from onebox.world.cluster.schema import Findings, prune
from onebox.world.cluster.statuses import Cause

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_ANNOTATIONS_LIMIT = 256 * 1024
_SERVER_FIELDS = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
)


def metadata_of(body: Json) -> Json:
    """Return a body's metadata, empty when it has none. Raises 400 when it is no object."""
    metadata = body.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise statuses.bad_request("metadata must be an object")
    return metadata or {}


def chosen_name(body: Json) -> str:
    """Return the name a new object asks for, completing `generateName`."""
    metadata = metadata_of(body)
    if not metadata.get("name") and metadata.get("generateName"):
        return f"{metadata['generateName']}{secrets.token_hex(3)[:5]}"
    return str(metadata.get("name", ""))


def check_identity(resource: Resource, namespace: str, name: str, body: Json) -> None:
    """Raise 400 when the body is about another object than the address."""
    metadata = metadata_of(body)
    if body.get("kind", resource.kind) != resource.kind:
        raise statuses.bad_request(f"the object provided is a {body['kind']}, not {resource.kind}")
    for key, expected in (("name", name), ("namespace", namespace)):
        if metadata.get(key) not in (None, "", expected):
            raise statuses.bad_request(
                f"the {key} of the object ({metadata[key]}) does not match the {key} on the URL ({expected})"
            )


def admit(
    resource: Resource,
    body: Json,
    *,
    name: str,
    namespace: str,
    validation: str,
    is_partial: bool,
) -> tuple[Json, tuple[str, ...]]:
    """Return the body pruned, with warnings for what was dropped; raise 400 or 422 otherwise."""
    check_identity(resource, namespace, name, body)
    findings = Findings()
    manifest = _prune(resource, body, findings)
    causes = [Cause(field, message, reason) for field, reason, message in findings.causes]
    if is_partial:
        causes = [cause for cause in causes if cause.reason != "FieldValueRequired"]
    causes += _metadata_causes(name, manifest["metadata"])
    causes += _kind_causes(resource, manifest, namespace)
    if causes:
        raise statuses.invalid(resource, name, causes)
    warnings = tuple(f'unknown field "{field}"' for field in findings.unknown)
    if warnings and validation == "Strict":
        raise statuses.bad_request(f"strict decoding error: {', '.join(warnings)}")
    return manifest, warnings if validation == "Warn" else ()


def _prune(resource: Resource, body: Json, findings: Findings) -> Json:
    manifest = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
    if manifest["apiVersion"] != resource.api_version:
        raise statuses.bad_request(f"the API version must be {resource.api_version}")
    if resource.schema is not None:
        manifest = prune(resource.schema, manifest, "", findings)
    manifest["metadata"] = _clean_metadata(metadata_of(manifest))
    if resource.plural == "secrets":
        _fold_string_data(manifest)
    return manifest


def _clean_metadata(metadata: Json) -> Json:
    cleaned = {key: value for key, value in metadata.items() if value is not None}
    for key in ("labels", "annotations"):
        values = cleaned.get(key, {})
        if not isinstance(values, dict):
            raise statuses.bad_request(f"metadata.{key} must be an object")
        if any(not isinstance(value, str) for value in values.values()):
            raise statuses.bad_request(f"json: cannot unmarshal into metadata.{key} of type string")
    return {key: value for key, value in cleaned.items() if value not in ({}, [])}


def client_fields(metadata: Json) -> Json:
    """Return metadata without what only the server may set."""
    return {key: value for key, value in metadata.items() if key not in _SERVER_FIELDS}


def with_server_fields(metadata: Json, before: Json) -> Json:
    """Return metadata with the server's fields as they were."""
    kept = {key: before[key] for key in (*_SERVER_FIELDS, "name", "namespace") if key in before}
    return {**client_fields(metadata), **kept}


def without_times(manifest: Json) -> Json:
    """Return what two versions are compared by: no resourceVersion, no ownership times."""
    metadata = {
        key: value for key, value in manifest["metadata"].items() if key != "resourceVersion"
    }
    owners = [{**owner, "time": ""} for owner in metadata.pop("managedFields", [])]
    return {**manifest, "metadata": metadata, "owners": owners}


def check_finalizers(resource: Resource, before: Json, after: Json) -> None:
    """Raise 422 when a deleting object gets another finalizer."""
    old, new = before["metadata"], after["metadata"]
    added = set(new.get("finalizers", [])) - set(old.get("finalizers", []))
    if added and "deletionTimestamp" in old:
        rule = "no new finalizers can be added if the object is being deleted"
        message = f"Forbidden: {rule}, found new finalizers {sorted(added)}"
        cause = Cause("metadata.finalizers", message, "FieldValueForbidden")
        raise statuses.invalid(resource, new["name"], [cause])


def _metadata_causes(name: str, metadata: Json) -> list[Cause]:
    causes = []
    if len(name) > 253 or not _NAME.fullmatch(name):
        rule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"
        causes.append(Cause("metadata.name", f'Invalid value: "{name}": {rule}'))
    annotations = metadata.get("annotations", {})
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > _ANNOTATIONS_LIMIT:
        message = f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes"
        causes.append(Cause("metadata.annotations", message, "FieldValueTooLong"))
    for value in metadata.get("labels", {}).values():
        if len(value) > 63:
            message = f'Invalid value: "{value}": must be no more than 63 characters'
            causes.append(Cause("metadata.labels", message))
    return causes


def _kind_causes(resource: Resource, manifest: Json, namespace: str) -> list[Cause]:
    if resource.plural == "secrets":
        return [
            Cause(f"data.{key}", "Invalid value: not base64")
            for key, value in manifest.get("data", {}).items()
            if not _is_base64(value)
        ]
    if resource.plural == "events":
        about = manifest.get("involvedObject", {}).get("namespace", "")
        if about != namespace:
            message = f'Invalid value: "{about}": does not match event.namespace'
            return [Cause("involvedObject.namespace", message)]
    return []


def _is_base64(value: JsonValue) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return False
    return True


def _fold_string_data(manifest: Json) -> None:
    texts = manifest.pop("stringData", None) or {}
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    if encoded:
        manifest["data"] = {**manifest.get("data", {}), **encoded}
