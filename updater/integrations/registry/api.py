"""Requests about one registry: authenticated, redirected only where a blob may live, failures as our errors."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import httpx

from updater.integrations.registry import errors
from updater.integrations.registry.authentication import Authorities, Authority, Credentials
from updater.integrations.registry.limits import Limits
from updater.integrations.registry.pacing import Throttle, Unthrottled, retry_after_seconds
from updater.integrations.registry.rules import NetworkRules, authority
from updater.integrations.registry.wire import Answer, Ask, Wire

REDIRECTS = (301, 302, 303, 307, 308)


class Endpoint(Protocol):
    """Where a registry is; the configuration's own Endpoint fits."""

    @property
    def api_url(self) -> str:
        """The base URL, before `/v2/`."""

    @property
    def insecure(self) -> bool:
        """Whether TLS certificates go unchecked."""

    @property
    def ca_pem(self) -> str | None:
        """Another certificate authority, in PEM."""


@dataclass(frozen=True, slots=True)
class Access:
    """How this process talks to registries: the operator's rules, limits, pace, and what it remembers."""

    rules: NetworkRules = field(default_factory=NetworkRules)
    limits: Limits = field(default_factory=Limits)
    throttle: Throttle = field(default_factory=Unthrottled)
    authorities: Authorities = field(default_factory=Authorities)


class Api:
    """One registry with one set of credentials."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        api_url: str,
        credentials: Credentials | None,
        access: Access,
    ) -> None:
        self.base = _base(api_url)
        self.limits = access.limits
        self.wire = Wire(client, rules=access.rules, limits=access.limits, throttle=access.throttle)
        self._authority: Authority = access.authorities.of(api_url)
        self._credentials = credentials

    def url(self, repository: str, path: str, query: Mapping[str, str] | None = None) -> httpx.URL:
        """Return the address of something of an image repository."""
        prefix = self.base.path.rstrip("/")
        url = self.base.copy_with(path=f"{prefix}/v2/{repository}/{path}")
        return url.copy_merge_params(dict(query)) if query else url

    async def ask(self, ask: Ask, *, repository: str) -> Answer:
        """Return a successful answer.

        Raises:
            UpdaterError: one of the registry's errors for everything else.
        """
        scope = _scope(self.base, repository)
        answer = await self._authenticated(ask, scope)
        if answer.status in REDIRECTS and ask.kind == "blob":
            answer = await self._follow(ask, answer)
        if answer.status == 200:
            return answer
        wait = retry_after_seconds(answer.headers.get("retry-after"), now=time.time())
        raise errors.for_status(
            answer.status, what=ask.what, retry_after_seconds=wait, is_list=ask.kind == "tags"
        )

    async def _authenticated(self, ask: Ask, scope: str) -> Answer:
        header = await self._header(scope)
        answer = await self._send(ask, header)
        if header is None and answer.status in (403, 404) and self._credentials is not None:
            # Some registries hide what is private instead of asking who we are
            return await self._after_ping(ask, scope, answer)
        if answer.status != 401:
            return answer
        return await self._after_challenge(ask, scope, header, answer)

    async def _after_ping(self, ask: Ask, scope: str, hidden: Answer) -> Answer:
        ping = Ask("ping", self.base.copy_with(path="/v2/"), self.limits.token_bytes)
        pong = await self._send(ping, None)
        if pong.status != 401:
            return hidden
        return await self._after_challenge(ask, scope, None, pong)

    async def _after_challenge(
        self, ask: Ask, scope: str, header: str | None, refused: Answer
    ) -> Answer:
        self._authority.learn(refused, registry=self.base, rules=self.wire.rules)
        self._authority.forget_token(scope=scope, credentials=self._credentials)
        fresh = await self._header(scope)
        answer = refused if fresh == header else await self._send(ask, fresh)
        if answer.status == 401 and fresh is not None and fresh.startswith("Basic "):
            self._authority.remember_refusal(self._credentials)
        if answer.status == 401:
            self._authority.forget_token(scope=scope, credentials=self._credentials)
        return answer

    async def _header(self, scope: str) -> str | None:
        return await self._authority.header(
            self.wire, registry=self.base, scope=scope, credentials=self._credentials
        )

    async def _send(self, ask: Ask, header: str | None) -> Answer:
        return await self.wire.send(replace(ask, authorization=header))

    async def _follow(self, ask: Ask, answer: Answer) -> Answer:
        for _ in range(self.limits.redirects):
            if answer.status not in REDIRECTS:
                break
            # Never our Authorization: the target is another service, and carries its own leave in the URL
            ask = replace(ask, url=self._target(ask, answer), authorization=None)
            answer = await self.wire.send(ask)
        return answer

    def _target(self, ask: Ask, answer: Answer) -> httpx.URL:
        try:
            target = ask.url.join(answer.headers.get("location", ""))
        except httpx.InvalidURL as error:
            raise errors.UnexpectedAnswerError(f"{ask.what}: redirected to no address.") from error
        if target.userinfo or not self.wire.rules.allows_blob_host(
            registry=self.base, target=target
        ):
            raise errors.UnexpectedAnswerError(
                f"{ask.what}: redirected to {authority(target)}. If blobs live there,"
                " list the host in REGISTRY_BLOB_HOSTS."
            )
        return target


def _base(api_url: str) -> httpx.URL:
    try:
        return httpx.URL(api_url)
    except httpx.InvalidURL as error:
        raise errors.InsecureRegistryError(f"{api_url[:200]!r} is not an address.") from error


def _scope(base: httpx.URL, repository: str) -> str:
    # Azure lets a token list tags only with its own two actions
    actions = "pull,metadata_read,content_read" if base.host.endswith(".azurecr.io") else "pull"
    return f"repository:{repository}:{actions}"
