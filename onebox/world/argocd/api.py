"""The controller's side of the Kubernetes API: plain HTTP with its own token."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from onebox.world.cluster import resources
from onebox.world.cluster.documents import Json
from onebox.world.cluster.kubeconfig import Connection
from onebox.world.cluster.resources import Resource

FIELD_MANAGER = "argocd-controller"


def _kind(plural: str) -> Resource:
    return next(item for item in resources.RESOURCES if item.plural == plural)


APPLICATIONS = _kind("applications")
APPLICATION_SETS = _kind("applicationsets")
APP_PROJECTS = _kind("appprojects")
SECRETS = _kind("secrets")
EVENTS = _kind("events")


class ApiError(Exception):
    """The API server refused; `code` is the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Changed:
    """One event of a watch."""

    kind: str
    manifest: Json


class ClusterApi:
    """Reads and writes objects; safe to use from several threads."""

    def __init__(self, connection: Connection) -> None:
        self._http = httpx.Client(
            base_url=connection.url,
            headers={"Authorization": f"Bearer {connection.token}"},
            params={"fieldManager": FIELD_MANAGER},
            timeout=10,
            trust_env=False,
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def find(self, kind: Resource, namespace: str, name: str) -> Json | None:
        """Return an object, or None."""
        try:
            return self._ask("GET", kind.path(namespace, name))
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def list_objects(
        self, kind: Resource, namespace: str = "", *, labels: str = ""
    ) -> tuple[list[Json], str]:
        """Return all objects, and the version to watch from."""
        answer = self._ask("GET", kind.path(namespace), labels=labels)
        return answer["items"], answer["metadata"]["resourceVersion"]

    def watch(self, kind: Resource, version: str, seconds: int) -> Iterator[Changed]:
        """Yield changes of all namespaces until the server ends the stream. Raises: ApiError 410."""
        query = {
            "watch": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
            "allowWatchBookmarks": "true",
        }
        timeout = httpx.Timeout(10, read=seconds + 10)
        with self._http.stream("GET", kind.path(), params=query, timeout=timeout) as answer:
            _check(answer)
            for line in answer.iter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(event["object"]["code"], event["object"]["message"])
                yield Changed(event["type"], event["object"])

    def create(self, kind: Resource, namespace: str, manifest: Json) -> Json:
        """Create an object."""
        return self._ask("POST", kind.path(namespace), manifest)

    def replace(self, kind: Resource, manifest: Json) -> Json:
        """Put an object as it now is; its resourceVersion guards it."""
        return self._ask("PUT", _path(kind, manifest), manifest)

    def merge_patch(self, kind: Resource, manifest: Json, patch: Json) -> Json:
        """Merge a patch into an object, whatever its version."""
        return self._patch(kind, manifest, patch, "merge-patch+json")

    def json_patch(self, kind: Resource, manifest: Json, operations: list[Json]) -> Json:
        """Apply JSON patch operations to an object. Raises: ApiError 422 when a test fails."""
        return self._patch(kind, manifest, operations, "json-patch+json")

    def delete(self, kind: Resource, manifest: Json) -> None:
        """Delete an object."""
        self._ask("DELETE", _path(kind, manifest))

    def _patch(self, kind: Resource, manifest: Json, body: object, form: str) -> Json:
        return self._ask("PATCH", _path(kind, manifest), body, form=form)

    def _ask(
        self, method: str, path: str, body: object = None, *, form: str = "json", labels: str = ""
    ) -> Json:
        answer = self._http.request(
            method,
            path,
            content=None if body is None else json.dumps(body),
            headers={"Content-Type": f"application/{form}"},
            params={"labelSelector": labels} if labels else {},
        )
        _check(answer)
        document: Json = answer.json()
        return document


def _path(kind: Resource, manifest: Json) -> str:
    metadata = manifest["metadata"]
    return kind.path(metadata["namespace"], metadata["name"])


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    answer.read()
    raise ApiError(answer.status_code, answer.text[:500])
