"""What we ask of the cluster: Applications and what belongs to them (specification argo-cd.md 2, 7, 9, 10).

Reads give plain manifests; every write is a small merge patch under our field manager's name. The client
neither sleeps nor repeats: its errors say whether repeating makes sense.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from updater.integrations.kubernetes import resources, secrets, sync_operation, watching
from updater.integrations.kubernetes.calls import Call
from updater.integrations.kubernetes.errors import (
    ApplicationReplacedError,
    InvalidPatchError,
    KindUnknownError,
    PatchConflictError,
)
from updater.integrations.kubernetes.gateway import Gateway
from updater.integrations.kubernetes.listing import ApplicationListing
from updater.integrations.kubernetes.names import check_name, check_namespace
from updater.integrations.kubernetes.resources import (
    APP_PROJECTS,
    APPLICATIONS,
    IMAGE_UPDATERS,
    CustomKind,
)
from updater.integrations.kubernetes.secrets import RepositorySecret
from updater.integrations.kubernetes.watching import WatchEvent

Json = dict[str, Any]

REFRESH = "argocd.argoproj.io/refresh"
REFRESH_TIMESTAMP = "argocd.argoproj.io/refresh-timestamp"


class ClusterClient:
    """One cluster, as far as promotions need it."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def list_applications(self, namespaces: Sequence[str] = ()) -> ApplicationListing:
        """Return the Applications of these namespaces (none: all), read in pages as they are taken."""
        checked = [check_namespace(namespace) for namespace in namespaces]
        page = partial(resources.read_page, self._gateway, APPLICATIONS)
        return ApplicationListing(page, checked)

    def watch_applications(
        self, resource_version: str, *, seconds: int, namespace: str = ""
    ) -> Iterator[WatchEvent]:
        """Yield changes after a version for so many seconds; a BOOKMARK only moves the version on.

        Raises: WatchExpiredError: list again.
        """
        if namespace:
            check_namespace(namespace)
        call = Call("watch", APPLICATIONS.qualified_name, namespace)
        stream = self._gateway.open(
            call,
            resources.list_function(namespace),
            seconds=seconds,
            resource_version=resource_version,
            timeout_seconds=seconds,
            allow_watch_bookmarks=True,
            watch=True,
            **APPLICATIONS.address,
            **resources.scope(namespace),
        )
        return watching.events(call, stream)

    def get_application(self, namespace: str, name: str) -> Json:
        """Return one Application. Raises: ApplicationNotFoundError."""
        return self._gateway.ask(
            _call("get", APPLICATIONS, namespace, name),
            lambda connection: connection.custom.get_namespaced_custom_object,
            namespace=namespace,
            name=name,
            **APPLICATIONS.address,
        )

    def refresh(
        self, namespace: str, name: str, *, stamp: str, uid: str = "", hard: bool = False
    ) -> Json:
        """Ask Argo CD to compare afresh; a unique `stamp` keeps newer versions from losing the request.

        Raises: ApplicationReplacedError when `uid` is given and it is another Application by now.
        """
        annotations = {REFRESH: "hard" if hard else "normal", REFRESH_TIMESTAMP: stamp}
        guard = {"uid": uid} if uid else {}
        return self._patch(namespace, name, {"metadata": {"annotations": annotations}}, guard)

    def patch_application(
        self, namespace: str, name: str, patch: Json, *, resource_version: str, uid: str
    ) -> Json:
        """Apply a merge patch to exactly the version that was read.

        Raises: PatchConflictError: it changed since; ApplicationReplacedError: it is another one by now;
        UnknownOutcomeError: read back before anything else.
        """
        guard = {"resourceVersion": resource_version, "uid": uid}
        return self._patch(namespace, name, patch, guard)

    def request_sync(
        self,
        namespace: str,
        name: str,
        *,
        uid: str,
        username: str,
        info: Mapping[str, str],
        revisions: Sequence[str] = (),
    ) -> Json:
        """Start a sync: read, refuse when busy or deleting, write `operation` to that very version.

        Raises: OperationRunningError, ApplicationDeletingError, and what `patch_application` raises.
        """
        manifest = self.get_application(namespace, name)
        patch = sync_operation.sync_patch(
            manifest, username=username, info=info, revisions=revisions
        )
        version = str(manifest["metadata"]["resourceVersion"])
        return self.patch_application(namespace, name, patch, resource_version=version, uid=uid)

    def list_image_updaters(self, namespace: str) -> list[Json]:
        """Return the ImageUpdater resources of a namespace, "" of all; none where the kind is unknown."""
        try:
            return self._list_all(IMAGE_UPDATERS, namespace)
        except KindUnknownError:
            return []

    def list_app_projects(self, namespace: str) -> list[Json]:
        """Return the AppProjects of Argo CD's namespace."""
        return self._list_all(APP_PROJECTS, namespace)

    def get_secret(self, namespace: str, name: str) -> dict[str, bytes]:
        """Return the decoded values of a Secret. Raises: ObjectNotFoundError, ClusterForbiddenError."""
        call = Call("get", "secrets", check_namespace(namespace), check_name(name))
        answer = self._gateway.ask(
            call,
            lambda connection: connection.core.read_namespaced_secret,
            name=name,
            namespace=namespace,
        )
        return secrets.values(answer)

    def list_repository_secrets(self, argocd_namespace: str) -> list[RepositorySecret]:
        """Return Argo CD's secrets for Git repositories, of all four kinds."""
        answer = self._gateway.ask(
            Call("list", "secrets", check_namespace(argocd_namespace)),
            lambda connection: connection.core.list_namespaced_secret,
            namespace=argocd_namespace,
            label_selector=secrets.REPOSITORY_SELECTOR,
        )
        return [secrets.repository_secret(item) for item in answer.get("items") or []]

    def get_config_map(self, namespace: str, name: str) -> dict[str, str]:
        """Return the texts of a ConfigMap. Raises: ObjectNotFoundError, ClusterForbiddenError."""
        answer = self._gateway.ask(
            Call("get", "configmaps", check_namespace(namespace), check_name(name)),
            lambda connection: connection.core.read_namespaced_config_map,
            name=name,
            namespace=namespace,
        )
        return {str(key): str(text) for key, text in (answer.get("data") or {}).items()}

    def _list_all(self, kind: CustomKind, namespace: str) -> list[Json]:
        page = partial(resources.read_page, self._gateway, kind)
        return list(ApplicationListing(page, [check_namespace(namespace)] if namespace else []))

    def _patch(self, namespace: str, name: str, patch: Json, guard: Mapping[str, str]) -> Json:
        body = _guarded(patch, guard)
        try:
            return self._gateway.ask(
                _call("patch", APPLICATIONS, namespace, name),
                lambda connection: connection.custom.patch_namespaced_custom_object,
                namespace=namespace,
                name=name,
                body=body,
                **APPLICATIONS.address,
            )
        except PatchConflictError:
            self._check_same_life(namespace, name, guard.get("uid", ""))
            raise

    def _check_same_life(self, namespace: str, name: str, uid: str) -> None:
        metadata = self.get_application(namespace, name).get("metadata") or {}
        if uid and metadata.get("uid") != uid:
            raise ApplicationReplacedError(
                f"Application {namespace}/{name} was deleted and created again since it was read."
            )


def _call(verb: str, kind: CustomKind, namespace: str, name: str) -> Call:
    return Call(verb, kind.qualified_name, check_namespace(namespace), check_name(name))


def _guarded(patch: object, guard: Mapping[str, str]) -> Json:
    """Put the precondition into the patch; a list would be sent as a merge patch, which it is not."""
    metadata = patch.get("metadata", {}) if isinstance(patch, dict) else None
    if not isinstance(patch, dict) or not isinstance(metadata, dict):
        raise InvalidPatchError(
            "A patch of an Application must be a JSON object (a merge patch), with metadata as an object."
        )
    if "" in guard.values():
        raise InvalidPatchError("A guarded patch needs the resourceVersion and uid that were read.")
    return {**patch, "metadata": {**metadata, **guard}}
