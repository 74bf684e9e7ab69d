"""One request to a host's API and its whole answer, within limits; every failure becomes one of our errors.

No redirects, no cookies, no proxies of the environment: each is a way out for the token.
"""

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, TypeVar
from urllib.parse import urlsplit

import httpx

from updater.integrations.git import urls
from updater.integrations.git.errors import CredentialsUnusableError
from updater.integrations.git.process import MIB
from updater.integrations.git.pull_requests import answers, errors
from updater.integrations.git.remotes import Remote
from updater.integrations.git.transport import Passage

MAX_BODY_BYTES: Final = 8 * MIB
MAX_PAGES: Final = 10
TOTAL_SECONDS: Final = 30.0
MAX_WAIT_SECONDS: Final = 3600
_Error = TypeVar("_Error", bound=errors.PullRequestError)
_TIMEOUT: Final = httpx.Timeout(10, connect=5)
_MEANINGS: Final[Mapping[int, type[errors.PullRequestError]]] = {
    401: errors.TokenRefusedError,
    403: errors.RightsMissingError,
    404: errors.NotFoundError,
    408: errors.HostUnavailableError,
    410: errors.NotFoundError,
    423: errors.RightsMissingError,  # archived
}


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a host's API is, and with what it is entered."""

    base: str
    authorization: str = field(repr=False)
    accept: str
    remote: Remote

    @property
    def name(self) -> str:
        """The repository as it may be shown."""
        return urls.redact(self.remote.url)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes


class Wire:
    """Sends requests to one API; a connection lasts for one request."""

    def __init__(self, entry: Entry, passage: Passage = nullcontext) -> None:
        self._entry = entry
        self._passage = passage

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: Mapping[str, object] | None = None,
        meaning: Mapping[int, type[errors.PullRequestError]] | None = None,
    ) -> object:
        """Return the document that answers; `meaning` says what other statuses stand for here."""
        url = str(httpx.URL(self._entry.base + path, params=dict(query) if query else None))
        with self._passage():
            answer = self._judged(self._send(method, url, content), meaning or {})
        return self._document(answer)

    def pages(self, path: str, query: Mapping[str, str]) -> Iterator[list[object]]:
        """Yield the pages of a list, as the host links them."""
        url = first = str(httpx.URL(self._entry.base + path, params=dict(query)))
        for _ in range(MAX_PAGES):
            with self._passage():
                answer = self._judged(self._send("GET", url, None), {})
            yield answers.items(self._document(answer))
            url = httpx.Response(200, headers=answer.headers).links.get("next", {}).get("url", "")
            if not url:
                return
            if urlsplit(url)[:2] != urlsplit(first)[:2]:
                raise self._error(errors.HostMovedError, "its next page is on another host")

    def _send(self, method: str, url: str, content: Mapping[str, object] | None) -> _Answer:
        body = None if content is None else json.dumps(content).encode()
        try:
            with self._client() as client, client.stream(method, url, content=body) as response:
                return _Answer(response.status_code, response.headers, self._read(response))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._error(errors.HostUnavailableError, type(error).__name__) from error

    def _read(self, response: httpx.Response) -> bytes:
        body, ends_at = b"", time.monotonic() + TOTAL_SECONDS
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise self._error(errors.HostUnavailableError, "its answer is too long")
            if time.monotonic() > ends_at:
                raise self._error(errors.HostUnavailableError, "its answer takes too long")
        return body

    def _client(self) -> httpx.Client:
        try:
            proxy = httpx.Proxy(url) if (url := self._entry.remote.credentials.proxy) else None
            return self._open(proxy)
        except (ValueError, ImportError, httpx.InvalidURL) as unusable:
            why = "the proxy in its Secret is none that its API can be reached by"
            raise CredentialsUnusableError.of(self._entry.name, why) from unusable

    def _open(self, proxy: httpx.Proxy | None) -> httpx.Client:
        return httpx.Client(
            follow_redirects=False,
            trust_env=False,
            verify=self._trusted(),
            timeout=_TIMEOUT,
            proxy=proxy,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={
                "Authorization": self._entry.authorization,
                "Accept": self._entry.accept,
                "Accept-Encoding": "identity",
                "Content-Type": "application/json",
                "User-Agent": "countersign",
            },
        )

    def _trusted(self) -> ssl.SSLContext:
        if self._entry.base.startswith("http://"):
            return ssl.SSLContext(
                ssl.PROTOCOL_TLS_CLIENT
            )  # not used; loading authorities takes 0.1 s
        try:
            return _authorities(self._entry.remote.credentials.ca_pem)
        except (ssl.SSLError, ValueError) as unusable:
            why = "the certificate in argocd-tls-certs-cm is not PEM"
            raise CredentialsUnusableError.of(self._entry.name, why) from unusable

    def _judged(
        self, answer: _Answer, meaning: Mapping[int, type[errors.PullRequestError]]
    ) -> _Answer:
        if 200 <= answer.status < 300:
            return answer
        words = self._entry.remote.credentials.conceal(answers.words(answer.body))
        if _is_rate_limit(answer, words):
            limited = self._error(errors.RateLimitedError, words)
            limited.retry_after_seconds = _wait_seconds(answer.headers)
            raise limited
        kind = {**_MEANINGS, **meaning}.get(answer.status) or _general(answer.status)
        raise self._error(kind, words or f"it answers {answer.status}")

    def _document(self, answer: _Answer) -> object:
        try:
            return answers.parse(answer.body)
        except answers.NotJsonError as strange:
            why = "it does not answer in JSON; is the repository's address right?"
            raise self._error(errors.HostUnavailableError, why) from strange

    def _error(self, kind: type[_Error], why: str) -> _Error:
        return kind.of(self._entry.name, why)


@lru_cache(maxsize=16)
def _authorities(ca_pem: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca_pem or None)


def _is_rate_limit(answer: _Answer, words: str) -> bool:
    if answer.status == 429:
        return True
    # GitHub's secondary limit is told by its words alone: no header says so for sure.
    headers = answer.headers
    told = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    return answer.status == 403 and (told or "rate limit" in words.lower())


def _wait_seconds(headers: Mapping[str, str]) -> float:
    if (seconds := _whole(headers.get("retry-after", ""))) is not None:
        return min(seconds, MAX_WAIT_SECONDS)
    for key in ("x-ratelimit-reset", "ratelimit-reset"):
        if (at := _whole(headers.get(key, ""))) is not None:
            return min(max(at - time.time(), 1), MAX_WAIT_SECONDS)
    return 60  # GitHub: without a word, at least a minute


def _whole(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _general(status: int) -> type[errors.PullRequestError]:
    if 300 <= status < 400:
        return errors.HostMovedError
    return errors.ProposalRefusedError if 400 <= status < 500 else errors.HostUnavailableError
