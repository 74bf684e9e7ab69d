"""The Kubernetes API as Countersign needs it; the outside client is imported only by `connect`."""

from contextlib import nullcontext
from typing import TYPE_CHECKING

from updater.integrations.kubernetes.errors import (
    ApplicationDeletingError,
    ApplicationNotFoundError,
    ApplicationReplacedError,
    ClusterConfigurationError,
    ClusterForbiddenError,
    ClusterUnauthorizedError,
    ClusterUnreachableError,
    FieldConflictError,
    InvalidNameError,
    InvalidPatchError,
    KindUnknownError,
    ObjectNotFoundError,
    OperationRunningError,
    PatchConflictError,
    RequestRefusedError,
    ThrottledError,
    UnknownOutcomeError,
    WatchExpiredError,
)
from updater.integrations.kubernetes.trimming import trim

if TYPE_CHECKING:
    from updater.integrations.kubernetes.client import ClusterClient
    from updater.integrations.kubernetes.gateway import Passage

__all__ = [
    "ApplicationDeletingError",
    "ApplicationNotFoundError",
    "ApplicationReplacedError",
    "ClusterConfigurationError",
    "ClusterForbiddenError",
    "ClusterUnauthorizedError",
    "ClusterUnreachableError",
    "FieldConflictError",
    "InvalidNameError",
    "InvalidPatchError",
    "KindUnknownError",
    "ObjectNotFoundError",
    "OperationRunningError",
    "PatchConflictError",
    "RequestRefusedError",
    "ThrottledError",
    "UnknownOutcomeError",
    "WatchExpiredError",
    "connect",
    "trim",
]


def connect(
    kubeconfig: str | None,
    *,
    connect_seconds: float = 3,
    read_seconds: float = 30,
    passage: "Passage" = nullcontext,
) -> "ClusterClient":
    """Return a client for the cluster of a kubeconfig file, or with None of the pod we run in.

    Raises: ClusterConfigurationError.
    """
    # The outside client takes half a second and 60 MB, which only workers that talk to the cluster should pay.
    from updater.integrations.kubernetes.client import ClusterClient  # noqa: PLC0415  see above
    from updater.integrations.kubernetes.connection import open_connection  # noqa: PLC0415  as above
    from updater.integrations.kubernetes.gateway import Gateway, Timeouts  # noqa: PLC0415  as above

    timeouts = Timeouts(connect=connect_seconds, read=read_seconds)
    return ClusterClient(Gateway(open_connection(kubeconfig), timeouts, passage))
