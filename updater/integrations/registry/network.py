"""The HTTP client for registries: it dials the address that was checked, and nothing it was not told to.

No proxies, no cookies, no redirects, no decompression: each is a way out for credentials or a way in for harm.
"""

import asyncio
import importlib.util
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from updater.integrations.registry.rules import NetworkRules
from updater.integrations.registry.sockets import dial

MAX_ADDRESSES = 4  # of one host, tried in turn

# httpcore looks for sniffio at each lock; where it is not installed, each look walks the whole import path
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]  # None refuses the import at once


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Resolves once, checks every address, and dials the checked one: no second look-up to lie in."""

    def __init__(self, rules: NetworkRules) -> None:
        self._rules = rules

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  httpcore's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        addresses = await _addresses(host, port, timeout)
        for address in addresses:
            self._rules.check_address(host, port, address)
        for address in addresses[:-1]:
            try:
                return await dial(address, port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await dial(addresses[-1], port, timeout)


async def _addresses(host: str, port: int, seconds: float | None) -> list[str]:
    try:
        async with asyncio.timeout(seconds):
            found = await _look_up(host, port)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} has no address") from error
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    return sorted(addresses, key=lambda address: ":" in address)[:MAX_ADDRESSES]  # IPv4 first


async def _look_up(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class _CheckedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over a pool whose network is ours; httpx has no public way to set it."""

    def __init__(self, rules: NetworkRules, context: ssl.SSLContext, connections: int) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30,
            network_backend=_CheckedBackend(rules),
        )


@asynccontextmanager
async def http_client(
    *,
    rules: NetworkRules,
    insecure: bool = False,
    ca_pem: str | None = None,
    connections: int = 20,
) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client without proxies, cookies, redirects or decompression, that dials checked addresses only."""
    transport = _CheckedTransport(rules, _tls(insecure=insecure, ca_pem=ca_pem), connections)
    jar = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    async with httpx.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        cookies=jar,
        timeout=httpx.Timeout(10, connect=5),
        headers={"Accept-Encoding": "identity", "User-Agent": "countersign"},
    ) as client:
        yield client


@lru_cache(maxsize=64)  # reading the CA bundle takes 20 ms
def _tls(*, insecure: bool, ca_pem: str | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context(verify=not insecure, trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_pem and not insecure:
        context.load_verify_locations(cadata=ca_pem)
    return context
