"""Objects for tests of the cluster, and a raw way to speak to it."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from kubernetes import client, config

from onebox.world.cluster import Account, ClusterServer

ARGO = {"group": "argoproj.io", "version": "v1alpha1", "plural": "applications"}


def an_application(name: str = "example", **spec: Any) -> dict[str, Any]:
    source = {
        "repoURL": "https://git.example/acme/deploy.git",
        "path": ".",
        "targetRevision": "main",
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name},
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
            **spec,
        },
    }


def with_parameters(*parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"spec": {"source": {"helm": {"parameters": list(parameters)}}}}


def parameter(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value, "forceString": True}


@dataclass
class World:
    """A server, an account, a namespace of the test's own, and the outside client's view of it."""

    server: ClusterServer
    account: Account
    folder: Path

    def __post_init__(self) -> None:
        self.namespace = f"ns-{uuid.uuid4().hex[:8]}"
        self.kubeconfig = str(
            self.server.write_kubeconfig(self.folder / "kubeconfig", self.account)
        )
        api_client = config.new_client_from_config(self.kubeconfig)
        self.custom = client.CustomObjectsApi(api_client)
        self.core = client.CoreV1Api(api_client)
        self.http = httpx.Client(
            base_url=self.server.url,
            headers={"Authorization": f"Bearer {self.account.token}"},
            trust_env=False,
            timeout=10,
        )

    @property
    def collection(self) -> str:
        return f"/apis/argoproj.io/v1alpha1/namespaces/{self.namespace}/applications"

    def create(self, manifest: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self.custom.create_namespaced_custom_object(
            **ARGO,
            namespace=self.namespace,
            body=manifest or an_application(),
            field_manager="creator",
        )

    def get(self, name: str = "example") -> dict[str, Any]:
        return self.custom.get_namespaced_custom_object(**ARGO, namespace=self.namespace, name=name)

    def patch(self, body: Any, name: str = "example", **settings: Any) -> dict[str, Any]:
        arguments = {"field_manager": "tester", **settings}
        return self.custom.patch_namespaced_custom_object(
            **ARGO, namespace=self.namespace, name=name, body=body, **arguments
        )

    def delete(self, name: str = "example") -> dict[str, Any]:
        return self.custom.delete_namespaced_custom_object(
            **ARGO, namespace=self.namespace, name=name
        )

    def watch(self, since: str) -> list[dict[str, Any]]:
        """Return what a watch says up to its first bookmark, or its end."""
        query = {
            "watch": "true",
            "resourceVersion": since,
            "timeoutSeconds": 5,
            "allowWatchBookmarks": "true",
        }
        seen: list[dict[str, Any]] = []
        with self.http.stream("GET", self.collection, params=query) as answer:
            for line in answer.iter_lines():
                seen.append(json.loads(line))
                if seen[-1]["type"] == "BOOKMARK":
                    break
        return seen
