"""Putting a controller together: from a connection to the cluster and a folder to a running Argo CD."""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from onebox.world.argocd import image_facts, repository_credentials
from onebox.world.argocd.api import SECRETS, ClusterApi
from onebox.world.argocd.controller import Controller
from onebox.world.argocd.image_facts import LookUp, RegistryLookUp
from onebox.world.argocd.installation import Installation
from onebox.world.argocd.live import LiveWorld
from onebox.world.argocd.repositories import Repositories
from onebox.world.argocd.repository_credentials import Login
from onebox.world.argocd.settings import Settings
from onebox.world.cluster.kubeconfig import Connection

_REPOSITORY_LABEL = "argocd.argoproj.io/secret-type"


@dataclass(frozen=True, slots=True)
class SecretLogins:
    """Reads credentials where Argo CD and kubelets do: in Secrets of the cluster."""

    api: ClusterApi
    namespace: str

    def for_repository(self, url: str, project: str, is_write: bool) -> Login | None:  # noqa: FBT001  FindLogin
        """Return the login for a Git repository, or None for anonymous access."""
        secrets, _ = self.api.list_objects(SECRETS, self.namespace, labels=_REPOSITORY_LABEL)
        return repository_credentials.find(secrets, url, project, is_write=is_write)

    def for_registries(self, secret_name: str) -> Mapping[str, str]:
        """Return the Authorization headers by registry host of a pull secret."""
        secret = self.api.find(SECRETS, self.namespace, secret_name)
        config = ((secret or {}).get("data") or {}).get(".dockerconfigjson")
        return image_facts.docker_logins(base64.b64decode(config)) if config else {}


def build(
    connection: Connection,
    folder: Path,
    settings: Settings,
    *,
    look_up: LookUp | None = None,
    pull_secret: str = "",
    clock: Callable[[], float] = time.time,
) -> Controller:
    """Return a controller, not started; without `look_up` images are looked up in their registries."""
    api = ClusterApi(connection)
    logins = SecretLogins(api, settings.namespace)
    ask = look_up or RegistryLookUp(lambda: logins.for_registries(pull_secret))
    installation = Installation(
        api=api,
        settings=settings,
        repositories=Repositories(
            folder / "repositories", logins.for_repository, settings.resync_seconds
        ),
        live=LiveWorld(folder / "live", settings, ask, clock),
        clock=clock,
    )
    return Controller(installation)
