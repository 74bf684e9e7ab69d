"""Makes found credentials ready for use: adds what proves the host, and a token where they name a GitHub App."""

import hashlib
import ssl
import threading
import time
from dataclasses import replace
from typing import Final

import httpx

from updater.integrations.git import github_app, urls
from updater.integrations.git.errors import CredentialsUnusableError
from updater.integrations.git.github_app import Token
from updater.integrations.git.remotes import Credentials, GitHubAppKey

RENEW_SECONDS: Final = 300  # a token that ends sooner is not used any more


def complete(
    found: Credentials | None,
    *,
    url: str,
    known_hosts: str = "",
    ca_pem: str = "",
    allow_http: bool = False,
) -> Credentials:
    """Return credentials ready for use; only a GitHub App needs a question to the network, once in an hour."""
    known = replace(found or Credentials(), known_hosts=known_hosts, ca_pem=ca_pem)
    if known.github_app is None:
        return known
    if not allow_http and not known.github_app.base_url.startswith("https://"):
        why = "the base URL of a GitHub App must begin with https://"
        raise CredentialsUnusableError.of(urls.redact(url), why)
    token = _TOKENS.token(known.github_app, url=url, ca_pem=ca_pem)
    return replace(known, github_app=None, username="", password=token.text)


class _Tokens:
    """Tokens remembered until shortly before they end, one per App, installation and owner."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._lock = threading.Lock()

    def token(self, app: GitHubAppKey, *, url: str, ca_pem: str) -> Token:
        owner = github_app.owner(url)
        parts = (app.app_id, app.private_key, app.installation_id, app.base_url, owner)
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        with self._lock:
            held = self._tokens.get(key)
            if held is None or held.expires_at - RENEW_SECONDS < time.time():
                with _client(url, ca_pem) as client:
                    held = self._tokens[key] = github_app.exchange(app, url=url, client=client)
            return held


_TOKENS: Final = _Tokens()


def _client(url: str, ca_pem: str) -> httpx.Client:
    try:
        trusted = ssl.create_default_context(cadata=ca_pem or None)
    except (ssl.SSLError, ValueError) as unusable:
        why = "the certificate in argocd-tls-certs-cm is not PEM"
        raise CredentialsUnusableError.of(urls.redact(url), why) from unusable
    return httpx.Client(
        follow_redirects=False,
        trust_env=False,
        verify=trusted,
        timeout=httpx.Timeout(10, connect=5),
        headers={"Accept": "application/vnd.github+json", "Accept-Encoding": "identity"},
    )
