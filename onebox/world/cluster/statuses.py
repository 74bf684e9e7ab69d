"""The errors of a Kubernetes API server: one exception that knows its `Status` object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onebox.world.cluster.documents import Json
from onebox.world.cluster.resources import Resource


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong, as `details.causes` lists it."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def as_json(self) -> Json:
        """Return the cause as it stands in a Status."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


class ApiError(Exception):
    """An answer other than success; `body` is the Status object the client gets."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Json | None = None,
        headers: Mapping[str, str] | None = None,
        metadata: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.headers = dict(headers or {})
        self.body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": metadata or {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "details": details or {},
            "code": code,
        }


def _details(resource: Resource, name: str, causes: Sequence[Cause] = ()) -> Json:
    details: Json = {"name": name, "kind": resource.plural}
    if resource.group:
        details["group"] = resource.group
    if causes:
        details["causes"] = [cause.as_json() for cause in causes]
    return details


def not_found(resource: Resource, name: str) -> ApiError:
    """404: no object of that name."""
    message = f'{resource.qualified_name} "{name}" not found'
    return ApiError(404, "NotFound", message, details=_details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    """409 on create."""
    message = f'{resource.qualified_name} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details=_details(resource, name))


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    """409 on a guarded write."""
    message = f'Operation cannot be fulfilled on {resource.qualified_name} "{name}": {why}'
    return ApiError(409, "Conflict", message, details=_details(resource, name))


def field_conflict(resource: Resource, name: str, causes: Sequence[Cause]) -> ApiError:
    """409 of a server-side apply on fields of other managers."""
    count = "1 conflict" if len(causes) == 1 else f"{len(causes)} conflicts"
    listed = "; ".join(f"{cause.message}: {cause.field}" for cause in causes)
    message = f"Apply failed with {count}: {listed}"
    return ApiError(409, "Conflict", message, details=_details(resource, name, causes))


def invalid(resource: Resource, name: str, causes: Sequence[Cause]) -> ApiError:
    """422: the object breaks its schema or a rule."""
    listed = ", ".join(f"{cause.field}: {cause.message}" for cause in causes)
    message = f'{resource.kind}.{resource.group} "{name}" is invalid: {listed}'
    return ApiError(422, "Invalid", message, details=_details(resource, name, causes))


def bad_request(message: str) -> ApiError:
    """400: the request itself cannot be read."""
    return ApiError(400, "BadRequest", message)


def expired(message: str, *, metadata: Json | None = None) -> ApiError:
    """410: the asked version or list token is too old."""
    return ApiError(410, "Expired", message, metadata=metadata)


def throttled(seconds: float) -> ApiError:
    """429 with Retry-After in whole seconds."""
    headers = {"Retry-After": str(max(1, round(seconds)))}
    message = "the server has received too many requests and has asked us to try again later"
    return ApiError(429, "TooManyRequests", message, headers=headers)
