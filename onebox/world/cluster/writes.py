"""The rules of writing: preconditions, pruning, generation, ownership, deletion with finalizers."""

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from onebox.world.cluster import admission, managed_fields, statuses, times
from onebox.world.cluster.documents import Json, JsonValue
from onebox.world.cluster.managed_fields import FieldConflictError, Ownership
from onebox.world.cluster.patches import PatchError, apply_operations, merge
from onebox.world.cluster.resources import Resource
from onebox.world.cluster.store import Store

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
STRATEGIC = "application/strategic-merge-patch+json"
_STALE = (
    "the object has been modified; please apply your changes to the latest version and try again"
)

_EVENT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Options:
    """The query parameters of a write."""

    manager: str
    is_dry_run: bool = False
    validation: str = "Warn"
    force: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """The object a write is about."""

    resource: Resource
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the client gets: the object (or a Status) and warnings for its header."""

    manifest: Json
    code: int = 200
    warnings: tuple[str, ...] = ()


@dataclass
class Writer:
    """Changes the store the way an API server does."""

    store: Store
    clock: Callable[[], float] = time.time

    def create(self, target: Target, body: Json, options: Options) -> Outcome:
        """POST one object."""
        if target.resource.plural == "events":
            self._forget_old_events(target.resource)
        name = admission.chosen_name(body)
        target = Target(target.resource, target.namespace, name)
        if self.store.get(target.resource, target.namespace, name) is not None:
            raise statuses.already_exists(target.resource, name)
        manifest, warnings = self._admit(target, body, options)
        manifest = self._born(target, manifest)
        owners = managed_fields.record_update({}, manifest, self._by(target, options, "Update"))
        stored = self._keep(target, manifest, owners, options)
        return Outcome(stored, 201, warnings)

    def replace(self, target: Target, body: Json, options: Options) -> Outcome:
        """PUT one object; a custom resource must say which version it replaces."""
        before = self._existing(target)
        if not admission.metadata_of(body).get("resourceVersion"):
            if not target.resource.is_core:
                message = "Invalid value: 0x0: must be specified for an update"
                cause = statuses.Cause("metadata.resourceVersion", message)
                raise statuses.invalid(target.resource, target.name, [cause])
            body = merge(body, {"metadata": {"resourceVersion": _version(before)}})
        return self._update(target, before, body, options)

    def patch(self, target: Target, kind: str, body: JsonValue, options: Options) -> Outcome:
        """PATCH one object in any of the four ways."""
        if kind == STRATEGIC and target.resource.is_core:
            kind = MERGE  # secrets, config maps and events hold no list with merge keys
        ways = {MERGE: self._merge_patch, JSON_PATCH: self._json_patch, APPLY: self._apply}
        if kind in ways:
            return ways[kind](target, body, options)
        accepted = ", ".join(ways)
        message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        raise statuses.ApiError(415, "UnsupportedMediaType", message)

    def delete(self, target: Target, body: Json, options: Options) -> Outcome:
        """DELETE one object: at once, or when its last finalizer goes."""
        before = self._existing(target)
        _check_preconditions(target, before, body.get("preconditions") or {})
        finalizers = list(before["metadata"].get("finalizers", []))
        if body.get("propagationPolicy") == "Foreground" and self.store.dependents(_uid(before)):
            finalizers.append("foregroundDeletion")
        if options.is_dry_run or "deletionTimestamp" in before["metadata"]:
            return Outcome(before)
        if finalizers:
            return Outcome(self._mark_deleted(target, before, finalizers))
        self._drop(target.resource, before)
        details = {
            "name": target.name,
            "group": target.resource.group,
            "kind": target.resource.plural,
            "uid": _uid(before),
        }
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return Outcome({**body, "details": details})

    def _forget_old_events(self, resource: Resource) -> None:
        limit = times.rfc3339(self.clock() - _EVENT_SECONDS)
        for event in self.store.select(resource, "", lambda manifest: _born_at(manifest) < limit):
            self.store.remove(resource, event)

    def _existing(self, target: Target) -> Json:
        before = self.store.get(target.resource, target.namespace, target.name)
        if before is None:
            raise statuses.not_found(target.resource, target.name)
        return before

    def _merge_patch(self, target: Target, body: JsonValue, options: Options) -> Outcome:
        if not isinstance(body, dict):
            raise statuses.bad_request("a merge patch must be a JSON object")
        before = self._existing(target)
        return self._update(target, before, merge(before, body), options)

    def _json_patch(self, target: Target, body: JsonValue, options: Options) -> Outcome:
        if not isinstance(body, list):
            raise statuses.bad_request("a JSON patch must be a list of operations")
        before = self._existing(target)
        try:
            after = apply_operations(before, body)
        except PatchError as error:
            if error.is_malformed:
                raise statuses.bad_request(str(error)) from error
            message = f"the server rejected our request due to an error in our request: {error}"
            raise statuses.ApiError(422, "Invalid", message) from error
        return self._update(target, before, after, options)

    def _apply(self, target: Target, body: JsonValue, options: Options) -> Outcome:
        if not isinstance(body, dict) or not options.manager:
            raise statuses.bad_request("PatchOptions.fieldManager: is required for apply patch")
        admission.check_identity(target.resource, target.namespace, target.name, body)
        before = self.store.get(target.resource, target.namespace, target.name)
        if before is not None:
            _check_guard(target, before, body)
        wanted, warnings = self._admit(target, body, options, is_partial=before is not None)
        wanted["metadata"] = admission.client_fields(wanted["metadata"])
        base = before if before is not None else self._born(target, wanted)
        by = self._by(target, options, "Apply")
        try:
            after = managed_fields.apply(before or base, wanted, by, force=options.force)
        except FieldConflictError as error:
            raise statuses.field_conflict(target.resource, target.name, error.causes) from error
        if before is None:
            return Outcome(self._keep(target, after, None, options), 201, warnings)
        return Outcome(self._finish(target, before, after, options), 200, warnings)

    def _update(self, target: Target, before: Json, body: Json, options: Options) -> Outcome:
        admission.check_identity(target.resource, target.namespace, target.name, body)
        _check_guard(target, before, body)
        after, warnings = self._admit(target, body, options)
        after["metadata"] = admission.with_server_fields(after["metadata"], before["metadata"])
        by = self._by(target, options, "Update")
        owners = managed_fields.write(managed_fields.record_update(before, after, by))
        after["metadata"]["managedFields"] = owners
        return Outcome(self._finish(target, before, after, options), 200, warnings)

    def _finish(self, target: Target, before: Json, after: Json, options: Options) -> Json:
        """Store an update unless it changes nothing; removing the last finalizer deletes."""
        if admission.without_times(before) == admission.without_times(after):
            return before
        admission.check_finalizers(target.resource, before, after)
        metadata = after["metadata"]
        if not target.resource.is_core and _rest(before) != _rest(after):
            metadata["generation"] = before["metadata"].get("generation", 0) + 1
        if options.is_dry_run:
            return after
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            self._drop(target.resource, after)
            return after
        return self.store.put(target.resource, after)

    def _admit(
        self, target: Target, body: Json, options: Options, *, is_partial: bool = False
    ) -> tuple[Json, tuple[str, ...]]:
        return admission.admit(
            target.resource,
            body,
            name=target.name,
            namespace=target.namespace,
            validation=options.validation,
            is_partial=is_partial,
        )

    def _born(self, target: Target, manifest: Json) -> Json:
        metadata = {
            **admission.client_fields(manifest["metadata"]),
            "name": target.name,
            "namespace": target.namespace,
            "uid": str(uuid.uuid4()),
            "creationTimestamp": times.rfc3339(self.clock()),
        }
        if not target.resource.is_core:
            metadata["generation"] = 1
        return {**manifest, "metadata": metadata}

    def _keep(
        self,
        target: Target,
        manifest: Json,
        owners: Iterable[Ownership] | None,
        options: Options,
    ) -> Json:
        if owners is not None:
            manifest["metadata"]["managedFields"] = managed_fields.write(owners)
        return manifest if options.is_dry_run else self.store.put(target.resource, manifest)

    def _mark_deleted(self, target: Target, before: Json, finalizers: list[str]) -> Json:
        metadata = {
            **before["metadata"],
            "finalizers": finalizers,
            "deletionTimestamp": times.rfc3339(self.clock()),
            "deletionGracePeriodSeconds": 0,
        }
        if not target.resource.is_core:
            metadata["generation"] = metadata.get("generation", 0) + 1
        return self.store.put(target.resource, {**before, "metadata": metadata})

    def _drop(self, resource: Resource, manifest: Json) -> None:
        """Remove an object, then what it owns, as the garbage collector does."""
        last = self.store.remove(resource, manifest)
        for kind, child in self.store.dependents(_uid(last)):
            metadata = child["metadata"]
            target = Target(kind, metadata["namespace"], metadata["name"])
            self.delete(target, {}, Options("garbage-collector"))

    def _by(self, target: Target, options: Options, operation: str) -> Ownership:
        now = times.rfc3339(self.clock())
        return Ownership(options.manager, operation, target.resource.api_version, now, frozenset())


def _check_guard(target: Target, before: Json, body: Json) -> None:
    """Raise 409 when the body names another version or uid than the stored one."""
    guard = admission.metadata_of(body)
    if guard.get("resourceVersion") not in (None, "", _version(before)):
        raise statuses.conflict(target.resource, target.name, _STALE)
    if guard.get("uid") not in (None, "", _uid(before)):
        why = f"Precondition failed: UID in precondition: {guard['uid']}, UID in object meta: {_uid(before)}"
        raise statuses.conflict(target.resource, target.name, why)


def _check_preconditions(target: Target, before: Json, preconditions: Json) -> None:
    for key, actual in (("uid", _uid(before)), ("resourceVersion", _version(before))):
        if preconditions.get(key) not in (None, actual):
            why = f"Precondition failed: {key} in precondition: {preconditions[key]}, in object: {actual}"
            raise statuses.conflict(target.resource, target.name, why)


def _version(manifest: Json) -> str:
    return str(manifest["metadata"]["resourceVersion"])


def _born_at(manifest: Json) -> str:
    return str(manifest["metadata"]["creationTimestamp"])


def _uid(manifest: Json) -> str:
    return str(manifest["metadata"]["uid"])


def _rest(manifest: Json) -> Json:
    return {key: value for key, value in manifest.items() if key != "metadata"}
