"""Anonymous, Basic and Bearer: what a registry's challenge asks for, and tokens kept for their lifetime.

An `Authority` is what one process knows about one registry: its challenge (so no ping is ever needed), its tokens
by scope and credentials, and the credentials it refused a moment ago, so that a wrong password is not tried
five hundred times.
"""

import base64
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from updater.integrations.registry import errors, header_values
from updater.integrations.registry.decoding import decode_object
from updater.integrations.registry.pacing import retry_after_seconds
from updater.integrations.registry.rules import NetworkRules, authority
from updater.integrations.registry.wire import Answer, Ask, Wire

DEFAULT_TOKEN_SECONDS = 60.0  # by the token specification, when the answer says nothing
MAX_TOKEN_SECONDS = 12 * 3600.0
TOKEN_MARGIN = 0.9  # of its lifetime: no request dies of a token that expires on the way
REFUSED_SECONDS = 60.0
MAX_TOKENS = 20_000
_TOKEN = re.compile(r"[!-~]{1,32768}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and password; never printed."""

    username: str
    password: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """A name for these credentials that does not give them away."""
        return hashlib.sha256(f"{self.username}\0{self.password}".encode()).hexdigest()

    @property
    def basic(self) -> str:
        """The `Authorization` header of RFC 7617."""
        pair = f"{self.username}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")


@dataclass(frozen=True, slots=True)
class _Token:
    header: str
    expires_at: float


