"""Secrets as the cluster keeps them; their values never show in a repr."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from updater.integrations.kubernetes.errors import RequestRefusedError

Json = dict[str, Any]

TYPE_LABEL = "argocd.argoproj.io/secret-type"
REPOSITORY_SELECTOR = f"{TYPE_LABEL} in (repository,repo-creds,repository-write,repo-write-creds)"


@dataclass(frozen=True, slots=True)
class RepositorySecret:
    """One of Argo CD's repository secrets; `kind` is its secret-type label."""

    name: str
    kind: str
    fields: Mapping[str, bytes] = field(repr=False)

    def text(self, key: str) -> str:
        """Return a field as text, "" when it is absent."""
        return self.fields.get(key, b"").decode("utf-8", "replace")


def values(manifest: Json) -> dict[str, bytes]:
    """Return the decoded values of a Secret."""
    data = manifest.get("data")
    try:
        encoded = data if isinstance(data, dict) else {}
        return {str(key): base64.b64decode(text) for key, text in encoded.items()}
    except (binascii.Error, ValueError, TypeError) as error:
        name = manifest.get("metadata", {}).get("name")
        raise RequestRefusedError(f"Secret {name} holds a value that is not base64.") from error


def repository_secret(manifest: Json) -> RepositorySecret:
    """Return a Secret as one of Argo CD's repository secrets."""
    metadata = manifest.get("metadata") or {}
    kind = str((metadata.get("labels") or {}).get(TYPE_LABEL, ""))
    return RepositorySecret(str(metadata.get("name", "")), kind, values(manifest))
