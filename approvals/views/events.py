"""The stream that tells open pages which promotion changed; they fetch what they show themselves."""

import asyncio
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from approvals.permissions import Action, guarded
from approvals.views.listening import MAX_PAGES, TooManyPagesError, hub

PING_SECONDS = 15
# Then the page connects again, and its session and roles are looked at again.
MAX_STREAM_SECONDS = 600


@require_GET
@guarded(Action.VIEW)
async def events(request: HttpRequest) -> HttpResponseBase:
    """Stream ids of changed promotions; without ASGI, or when full, the page polls."""
    if not isinstance(request, ASGIRequest) or len(hub.pages) >= MAX_PAGES:
        return HttpResponse(status=204)
    # The guard used a connection in this request's thread; an open stream must not keep it.
    await sync_to_async(_let_go)()
    return StreamingHttpResponse(
        _stream(),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _let_go() -> None:
    connection.close()  # a function of its own: `connection` means the calling thread's


async def _stream() -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    end = loop.time() + MAX_STREAM_SECONDS
    try:
        async with hub.page() as page:
            yield ": listening\n\n"
            while loop.time() < end:
                try:
                    changed = await asyncio.wait_for(page.get(), PING_SECONDS)
                except TimeoutError:
                    yield ": ping\n\n"
                else:
                    yield f"event: promotion\ndata: {changed}\n\n"
    except TooManyPagesError:
        yield ": full\n\n"