class Authority:
    """What is known of one registry's authentication; shared by all its clients in a process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._challenge: header_values.Challenge | None = None
        self._tokens: dict[tuple[str, str], _Token] = {}
        self._refused: dict[str, float] = {}

    def learn(self, answer: Answer, *, registry: httpx.URL, rules: NetworkRules) -> None:
        """Take the challenge of a 401.

        Raises:
            AuthenticationFailedError: it cannot be answered safely.
        """
        challenge = _choose(answer, registry)
        if self._challenge is not None and self._challenge.scheme == "bearer" != challenge.scheme:
            # A stranger in the line would ask for the password itself
            raise errors.AuthenticationFailedError(
                f"{authority(registry)} asked for tokens before and asks for a password now."
            )
        if challenge.scheme == "bearer":
            _check_realm(challenge, registry=registry, rules=rules)
        self._challenge = challenge

    async def header(
        self, wire: Wire, *, registry: httpx.URL, scope: str, credentials: Credentials | None
    ) -> str | None:
        """Return the `Authorization` header for a request, or None while no challenge is known.

        Raises:
            AuthenticationFailedError: these credentials, or none, cannot do.
        """
        if self._challenge is None:
            return None
        self._refuse_again(credentials, registry)
        if self._challenge.scheme == "basic":
            return _basic(credentials, registry)
        return await self._bearer(wire, registry, scope, credentials)

    def forget_token(self, *, scope: str, credentials: Credentials | None) -> bool:
        """Drop a token that was refused; return whether there was one."""
        return self._tokens.pop(_key(scope, credentials), None) is not None

    def remember_refusal(self, credentials: Credentials | None) -> None:
        """Do not offer these credentials again for a minute."""
        if credentials is not None:
            self._refused[credentials.fingerprint] = self._clock() + REFUSED_SECONDS

    def _refuse_again(self, credentials: Credentials | None, registry: httpx.URL) -> None:
        until = self._refused.get(credentials.fingerprint, 0.0) if credentials else 0.0
        if until > self._clock():
            raise errors.AuthenticationFailedError(
                f"{authority(registry)} refused these credentials a moment ago. Check the pull secret."
            )

    async def _bearer(
        self, wire: Wire, registry: httpx.URL, scope: str, credentials: Credentials | None
    ) -> str:
        known = self._tokens.get(_key(scope, credentials))
        if known is not None and known.expires_at > self._clock():
            return known.header
        asked_at = self._clock()
        answer = await self._ask_token(wire, scope, credentials)
        token = _read_token(answer, what=f"The token service of {authority(registry)}")
        self._keep(_key(scope, credentials), token.header, asked_at + token.expires_at)
        return token.header

    async def _ask_token(self, wire: Wire, scope: str, credentials: Credentials | None) -> Answer:
        parameters = self._challenge.parameters if self._challenge else {}
        realm = httpx.URL(parameters["realm"])
        query = {"service": parameters["service"]} if "service" in parameters else {}
        ask = Ask(
            kind="token",
            url=realm.copy_merge_params({**query, "scope": scope}),
            max_bytes=wire.limits.token_bytes,
            authorization=credentials.basic if credentials else None,
        )
        try:
            answer = await wire.send(ask)
        except errors.TooLargeError as error:  # of the token, not of what it was wanted for
            raise errors.UnexpectedAnswerError(str(error)) from error
        if answer.status == 200:
            return answer
        if answer.status in (401, 403):
            self.remember_refusal(credentials)
        wait = retry_after_seconds(answer.headers.get("retry-after"), now=time.time())
        raise errors.for_status(
            answer.status, what=ask.what, retry_after_seconds=wait, is_list=False
        )

    def _keep(self, key: tuple[str, str], header: str, expires_at: float) -> None:
        if len(self._tokens) >= MAX_TOKENS:
            now = self._clock()
            alive = {name: token for name, token in self._tokens.items() if token.expires_at > now}
            self._tokens = alive if len(alive) < MAX_TOKENS else {}
        self._tokens[key] = _Token(header, expires_at)


class Authorities:
    """The authorities of one process, by registry."""

    def __init__(self) -> None:
        self._by_address: dict[str, Authority] = {}

    def of(self, api_url: str) -> Authority:
        """Return the one authority of a registry."""
        return self._by_address.setdefault(api_url, Authority())


def _choose(answer: Answer, registry: httpx.URL) -> header_values.Challenge:
    name = authority(registry)
    try:
        offered = header_values.parse_challenges(answer.headers.get_list("www-authenticate"))
    except errors.BadAnswerError as error:
        raise errors.AuthenticationFailedError(f"{name}: {error}") from error
    for scheme in ("bearer", "basic"):
        chosen = [challenge for challenge in offered if challenge.scheme == scheme]
        if len(chosen) == 1:
            return chosen[0]
        if chosen:
            raise errors.AuthenticationFailedError(f"{name} sent two {scheme} challenges.")
    raise errors.AuthenticationFailedError(f"{name} refuses us without saying what it wants (401).")


def _check_realm(
    challenge: header_values.Challenge, *, registry: httpx.URL, rules: NetworkRules
) -> None:
    text = challenge.parameters.get("realm", "")
    try:
        realm = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise errors.RealmNotAllowedError(
            f"{authority(registry)} names no token service that can be asked."
        ) from error
    if realm.userinfo or not rules.allows_token_host(registry=registry, realm=realm):
        raise errors.RealmNotAllowedError(
            f"{authority(registry)} wants tokens from {text[:200]!r}. If that is right,"
            " list the host in REGISTRY_TOKEN_HOSTS."
        )


def _basic(credentials: Credentials | None, registry: httpx.URL) -> str:
    if credentials is None:
        raise errors.AuthenticationFailedError(
            f"{authority(registry)} wants a user name and password. Set a pull secret."
        )
    return credentials.basic


def _read_token(answer: Answer, *, what: str) -> _Token:
    document: dict[str, Any] = decode_object(answer.body, what=what)
    token = document.get("token") or document.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise errors.BadAnswerError(f"{what} sent no token.")
    lifetime = document.get("expires_in")
    if not isinstance(lifetime, int) or lifetime <= 0:
        lifetime = DEFAULT_TOKEN_SECONDS
    seconds = min(lifetime, MAX_TOKEN_SECONDS)
    return _Token(f"Bearer {token}", seconds * TOKEN_MARGIN)


def _key(scope: str, credentials: Credentials | None) -> tuple[str, str]:
    return scope, credentials.fingerprint if credentials else ""
