"""The registry as an ASGI application: access, faults, latency, a log of requests, and a small control API."""

import asyncio
import gzip
import json
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from onebox.world.registry import protocol
from onebox.world.registry.access import Access, Anonymous, Bearer
from onebox.world.registry.content import Build, BuildError, Content
from onebox.world.registry.faults import Fault, Faults
from onebox.world.registry.protocol import Request, Response

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
MAX_CONTROL_BYTES = 64 * 1024
LOG_LENGTH = 100_000
HUGE_BYTES = 50 * 1024 * 1024
BOMB_BYTES = 20 * 1024 * 1024  # shrinks to 90 kB
REVISION_LABEL = "org.opencontainers.image.revision"


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request as it was answered; of the credentials only the scheme."""

    kind: str
    method: str
    path: str
    query: str
    authorization: str  # "", "Basic", "Bearer"
    cookie: str
    status: int


class RegistryWorld:
    """One registry's content and behaviour."""

    def __init__(
        self,
        content: Content | None = None,
        *,
        access: Access | None = None,
        latency_seconds: float = 0.0,
        page_size: int = protocol.MAX_PAGE,
    ) -> None:
        self.content = content or Content()
        self.access = access or Anonymous()
        self.faults = Faults()
        self.latency_seconds = latency_seconds
        self.page_size = page_size
        self.log: deque[LoggedRequest] = deque(maxlen=LOG_LENGTH)

    @property
    def counts(self) -> Counter[str]:
        """Requests by kind since the log was last cleared."""
        return Counter(request.kind for request in self.log)

    def push(  # the keywords of a push, as CI tools name them
        self,
        repository: str,
        tag: str,
        *,
        created: str | None = None,
        labels: Mapping[str, str] | None = None,
        platforms: tuple[str, ...] = ("linux/amd64",),
    ) -> str:
        """Push a build and return the digest behind its tag."""
        moment = created or datetime.fromtimestamp(time.time(), UTC).isoformat()
        return self.content.push(Build(repository, tag, moment, labels or {}, platforms))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = _request(scope)
        if request.path.startswith(("/_push", "/_counts")):
            await _send(send, self._control(request, await _body(receive)))
            return
        await asyncio.sleep(self.latency_seconds)
        fault = self.faults.find(request.kind, request.repository)
        if fault is not None:
            await asyncio.sleep(fault.delay_seconds)
        response = self._spoiled(self._answer(request), request, fault)
        self._note(request, response)
        await _send(send, response, cut_off=fault is not None and fault.body == "cut-off")

    def _answer(self, request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        if request.kind == "token":
            return self._token(request, authorization)
        own_url = f"http://{request.headers.get('host', '')}"
        challenge = self.access.challenge(authorization, request.repository, own_url)
        if challenge is not None:
            headers = {"WWW-Authenticate": challenge}
            return protocol.refusal(401, "UNAUTHORIZED", "authentication required", headers)
        return protocol.answer(self.content, request, page_size=self.page_size)

    def _token(self, request: Request, authorization: str) -> Response:
        issued = None
        if isinstance(self.access, Bearer):
            issued = self.access.issue(authorization, request.parameter("scope"))
        if issued is None:
            return protocol.refusal(401, "UNAUTHORIZED", "incorrect username or password")
        return protocol.as_json(200, issued)

    def _spoiled(self, response: Response, request: Request, fault: Fault | None) -> Response:
        if fault is None:
            return response
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        if fault.location is not None:
            headers["Location"] = fault.location
        if fault.status is not None:
            return protocol.refusal(fault.status, "DENIED", "as ordered", headers)
        return _spoil(response, request, fault)

    def _note(self, request: Request, response: Response) -> None:
        self.log.append(
            LoggedRequest(
                kind=request.kind,
                method=request.method,
                path=request.path,
                query=request.query,
                authorization=request.headers.get("authorization", "").partition(" ")[0],
                cookie=request.headers.get("cookie", ""),
                status=response.status,
            )
        )

    def _control(self, request: Request, body: bytes) -> Response:
        if request.path == "/_counts":
            return protocol.as_json(200, dict(self.counts))
        try:
            digest = self._push_from(json.loads(body))
        except (ValueError, TypeError, AttributeError) as error:
            return protocol.as_json(400, {"error": _mend(error)})
        return protocol.as_json(201, {"digest": digest})

    def _push_from(self, order: dict[str, Any]) -> str:
        labels = dict(order.get("labels") or {})
        if "revision" in order:
            labels[REVISION_LABEL] = str(order["revision"])
        return self.push(
            str(order.get("repository", "")),
            str(order.get("tag", "")),
            created=order.get("created"),
            labels={str(name): str(value) for name, value in labels.items()},
            platforms=tuple(order.get("platforms") or ("linux/amd64",)),
        )


def _mend(error: Exception) -> str:
    if isinstance(error, BuildError):
        return str(error)
    return 'Send JSON like {"repository": "acme/frontend", "tag": "main-e1f492f"}.'


def _spoil(response: Response, request: Request, fault: Fault) -> Response:
    headers = dict(response.headers)
    body = response.body
    if fault.body == "truncated":
        body = body[: len(body) // 2]
    elif fault.body == "html":
        body, headers["Content-Type"] = b"<html><h1>Proxy error</h1></html>", "text/html"
    elif fault.body == "huge":
        body = b" " * HUGE_BYTES
    elif fault.body == "gzip":
        body, headers["Content-Encoding"] = gzip.compress(b" " * BOMB_BYTES, 1), "gzip"
    elif fault.body == "endless-links":
        headers["Link"] = f'<{request.path}?last={time.monotonic_ns()}>; rel="next"'
    elif fault.body == "wrong-digest":
        headers["Docker-Content-Digest"] = "sha256:" + "0" * 64
    headers["Content-Length"] = str(len(body))
    return replace(response, body=body, headers=headers)


def _request(scope: Scope) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers)


async def _body(receive: Receive) -> bytes:
    body = b""
    while len(body) <= MAX_CONTROL_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body[:MAX_CONTROL_BYTES]


async def _send(send: Send, response: Response, *, cut_off: bool = False) -> None:
    headers = [(name.encode(), value.encode()) for name, value in response.headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if cut_off:
        half = response.body[: len(response.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        raise ConnectionResetError("as ordered")
    await send({"type": "http.response.body", "body": response.body})
