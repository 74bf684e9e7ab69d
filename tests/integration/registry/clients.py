"""The product's client against a server of the test, over real sockets."""

import asyncio
from dataclasses import dataclass

from updater.integrations.registry import Access, Limits, NetworkRules, connect


@dataclass(frozen=True)
class Endpoint:
    api_url: str
    insecure: bool = False
    ca_pem: str | None = None


def run(url, act, *, credentials=None, access=None, listed=(), deadline=20):
    """Run `act(client)` with a client of its own and return its result."""
    hosts = frozenset({url.removeprefix("http://").removeprefix("https://"), *listed})
    access = access or Access(
        rules=NetworkRules(allow_insecure_hosts=hosts), limits=Limits(deadline_seconds=deadline)
    )

    async def _run():
        async with connect(Endpoint(url), access=access) as connection:
            return await act(connection.client(credentials))

    return asyncio.run(_run())


def tags(client):
    return client.list_tags("acme/app")
