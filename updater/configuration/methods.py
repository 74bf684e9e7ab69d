"""The write-back method and where its git credentials are kept (specification 3.3.1)."""

import re
from dataclasses import dataclass

from updater.configuration.credentials import CredentialReferenceError

ARGOCD, GIT = "argocd", "git"
REPOSITORY_CREDENTIALS = "repocreds"
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SECRET = re.compile(
    rf"git:secret:((?P<namespace>{_LABEL})/)?(?P<name>[a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?)"
)


@dataclass(frozen=True, slots=True)
class Method:
    """`argocd` or `git`; for git, `repocreds` or `secret:<namespace>/<name>`."""

    name: str = ARGOCD
    credentials: str | None = None


def parse(text: str, *, namespace: str) -> Method:
    """Return the method; a secret must be in the Application's own namespace.

    Raises:
        CredentialReferenceError: another word, or a secret of another namespace.
    """
    text = text.strip()
    if text == ARGOCD:
        return Method()
    if text in (GIT, f"{GIT}:{REPOSITORY_CREDENTIALS}"):
        return Method(GIT, REPOSITORY_CREDENTIALS)
    match = _SECRET.fullmatch(text)
    if match is None:
        raise CredentialReferenceError(
            "Write argocd, git, git:repocreds or git:secret:<namespace>/<name>."
        )
    if match["namespace"] not in (None, namespace):
        raise CredentialReferenceError(
            f"The secret must be in the Application's own namespace, {namespace}."
        )
    return Method(GIT, f"secret:{namespace}/{match['name']}")
