"""How to enter a Git repository: credentials of Argo CD's Secrets, host keys and authorities of its ConfigMaps."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings

from updater.errors import PermanentError
from updater.integrations import git, kubernetes

if TYPE_CHECKING:
    from updater.integrations.kubernetes.client import ClusterClient


class SourceNotKnownError(PermanentError):
    """A label names a place that nobody told us to talk to."""

    code = "source_not_known"


def remote(cluster: "ClusterClient", url: str, *, project: str, secret: str) -> git.Remote:
    """Return the repository's address with the credentials for it, and what proves the host."""
    namespace = settings.ARGOCD_NAMESPACE
    found: git.Credentials | None
    if secret:
        owner, _, name = secret.partition("/")
        found = git.credentials_of_secret(url, cluster.get_secret(owner, name))
    else:
        found = git.match(url, project, cluster.list_repository_secrets(namespace))
    known_hosts = _config(cluster, "argocd-ssh-known-hosts-cm").get("ssh_known_hosts", "")
    authority = _config(cluster, "argocd-tls-certs-cm").get(urlsplit(url).hostname or "", "")
    return git.Remote(
        url,
        git.complete(
            found,
            url=url,
            known_hosts=known_hosts,
            ca_pem=authority,
            allow_http=settings.ALLOW_INSECURE_GIT,
        ),
        allow_http=settings.ALLOW_INSECURE_GIT,
    )


def source_remote(cluster: "ClusterClient", url: str, *, project: str, known: str) -> git.Remote:
    """Return a source repository that an image's label names: with Argo CD's credentials, or on a host known here.

    The label is written by whoever builds the image, so without credentials no host is asked that neither Argo CD
    nor the write-back (`known`) uses.
    """
    secrets = list(cluster.list_repository_secrets(settings.ARGOCD_NAMESPACE))
    hosts = {
        git.host_of(secret.fields.get("url", b"").decode("utf-8", "replace")) for secret in secrets
    }
    if git.match(url, project, secrets) is None and git.host_of(url) not in {
        *hosts,
        git.host_of(known),
    } - {""}:
        raise SourceNotKnownError(
            f"{git.redact(url)} is on a host for which Argo CD holds no repository, so it was not asked"
        )
    return remote(cluster, url, project=project, secret="")


def signing_key() -> git.SigningKey | None:
    """Return the operator's signing key, if one is set."""
    path = settings.GIT_COMMIT_SIGNING_KEY
    if not path:
        return None
    return git.SigningKey(settings.GIT_COMMIT_SIGNING_METHOD, path)


def _config(cluster: "ClusterClient", name: str) -> dict[str, str]:
    try:
        return cluster.get_config_map(settings.ARGOCD_NAMESPACE, name)
    except kubernetes.ObjectNotFoundError:
        return {}  # without the ConfigMap nothing extra is trusted
