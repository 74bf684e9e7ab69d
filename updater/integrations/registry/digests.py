"""What many tags of one registry stand for now: asked side by side over the same connections."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from updater.errors import UpdaterError
from updater.integrations.registry.api import Access, Endpoint
from updater.integrations.registry.authentication import Credentials
from updater.integrations.registry.client import Connection, connect

SIDE_BY_SIDE = 10


@dataclass(frozen=True, slots=True)
class Question:
    """A tag whose digest is wanted."""

    repository: str
    tag: str
    credentials: Credentials | None = None


def resolve_digests(
    endpoint: Endpoint, questions: Sequence[Question], *, access: Access | None = None
) -> list[str | UpdaterError]:
    """Return the digest behind each tag, or why it is not known. Not for use inside an event loop."""

    async def _resolve() -> list[str | UpdaterError]:
        turns = asyncio.Semaphore(SIDE_BY_SIDE)
        async with connect(endpoint, access=access, connections=SIDE_BY_SIDE) as connection:
            asked = [_answer(connection, question, turns) for question in questions]
            return await asyncio.gather(*asked)

    return asyncio.run(_resolve())


async def _answer(
    connection: Connection, question: Question, turns: asyncio.Semaphore
) -> str | UpdaterError:
    client = connection.client(question.credentials)
    async with turns:
        try:
            return await client.head_digest(question.repository, question.tag)
        except UpdaterError as error:
            return error
