"""Which Secret opens which git repository: Argo CD's rules (argo-cd.md 6.1 to 6.5), safer in two places. Pure.

A prefix ends at a path segment (`https://host/org` does not open `https://host/organisation/x`) unless `exact`, and at
the host always; switches that turn verification off are ignored, and the credentials say so.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from updater import repository_urls
from updater.integrations.git import urls
from updater.integrations.git.errors import CredentialsUnusableError
from updater.integrations.git.remotes import Credentials, GitHubAppKey

KINDS: Final = (("repository-write", "repo-write-creds"), ("repository", "repo-creds"))
_AZURE: Final = "useAzureWorkloadIdentity"
_GCP: Final = "gcpServiceAccountKey"
_CREDENTIAL_KEYS: Final = (  # any of these keeps a prefix secret from being asked; a GCP key does not
    "username", "password", "bearerToken", "sshPrivateKey", "tlsClientCertData", "githubAppPrivateKey",
    "azureServicePrincipalClientSecret",
)  # fmt: skip
_BOOLEANS: Final = (
    "insecure", "insecureIgnoreHostKey", "enableLfs", "forceHttpBasicAuth", "enableOCI",
    "insecureOCIForceHttp", "useAzureWorkloadIdentity",
)  # fmt: skip
_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("", "0", "f", "F", "FALSE", "false", "False")
_NUMBERS: Final = ("githubAppID", "githubAppInstallationID", "depth")


class RepositorySecret(Protocol):
    """A Secret as the cluster client hands it over: decoded, with its secret-type label as `kind`."""

    @property
    def name(self) -> str: ...  # noqa: D102  see the class
    @property
    def kind(self) -> str: ...  # noqa: D102  see the class
    @property
    def fields(self) -> Mapping[str, bytes]: ...  # noqa: D102  see the class


@dataclass(frozen=True, slots=True)
class _Secret:
    """A secret as text; `flaw` says why it cannot be used."""

    name: str
    kind: str
    values: Mapping[str, str]
    flaw: str

    @property
    def url(self) -> str:
        return repository_urls.normalize(self.values.get("url", ""))

    @property
    def project(self) -> str:
        return self.values.get("project", "")

    @property
    def has_credential(self) -> bool:
        return any(map(self.values.get, _CREDENTIAL_KEYS)) or self.values.get(_AZURE) in _TRUE

    @property
    def has_anything(self) -> bool:
        return self.has_credential or bool(self.values.get(_GCP))


def match(
    url: str, project: str, secrets: Iterable[RepositorySecret], *, exact: bool = False
) -> Credentials | None:
    """Return the credentials for a repository used by an Application of `project`, None when there are none.

    Secrets for writing go before those for reading.

    Raises:
        CredentialsUnusableError: the only ones that fit cannot be used.
    """
    readable = [_read(secret.name, secret.kind, secret.fields) for secret in secrets]
    candidates = [secret for secret in readable if secret.values.get("type") in (None, "", "git")]
    sound = [secret for secret in candidates if not secret.flaw]
    if (chosen := _choose(url, project, sound, exact=exact)) is not None:
        return _credentials(url, chosen.values, chosen.name)
    if (broken := _choose(url, project, candidates, exact=exact)) is not None:
        raise CredentialsUnusableError.of(urls.redact(url), f"Secret {broken.name}: {broken.flaw}")
    return None


def credentials_of_secret(
    url: str, data: Mapping[str, bytes], *, source: str = "the Application's own Secret"
) -> Credentials:
    """Return the credentials of a Secret that an Application names itself (`git:secret:<namespace>/<name>`)."""
    secret = _read(source, "repository", data)
    if secret.flaw:
        raise CredentialsUnusableError.of(urls.redact(url), f"{source}: {secret.flaw}")
    values = dict(secret.values)
    if values.get("githubAppPrivateKey"):  # the image updater asks for an App first, Argo CD last
        values.pop("password", None)
    return _credentials(url, values, source)


def _read(name: str, kind: str, fields: Mapping[str, bytes]) -> _Secret:
    values = {key: value.decode("utf-8", "replace").strip("\r\n") for key, value in fields.items()}
    flaws = [
        *(f"{key} is not true or false" for key in _BOOLEANS if not _is_boolean(values, key)),
        *(f"{key} is not a whole number" for key in _NUMBERS if not _is_number(values, key)),
    ]
    return _Secret(name, kind, values, flaws[0] if flaws else "")


def _is_boolean(values: Mapping[str, str], key: str) -> bool:
    return values.get(key, "") in (*_TRUE, *_FALSE)


def _is_number(values: Mapping[str, str], key: str) -> bool:
    text = values.get(key, "")
    return not text or (text.isascii() and text.isdigit() and len(text) <= 18)


def _choose(url: str, project: str, secrets: Sequence[_Secret], *, exact: bool) -> _Secret | None:
    wanted = repository_urls.normalize(url)
    covers = _covers_plainly if exact else _covers
    for own_kind, prefix_kind in KINDS:
        own = _own(wanted, project, [secret for secret in secrets if secret.kind == own_kind])
        if own is not None and own.has_credential:
            return own
        prefix = _longest(wanted, [s for s in secrets if s.kind == prefix_kind], covers)
        if prefix is not None and prefix.has_anything:
            return prefix
        if own is not None and own.has_anything:
            return own
    return None


def _own(wanted: str, project: str, secrets: Sequence[_Secret]) -> _Secret | None:
    equal = [secret for secret in secrets if secret.url == wanted]
    ours = [secret for secret in equal if project and secret.project == project]
    everyones = [secret for secret in equal if not secret.project]
    return next(iter(ours or everyones), None)


def _longest(
    wanted: str, secrets: Sequence[_Secret], covers: Callable[[str, str], bool]
) -> _Secret | None:
    fitting = [secret for secret in secrets if secret.url and covers(secret.url, wanted)]
    return max(fitting, key=lambda secret: len(secret.url), default=None)


def _covers(prefix: str, wanted: str) -> bool:
    return wanted == prefix or wanted.startswith(prefix.rstrip("/") + "/")


def _covers_plainly(prefix: str, wanted: str) -> bool:
    # Even Argo CD's plain prefix must not open another host: https://host is not https://host.example.net.
    has_path = "/" in prefix.partition("://")[2] if "://" in prefix else "/" in prefix
    return wanted.startswith(prefix) if has_path else _covers(prefix, wanted)


def _credentials(url: str, values: Mapping[str, str], source: str) -> Credentials:
    common = Credentials(
        username=values.get("username", ""),
        client_certificate=values.get("tlsClientCertData", ""),
        client_key=values.get("tlsClientCertKey", ""),
        proxy=_proxy(url, values),
        source=source,
        warnings=_warnings(values, source),
    )
    if urls.is_ssh(url) and values.get("sshPrivateKey"):
        return replace(common, private_key=values["sshPrivateKey"])
    if urls.is_ssh(url):
        raise _unusable(url, source, "for an SSH address it needs sshPrivateKey")
    return _over_http(url, values, common)


def _over_http(url: str, values: Mapping[str, str], common: Credentials) -> Credentials:
    app = ("githubAppID", "githubAppPrivateKey")
    if password := values.get("password"):
        return replace(common, password=password)
    if token := values.get("bearerToken"):
        return replace(common, bearer_token=token)
    if all(map(values.get, app)):
        return replace(common, github_app=_app(values))
    if common.username or common.client_certificate:
        return common
    unsupported = [
        key for key in (_GCP, _AZURE, "azureServicePrincipalClientSecret") if values.get(key)
    ]
    why = (
        f"{unsupported[0]} is not supported"
        if unsupported
        else "nothing in it opens an HTTPS address"
    )
    raise _unusable(url, common.source, f"{why}; use a password, a token or a GitHub App")


def _app(values: Mapping[str, str]) -> GitHubAppKey:
    key = GitHubAppKey(
        app_id=values["githubAppID"],
        private_key=values["githubAppPrivateKey"],
        installation_id=values.get("githubAppInstallationID", ""),
    )
    base_url = values.get("githubAppEnterpriseBaseUrl", "").rstrip("/")
    return replace(key, base_url=base_url) if base_url else key


def _unusable(url: str, source: str, why: str) -> CredentialsUnusableError:
    return CredentialsUnusableError.of(urls.redact(url), f"{source}: {why}")


def _proxy(url: str, values: Mapping[str, str]) -> str:
    host = urls.host(url)
    words = re.split(r"[,\s]+", values.get("noProxy", "").lower())
    exempt = (word.removeprefix("*").removeprefix(".") for word in words if word)
    if any(not word or host == word or host.endswith(f".{word}") for word in exempt):
        return ""
    return values.get("proxy", "")


def _warnings(values: Mapping[str, str], source: str) -> tuple[str, ...]:
    return tuple(
        f"{source}: {key} is ignored; certificates and host keys are always checked"
        for key in ("insecure", "insecureIgnoreHostKey")
        if values.get(key) in _TRUE
    )
