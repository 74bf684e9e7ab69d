"""Everything the cluster can answer other than success, as sentences; status codes are mapped in `calls`.

TransientError
├─ ClusterUnreachableError     no answer, or none of the API server's; nothing was written
├─ ThrottledError              asked to come back later; nothing was written
├─ PatchConflictError          somebody else wrote first: read, check, write again
├─ OperationRunningError       Argo CD is working on another sync of this Application
├─ WatchExpiredError           the version is too old: list again
└─ UnknownOutcomeError         a write may or may not have happened: read back before anything else
PermanentError
├─ ClusterConfigurationError   the kubeconfig or service account cannot be used
├─ ClusterUnauthorizedError    the token is refused
├─ ClusterForbiddenError       a permission is missing; says which
├─ KindUnknownError            the cluster does not serve this kind
├─ ObjectNotFoundError
│  └─ ApplicationNotFoundError
├─ ApplicationReplacedError    same name, another uid: deleted and created again
├─ ApplicationDeletingError    being deleted: nothing may be written
├─ FieldConflictError          another field manager owns the field; we never take it by force
├─ RequestRefusedError         the API server finds the request wrong
│  └─ InvalidPatchError
└─ InvalidNameError            not a Kubernetes name, so nothing was asked
"""

from updater.errors import PermanentError, TransientError


class ClusterUnreachableError(TransientError):
    """The Kubernetes API gave no usable answer; nothing was written."""

    code = "cluster_unreachable"


class ThrottledError(TransientError):
    """The Kubernetes API is overloaded and asked to try later; nothing was written."""

    code = "cluster_throttled"


class PatchConflictError(TransientError):
    """The object changed after it was read; nothing was written."""

    code = "patch_conflict"


class OperationRunningError(TransientError):
    """Argo CD is already running an operation on the Application; nothing was written."""

    code = "operation_running"


class WatchExpiredError(TransientError):
    """The resourceVersion or list token is too old: list again."""

    code = "watch_expired"


class UnknownOutcomeError(TransientError):
    """A write was sent and its answer was lost: read back before trying again."""

    code = "unknown_outcome"


class ClusterConfigurationError(PermanentError):
    """The kubeconfig or the service account of the pod cannot be used."""

    code = "cluster_configuration"


class ClusterUnauthorizedError(PermanentError):
    """The Kubernetes API refuses our token, also after reading it again."""

    code = "cluster_unauthorized"


class ClusterForbiddenError(PermanentError):
    """Our account lacks a permission; the attributes say which."""

    code = "cluster_forbidden"

    def __init__(self, *, verb: str, resource: str, namespace: str) -> None:
        place = f"in namespace {namespace}" if namespace else "in all namespaces"
        super().__init__(
            f"The cluster does not allow us to {verb} {resource} {place}:"
            " add this permission to the role of our service account."
        )
        self.verb = verb
        self.resource = resource
        self.namespace = namespace


class KindUnknownError(PermanentError):
    """The cluster does not serve this kind: its definition is not installed."""

    code = "kind_unknown"


class ObjectNotFoundError(PermanentError):
    """No object of that name."""

    code = "object_not_found"


class ApplicationNotFoundError(ObjectNotFoundError):
    """No Application of that name."""

    code = "application_not_found"


class ApplicationReplacedError(PermanentError):
    """The Application was deleted and created again since it was read."""

    code = "application_replaced"


class ApplicationDeletingError(PermanentError):
    """The Application is being deleted."""

    code = "application_deleting"


class FieldConflictError(PermanentError):
    """Another field manager owns the field."""

    code = "field_conflict"


class RequestRefusedError(PermanentError):
    """The Kubernetes API finds the request itself wrong."""

    code = "request_refused"


class InvalidPatchError(RequestRefusedError):
    """The patch is no merge patch, or its result breaks the object's schema."""

    code = "invalid_patch"


class InvalidNameError(PermanentError):
    """A name or namespace no Kubernetes object can have."""

    code = "invalid_name"
