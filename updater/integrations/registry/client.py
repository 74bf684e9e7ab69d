"""A thin client of the OCI distribution API: tags, digests, manifests (distribution specification 1.1).

It neither sleeps nor retries, except for one fresh token after a 401: when to come back is the caller's decision.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Mapping
from contextlib import asynccontextmanager

import httpx

from updater.integrations.registry import errors, listing, manifest_reading, names
from updater.integrations.registry.api import Access, Api, Endpoint
from updater.integrations.registry.authentication import Credentials
from updater.integrations.registry.manifests import Manifest
from updater.integrations.registry.network import http_client
from updater.integrations.registry.tag_pages import TagList

PAGE_SIZE = 1000  # what the reference implementation allows at most


def every_platform(platform: str) -> bool:  # noqa: ARG001  a predicate's signature
    """Want all platforms of an index."""
    return True


class RegistryClient:
    """One registry with one set of credentials; many repositories, many requests at a time."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        endpoint: Endpoint,
        credentials: Credentials | None = None,
        *,
        access: Access | None = None,
    ) -> None:
        self._api = Api(
            client, api_url=endpoint.api_url, credentials=credentials, access=access or Access()
        )

    @property
    def requests(self) -> Mapping[str, int]:
        """How many requests were sent, by kind: tags, manifest, blob, head, token, ping."""
        return self._api.wire.requests

    async def list_tags(self, repository: str, *, page_size: int | None = PAGE_SIZE) -> TagList:
        """Return the tags of a repository; None as page size keeps the registry's own order and pages."""
        return await listing.list_tags(self._api, names.repository_path(repository), page_size)

    async def head_digest(self, repository: str, tag: str) -> str:
        """Return the digest behind a tag: by HEAD, or by GET where the registry does not name it."""
        path = names.repository_path(repository)
        try:
            answer = await manifest_reading.ask_manifest(self._api, path, tag, "HEAD")
            named = manifest_reading.named_digest(answer)
        except errors.UnexpectedAnswerError:  # 405: a registry without HEAD
            named = None
        if named is not None:
            return named
        return names.digest_of((await manifest_reading.ask_manifest(self._api, path, tag)).body)

    async def get_manifest(
        self, repository: str, reference: str, *, wanted: Callable[[str], bool] = every_platform
    ) -> Manifest:
        """Return what stands behind a tag or digest; of an index, the wanted platforms are read.

        Raises:
            DigestMismatchError: bytes and name differ.
            BadAnswerError: not an image we read; `digest` is set if that may be remembered.
        """
        _, manifest = await self.find_manifest(repository, reference, wanted=wanted)
        assert manifest is not None  # noqa: S101  nothing was named as known
        return manifest

    async def find_manifest(
        self,
        repository: str,
        reference: str,
        *,
        wanted: Callable[[str], bool] = every_platform,
        known: Container[str] = (),
    ) -> tuple[str, Manifest | None]:
        """Return the digest behind a tag, and its manifest unless that digest is known already."""
        path = names.repository_path(repository)
        return await manifest_reading.read_manifest(
            self._api, path, reference, wanted=wanted, known=known
        )


class Connection:
    """Open connections to one registry, for clients with any credentials."""

    def __init__(self, http: httpx.AsyncClient, endpoint: Endpoint, access: Access) -> None:
        self._http = http
        self._endpoint = endpoint
        self._access = access

    def client(self, credentials: Credentials | None = None) -> RegistryClient:
        """Return a client that counts its own requests."""
        return RegistryClient(self._http, self._endpoint, credentials, access=self._access)


@asynccontextmanager
async def connect(
    endpoint: Endpoint, *, access: Access | None = None, connections: int = 20
) -> AsyncIterator[Connection]:
    """Open connections to one registry."""
    access = access or Access()
    async with http_client(
        rules=access.rules,
        insecure=endpoint.insecure,
        ca_pem=endpoint.ca_pem,
        connections=connections,
    ) as http:
        yield Connection(http, endpoint, access)


def resolve_digest(
    endpoint: Endpoint,
    repository: str,
    tag: str,
    credentials: Credentials | None = None,
    *,
    access: Access | None = None,
) -> str:
    """Return the digest behind a tag now; for workers, right before a push. Not for use inside an event loop."""

    async def _resolve() -> str:
        async with connect(endpoint, access=access) as connection:
            return await connection.client(credentials).head_digest(repository, tag)

    return asyncio.run(_resolve())
