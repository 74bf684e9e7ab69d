"""Kubeconfig files for accounts of this API server."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from onebox.world.cluster.access import Account


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the API server is, and the token to show there."""

    url: str
    token: str


def write(path: Path, *, url: str, account: Account, namespace: str = "argocd") -> Path:
    """Write a kubeconfig only its owner may read (JSON, which every YAML reader reads)."""
    name = "countersign-world"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": url}}],
        "users": [{"name": account.name, "user": {"token": account.token}}],
        "contexts": [
            {
                "name": name,
                "context": {"cluster": name, "user": account.name, "namespace": namespace},
            }
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(document, file, indent=2)
    partial.replace(path)
    return path


def read(path: Path) -> Connection:
    """Read back what `write` wrote."""
    document = json.loads(path.read_text())
    return Connection(
        url=document["clusters"][0]["cluster"]["server"],
        token=document["users"][0]["user"]["token"],
    )
