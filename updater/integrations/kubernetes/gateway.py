"""Requests through the outside client: time-outs on every call, our field manager, one look for a new token."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import urllib3

from updater.integrations.kubernetes import calls
from updater.integrations.kubernetes.calls import Call
from updater.integrations.kubernetes.connection import FIELD_MANAGER, Connection
from updater.integrations.kubernetes.errors import ClusterUnauthorizedError

Json = dict[str, Any]

# Picks the outside client's function; asked again after the credentials were renewed.
Pick = Callable[[Connection], Callable[..., Any]]
# Entered around every call: what may hold it back, and learns how it ended.
Passage = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, and of silence until a request is given up."""

    connect: float = 3
    read: float = 30


class Gateway:
    """Sends calls and gives JSON objects, or open streams."""

    def __init__(
        self, connection: Connection, timeouts: Timeouts, passage: Passage = nullcontext
    ) -> None:
        self._connection = connection
        self._passage = passage
        self._timeouts = timeouts

    def ask(self, call: Call, pick: Pick, **arguments: object) -> Json:
        """Send a call and return its answer."""
        if call.is_write:
            arguments["field_manager"] = FIELD_MANAGER
        with self._passage():
            return calls.read_json(call, self._send(call, pick, self._timeouts.read, arguments))

    def open(
        self, call: Call, pick: Pick, *, seconds: float, **arguments: object
    ) -> urllib3.BaseHTTPResponse:
        """Send a call and return its answer unread; it may be silent for so many seconds."""
        with self._passage():
            return self._send(call, pick, self._timeouts.read + seconds, arguments)

    def _send(
        self, call: Call, pick: Pick, silence: float, arguments: dict[str, object]
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._send_once(call, pick, silence, arguments)
        except ClusterUnauthorizedError:
            self._connection.renew()  # a refused request did nothing, so it may be sent again
            return self._send_once(call, pick, silence, arguments)

    def _send_once(
        self, call: Call, pick: Pick, silence: float, arguments: dict[str, object]
    ) -> urllib3.BaseHTTPResponse:
        function = pick(self._connection)
        return calls.send(
            call,
            lambda: function(
                **arguments,
                _preload_content=False,
                _request_timeout=(self._timeouts.connect, silence),
            ),
        )
