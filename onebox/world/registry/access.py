"""Who may read: anybody, people with a password, or bearers of tokens from the registry's own token service."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Account:
    """A user name and its password."""

    name: str
    password: str = field(repr=False)


class Access(Protocol):
    """Decides on one request."""

    def challenge(self, authorization: str, repository: str, own_url: str) -> str | None:
        """Return None to let the request pass, or the `WWW-Authenticate` of the 401."""


class Anonymous:
    """Everybody may read."""

    def challenge(
        self,
        authorization: str,  # noqa: ARG002  the protocol's signature
        repository: str,  # noqa: ARG002
        own_url: str,  # noqa: ARG002
    ) -> str | None:
        """Let everything pass."""
        return None


class Basic:
    """A user name and password with every request."""

    def __init__(self, *accounts: Account) -> None:
        self._headers = {_basic(account) for account in accounts}

    def challenge(
        self,
        authorization: str,
        repository: str,  # noqa: ARG002  the protocol's signature
        own_url: str,  # noqa: ARG002
    ) -> str | None:
        """Let the known accounts pass."""
        return None if authorization in self._headers else 'Basic realm="registry"'


class Bearer:
    """Tokens by scope with a lifetime; `is_public` gives them to anybody."""

    def __init__(
        self,
        *accounts: Account,
        clock: Callable[[], float],
        lifetime_seconds: int = 300,
        is_public: bool = False,
    ) -> None:
        self._headers = {_basic(account) for account in accounts}
        self._clock = clock
        self._lifetime = lifetime_seconds
        self._is_public = is_public
        self._tokens: dict[str, tuple[frozenset[str], float]] = {}

    def challenge(self, authorization: str, repository: str, own_url: str) -> str | None:
        """Let tokens for this repository pass while they live."""
        scope = f"repository:{repository}:pull"
        scopes, until = self._tokens.get(authorization.removeprefix("Bearer "), (frozenset(), 0.0))
        if until > self._clock() and (not repository or scope in scopes):
            return None
        wanted = f',scope="{scope}"' if repository else ""
        return f'Bearer realm="{own_url}/_token",service="world"{wanted}'

    def issue(self, authorization: str, scopes: list[str]) -> dict[str, object] | None:
        """Return the token service's answer, or None to refuse."""
        if authorization not in self._headers and (authorization or not self._is_public):
            return None
        token = secrets.token_urlsafe(24)
        self._tokens[token] = (frozenset(scopes), self._clock() + self._lifetime)
        return {"token": token, "access_token": token, "expires_in": self._lifetime}

    def revoke_all(self) -> None:
        """Make all tokens invalid at once."""
        self._tokens.clear()


def _basic(account: Account) -> str:
    pair = f"{account.name}:{account.password}".encode()
    return "Basic " + base64.b64encode(pair).decode("ascii")
