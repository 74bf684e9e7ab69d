"""One request and its whole answer, within limits of bytes and time; every failure becomes one of our errors."""

import asyncio
import time
from dataclasses import dataclass

import httpx

from updater.integrations.registry.errors import (
    RegistryTimeoutError,
    RegistryUnavailableError,
    TooLargeError,
    UnexpectedAnswerError,
)
from updater.integrations.registry.limits import Limits
from updater.integrations.registry.pacing import Throttle, parse_budget
from updater.integrations.registry.rules import NetworkRules, authority

MAX_ERROR_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `kind` is what it is counted and paced as."""

    kind: str  # "tags", "manifest", "blob", "head", "token"
    url: httpx.URL
    max_bytes: int
    method: str = "GET"
    accept: str = "application/json"
    authorization: str | None = None

    @property
    def what(self) -> str:
        """The request in words, for error messages: host and path, never the query."""
        return f"{authority(self.url)}{self.url.path}"

    @property
    def headers(self) -> dict[str, str]:
        """What is sent along."""
        given = {"Authorization": self.authorization} if self.authorization else {}
        return {"Accept": self.accept, **given}


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and the raw body."""

    status: int
    headers: httpx.Headers
    body: bytes


class Wire:
    """Sends requests under the operator's rules, the limits and the caller's pace."""

    def __init__(
        self, client: httpx.AsyncClient, *, rules: NetworkRules, limits: Limits, throttle: Throttle
    ) -> None:
        self.rules = rules
        self.limits = limits
        self._client = client
        self._throttle = throttle
        self.requests: dict[str, int] = {}

    async def send(self, ask: Ask) -> Answer:
        """Return the answer, whatever its status.

        Raises:
            RegistryUnavailableError: no connection, no whole answer, or none in time.
            BadAnswerError: too large, compressed, or no HTTP.
            InsecureRegistryError, AddressRefusedError: the rules forbid to ask at all.
        """
        self.rules.check_scheme(ask.url)
        await self._throttle.acquire(ask.kind)
        self.requests[ask.kind] = self.requests.get(ask.kind, 0) + 1
        answer = await self._translated(ask)
        if budget := parse_budget(answer.headers, now=time.time()):
            self._throttle.observe(ask.kind, budget)
        return answer

    async def _translated(self, ask: Ask) -> Answer:
        deadline = self.limits.deadline_seconds
        try:
            async with asyncio.timeout(deadline):
                return await self._exchange(ask)
        except (TimeoutError, httpx.TimeoutException) as error:
            message = f"{ask.what}: no whole answer within {deadline:g} seconds."
            raise RegistryTimeoutError(message) from error
        except httpx.InvalidURL as error:
            raise UnexpectedAnswerError(f"{ask.what}: not an address.") from error
        except (httpx.HTTPError, OSError) as error:
            raise RegistryUnavailableError(f"{ask.what}: {_in_words(error)}.") from error

    async def _exchange(self, ask: Ask) -> Answer:
        try:
            response = await self._open(ask)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # A kept connection may die the moment it is used again; RFC 9110 9.2.2 allows one more try
            response = await self._open(ask)
        try:
            self._check_headers(response.headers, ask)
            return Answer(response.status_code, response.headers, await self._read(response, ask))
        finally:
            await response.aclose()

    async def _open(self, ask: Ask) -> httpx.Response:
        request = self._client.build_request(ask.method, ask.url, headers=ask.headers)
        return await self._client.send(request, auth=None, stream=True, follow_redirects=False)

    def _check_headers(self, headers: httpx.Headers, ask: Ask) -> None:
        if sum(len(name) + len(value) for name, value in headers.raw) > self.limits.header_bytes:
            raise UnexpectedAnswerError(
                f"{ask.what}: more than {self.limits.header_bytes} bytes of headers."
            )
        # Asked for identity; 194 kB of gzip can hold 200 MB of answer
        if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
            raise UnexpectedAnswerError(f"{ask.what}: compressed, although that was not asked for.")

    async def _read(self, response: httpx.Response, ask: Ask) -> bytes:
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if response.is_error and len(body) > MAX_ERROR_BYTES:
                break  # nobody reads the pages of a broken proxy
            if len(body) > ask.max_bytes:
                raise TooLargeError(f"{ask.what}: more than {ask.max_bytes} bytes.")
        return bytes(body)


def _in_words(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"no connection ({str(error)[:120] or type(error).__name__})"
    return f"the connection broke ({type(error).__name__})"
