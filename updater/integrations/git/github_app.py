"""Exchanges a GitHub App's private key for an installation token (argo-cd.md 6.7).

The key signs a short-lived JSON Web Token; with it we look up the installation, if the Secret names none, and ask
for a token that git then uses as a password.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import httpx

from updater.integrations.git import json_web_token, process, urls
from updater.integrations.git.errors import (
    AuthenticationRefusedError,
    CredentialsUnusableError,
    GitError,
    GitProgramMissingError,
    RepositoryMovedError,
    RepositoryUnreachableError,
)
from updater.integrations.git.remotes import GitHubAppKey

MAX_BODY_BYTES: Final = process.MIB
MAX_PAGES: Final = 50
CLOCK_SKEW_SECONDS: Final = 60
JWT_SECONDS: Final = 540  # GitHub allows 600 from its own clock


@dataclass(frozen=True, slots=True)
class Token:
    """An installation token and the time it ends, in seconds since the epoch."""

    text: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes


def owner(url: str) -> str:
    """Return the first path segment of a repository's address: the account an App is installed for."""
    return urls.parse(url, allow_http=True).path.strip("/").partition("/")[0].lower()


def exchange(app: GitHubAppKey, *, url: str, client: httpx.Client) -> Token:
    """Return a new installation token good for the repository at `url`.

    Raises:
        AuthenticationRefusedError, CredentialsUnusableError, GitProgramMissingError: a person must act.
        RepositoryUnreachableError: GitHub does not answer sensibly; `retry_after_seconds` when it says so.
    """
    return _Exchange(app, url, client).token()


class _Exchange:
    def __init__(self, app: GitHubAppKey, url: str, client: httpx.Client) -> None:
        self._app = app
        self._name = urls.redact(url)
        self._owner = owner(url)
        self._client = client

    def token(self) -> Token:
        jwt = self._jwt()
        installation = self._app.installation_id or self._find_installation(jwt)
        path = f"/app/installations/{installation}/access_tokens"
        answer = self._parsed(self._ask("POST", self._app.base_url + path, jwt))
        found = answer if isinstance(answer, dict) else {}
        try:
            ends = datetime.fromisoformat(str(found.get("expires_at"))).timestamp()
        except ValueError as strange:
            raise self._unreachable("the answer of GitHub's API holds no token") from strange
        return Token(str(found.get("token", "")), ends)

    def _jwt(self) -> str:
        now = int(time.time())
        claims: dict[str, str | int] = {
            "iat": now - CLOCK_SKEW_SECONDS,
            "exp": now + JWT_SECONDS,
            "iss": self._app.app_id,
        }
        try:
            return json_web_token.sign(claims, self._app.private_key)
        except json_web_token.KeyUnusableError as unusable:
            why = f"the GitHub App's key: {unusable}"
            raise CredentialsUnusableError.of(self._name, why) from unusable
        except process.ProgramMissingError as missing:
            raise GitProgramMissingError.of(self._name, str(missing)) from missing
        except process.ProgramTimeoutError as late:
            raise self._unreachable("openssl did not end") from late

    def _find_installation(self, jwt: str) -> str:
        for page in self._pages(f"{self._app.base_url}/app/installations?per_page=100", jwt):
            for item in page if isinstance(page, list) else []:
                account = item.get("account") if isinstance(item, dict) else None
                login = account.get("login") if isinstance(account, dict) else None
                if str(login).lower() == self._owner and isinstance(item.get("id"), int):
                    return str(item["id"])
        why = f"GitHub App {self._app.app_id} is not installed for {self._owner}"
        raise AuthenticationRefusedError.of(self._name, why)

    def _pages(self, first: str, jwt: str) -> Iterator[object]:
        url = first
        for _ in range(MAX_PAGES):
            answer = self._ask("GET", url, jwt)
            yield self._parsed(answer)
            url = httpx.Response(200, headers=answer.headers).links.get("next", {}).get("url", "")
            if not url:
                return
            if urlsplit(url)[:2] != urlsplit(first)[:2]:
                raise RepositoryMovedError.of(self._name, "GitHub's next page is on another host")

    def _ask(self, method: str, url: str, jwt: str) -> _Answer:
        try:
            with self._client.stream(
                method, url, headers={"Authorization": f"Bearer {jwt}"}
            ) as response:
                body = b""
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > MAX_BODY_BYTES:
                        raise self._unreachable("the answer is too long")
                answer = _Answer(response.status_code, response.headers, body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(type(error).__name__) from error
        return self._judged(answer)

    def _judged(self, answer: _Answer) -> _Answer:
        status = answer.status
        if status in (200, 201):
            return answer
        if status == 429 or (status == 403 and _is_rate_limit(answer.headers)):
            error = self._unreachable("GitHub asks us to wait")
            error.retry_after_seconds = _retry_after(answer.headers)
            raise error
        raise self._refusal(status)

    def _refusal(self, status: int) -> GitError:
        if 300 <= status < 400:
            return RepositoryMovedError.of(self._name, "GitHub's API redirects")
        words = {
            401: "GitHub does not accept the App's id and key together",
            403: "the GitHub App may not do this",
            404: f"installation {self._app.installation_id} of the GitHub App is gone",
        }
        if status in words:
            return AuthenticationRefusedError.of(self._name, words[status])
        return self._unreachable(f"GitHub's API answers {status}")

    def _parsed(self, answer: _Answer) -> object:
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as strange:
            raise self._unreachable("GitHub's API does not answer in JSON") from strange

    def _unreachable(self, why: str) -> RepositoryUnreachableError:
        return RepositoryUnreachableError.of(self._name, why)


def _is_rate_limit(headers: Mapping[str, str]) -> bool:
    return headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
