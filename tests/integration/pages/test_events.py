"""The stream of changed promotions: after the commit, ids only, and it costs no database connection."""

import asyncio
import http.client
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import AsyncClient, Client

from approvals.models import Promotion
from approvals.views import events, listening
from approvals.views.listening import EVERYTHING, Hub
from tests import builders

SECONDS = 10


def test_events_without_asgi_say_nothing_so_the_page_polls(client: Client, sre: User):
    client.force_login(sre)

    response = client.get("/events")

    assert (response.status_code, response.content) == (204, b"")


def test_events_for_strangers_are_refused_without_a_redirect(client: Client, db: None):
    response = client.get("/events", headers={"Accept": "text/event-stream"})

    assert response.status_code == 401


def test_events_by_post_are_refused(client: Client, sre: User):
    client.force_login(sre)

    assert client.post("/events").status_code == 405


class _Stream:
    """An open stream of the in-process application."""

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        self.content = content

    async def next_id(self) -> str:
        async with asyncio.timeout(SECONDS):
            async for chunk in self.content:
                if chunk.startswith(b"event: promotion"):
                    return chunk.decode().partition("data: ")[2].strip()
        raise AssertionError("the stream ended")

    async def is_silent(self) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self.content.__anext__()
                return False
        return True


async def _open(person: User) -> _Stream:
    client = AsyncClient()
    await client.aforce_login(person)
    response = await client.get("/events", headers={"Accept": "text/event-stream"})
    assert response.headers["Content-Type"] == "text/event-stream"
    stream = _Stream(response.streaming_content)
    assert await stream.next_id() == EVERYTHING  # whatever came before nobody listened to
    return stream


@pytest.mark.django_db(transaction=True)
def test_events_tell_the_id_of_what_was_committed(sre: User):
    async def play() -> tuple[str, str]:
        stream = await _open(sre)
        made = await sync_to_async(builders.make_promotion)()
        return await stream.next_id(), str(made.pk)

    heard, made = async_to_sync(play)()

    assert heard == made


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["status", "decision", "attempt"])
def test_events_tell_a_change_of(sre: User, change: str):
    promotion = builders.make_promotion()

    def make() -> None:
        if change == "status":
            Promotion.objects.update(status_reason="A newer one was found.")
        elif change == "decision":
            builders.make_decision(promotion, sre)
        else:
            builders.make_execution(promotion)

    async def play() -> str:
        stream = await _open(sre)
        await sync_to_async(make)()
        return await stream.next_id()

    assert async_to_sync(play)() == str(promotion.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["rolled back", "plan made again"])
def test_events_are_silent_about(sre: User, change: str):
    promotion = builders.make_promotion()

    def make() -> None:
        if change == "plan made again":
            Promotion.objects.update(plan={**promotion.plan, "at": "later"})
            return
        with suppress(RuntimeError), transaction.atomic():
            Promotion.objects.update(status_reason="Never was.")
            raise RuntimeError

    async def play() -> bool:
        stream = await _open(sre)
        await sync_to_async(make)()
        return await stream.is_silent()

    assert async_to_sync(play)()


@pytest.mark.django_db(transaction=True)
def test_events_after_the_listener_was_killed_say_that_everything_may_have_changed(sre: User):
    def kill() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query = %s AND pid <> pg_backend_pid()",
                [f"LISTEN {listening.CHANNEL}"],
            )

    async def play() -> tuple[str, str, str]:
        stream = await _open(sre)
        await sync_to_async(kill)()
        again = await stream.next_id()
        made = await sync_to_async(builders.make_promotion)()
        return again, await stream.next_id(), str(made.pk)

    again, heard, made = async_to_sync(play)()

    assert (again, heard) == (EVERYTHING, made)


def test_hub_slow_page_hears_everything_instead_of_growing():
    async def play() -> list[str]:
        hub = Hub()
        slow: listening.Page = asyncio.Queue(listening.MAX_WAITING)
        hub.pages.add(slow)
        for number in range(listening.MAX_WAITING + 1):
            hub.tell(str(number))
        return [slow.get_nowait() for _ in range(slow.qsize())]

    assert async_to_sync(play)() == [EVERYTHING]


def test_hub_full_process_lets_the_page_poll(monkeypatch):
    monkeypatch.setattr(listening, "MAX_PAGES", 0)

    async def play() -> list[str]:
        return [chunk async for chunk in events._stream()]

    assert async_to_sync(play)() == [": full\n\n"]


@pytest.mark.django_db(transaction=True)
def test_events_open_streams_hold_no_database_connection(
    web_process: str, client: Client, sre: User
):
    client.force_login(sre)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    before = _database_connections()
    place = urlsplit(web_process).netloc
    streams = [http.client.HTTPConnection(place, timeout=SECONDS) for _ in range(8)]
    for stream in streams:
        stream.request("GET", "/events", headers={"Cookie": cookie})

    first_lines = [stream.getresponse().readline() for stream in streams]

    assert first_lines == [b": listening\n"] * 8
    assert _settled_connections(limit=before + 1) <= before + 1  # the one that listens
    for stream in streams:
        stream.close()


def _settled_connections(*, limit: int) -> int:
    end = time.monotonic() + SECONDS
    while (found := _database_connections()) > limit and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _database_connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])
