"""Which of Argo CD's repository secrets opens a repository (sections 6.1, 6.3, 6.4); pure."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

from onebox.world.cluster.documents import Json

_TYPE = "argocd.argoproj.io/secret-type"
# Any of these in a repository secret keeps prefix secrets from being asked.
_CREDENTIAL_FIELDS = ("username", "password", "bearerToken", "sshPrivateKey", "tlsClientCertData")


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and password, or a bearer token, for Git over HTTP."""

    username: str
    password: str = field(repr=False)
    bearer: str = field(default="", repr=False)

    @property
    def header(self) -> str:
        """The Authorization header."""
        if self.bearer:
            return f"Bearer {self.bearer}"
        pair = f"{self.username or 'x-access-token'}:{self.password}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


def find(
    secrets: Sequence[Json], url: str, project: str, *, is_write: bool = False
) -> Login | None:
    """Return the credentials for a repository, or None for anonymous access."""
    suffix = "-write" if is_write else ""
    repository = _repository(secrets, url, project, f"repository{suffix}")
    if any(repository.get(key) for key in _CREDENTIAL_FIELDS):
        return _login(repository)
    prefix_kind = "repo-write-creds" if is_write else "repo-creds"
    return _login(_longest_prefix(secrets, url, prefix_kind))


def normalize(url: str) -> str:
    """Return the form in which repository URLs are compared: lower case, without `.git`."""
    text = url.strip().lower()
    if "://" not in text and ":" in text and "@" in text:
        user_host, _, path = text.partition(":")
        text = f"ssh://{user_host}/{path}"
    return text.removesuffix(".git").removeprefix("ssh://")


def _repository(secrets: Sequence[Json], url: str, project: str, kind: str) -> dict[str, str]:
    same = [
        fields
        for fields in _of_kind(secrets, kind)
        if normalize(fields.get("url", "")) == normalize(url)
    ]
    for scope in (project, ""):
        for fields in same:
            if fields.get("project", "") == scope:
                return fields
    return {}


def _longest_prefix(secrets: Sequence[Json], url: str, kind: str) -> dict[str, str]:
    """Prefixes have no boundary at a path segment: `…/org` opens `…/organisation` too."""
    found = [
        fields
        for fields in _of_kind(secrets, kind)
        if fields.get("url") and normalize(url).startswith(normalize(fields["url"]))
    ]
    return max(found, key=lambda fields: len(normalize(fields["url"])), default={})


def _of_kind(secrets: Sequence[Json], kind: str) -> list[dict[str, str]]:
    return [
        {key: base64.b64decode(value).decode() for key, value in secret.get("data", {}).items()}
        for secret in secrets
        if secret["metadata"].get("labels", {}).get(_TYPE) == kind
    ]


def _login(fields: dict[str, str]) -> Login | None:
    if not fields.get("password") and not fields.get("bearerToken"):
        return None
    bearer = "" if fields.get("password") else fields.get("bearerToken", "")
    return Login(fields.get("username", ""), fields.get("password", ""), bearer)
