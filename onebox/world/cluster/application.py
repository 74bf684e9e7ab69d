"""The ASGI application: authenticate, authorise, carry out, answer; the Kubernetes protocol over HTTP."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field

from onebox.world.cluster import access, discovery, faults, requests, watching
from onebox.world.cluster.access import Account, Accounts, Attempt
from onebox.world.cluster.documents import Json, JsonValue
from onebox.world.cluster.faults import Fault, Faults
from onebox.world.cluster.listing import Listings, Page, Question
from onebox.world.cluster.requests import Address, Receive, Request, Scope
from onebox.world.cluster.resources import Resource
from onebox.world.cluster.selectors import matcher
from onebox.world.cluster.statuses import ApiError, bad_request, not_found
from onebox.world.cluster.store import Store
from onebox.world.cluster.watching import WatchRequest
from onebox.world.cluster.writes import Options, Outcome, Target, Writer

Send = Callable[[MutableMapping[str, JsonValue]], Awaitable[None]]

_HEALTH_PATHS = ("/healthz", "/readyz", "/livez")
_FAULTS_PATH = "/world/faults"
_OBJECT_LIMIT = 1_500_000


@dataclass
class ClusterApplication:
    """Serves one store to the accounts."""

    store: Store
    accounts: Accounts
    faults: Faults = field(default_factory=Faults)
    bookmark_seconds: float = 60

    def __post_init__(self) -> None:
        self.listings = Listings(self.store)
        self.writer = Writer(self.store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        try:
            await self._answer(scope, receive, send)
        except ApiError as error:
            await _send_json(send, error.code, error.body, error.headers)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await requests.read(scope, receive)
        if request.path in _HEALTH_PATHS:
            await _send(send, 200, b"ok", {"Content-Type": "text/plain"})
            return
        account = self.accounts.authenticate(request.headers.get("authorization", ""))
        target = requests.address(request.path)
        if target is not None:
            await self._answer_object(request, target, account, receive, send)
        elif (found := self._other(request, account)) is not None:
            await _send_json(send, 200, found)
        else:
            await _send(send, 404, b"404 page not found\n", {"Content-Type": "text/plain"})

    def _other(self, request: Request, account: Account) -> Json | None:
        if request.path == _FAULTS_PATH and account.is_administrator:
            return self._switch_faults(request)
        if request.method == "POST":
            return discovery.review(request.path, account, request.json())
        return discovery.document(request.path)

    def _switch_faults(self, request: Request) -> Json:
        if request.method == "PUT":
            self.faults.set_from_json(request.json())
        return {"faults": self.faults.as_json()}

    async def _answer_object(
        self, request: Request, target: Address, account: Account, receive: Receive, send: Send
    ) -> None:
        verb = requests.verb(request, target)
        kind = target.resource
        attempt = Attempt(verb, kind.group, kind.plural, target.namespace, target.name)
        access.authorize(account, attempt)
        fault = self.faults.draw(verb, kind.plural, account.name)
        if await self._misbehave(fault, send):
            return
        faults.raise_before(fault)
        if verb == "watch":
            await self._watch(request, target, receive, send)
            return
        outcome = self._carry_out(verb, request, target)
        faults.raise_after(fault)
        await _send_json(send, outcome.code, outcome.manifest, _warning(outcome))

    async def _misbehave(self, fault: Fault | None, send: Send) -> bool:
        """Play the faults that are no proper answer; tell whether one was."""
        kind = fault.kind if fault else ""
        if kind == "hang":
            await self.store.closed.wait()
        if kind == "garbage":
            page = b"<html>Bad gateway</html>"
            await _send(send, 200, page, {"Content-Type": "text/html"})
        return kind in ("hang", "garbage")

    def _carry_out(self, verb: str, request: Request, address: Address) -> Outcome:
        target = Target(address.resource, address.namespace, address.name)
        options = _options(request)
        match verb:
            case "get":
                return self._get(target)
            case "list":
                return Outcome(self._list(request, address))
            case "create":
                return self.writer.create(target, _body(request), options)
            case "update":
                return self.writer.replace(target, _body(request), options)
            case "delete":
                return self.writer.delete(target, _body(request), options)
            case _:
                return self.writer.patch(target, request.content_type, request.json(), options)

    def _get(self, target: Target) -> Outcome:
        manifest = self.store.get(target.resource, target.namespace, target.name)
        if manifest is None:
            raise not_found(target.resource, target.name)
        return Outcome(manifest)

    def _list(self, request: Request, address: Address) -> Json:
        limit, token = request.number("limit"), request.query.get("continue", "")
        if token:
            page = self.listings.next_page(token, limit)
        else:
            page = self.listings.first_page(_question(request, address), limit)
        has_selector = "labelSelector" in request.query or "fieldSelector" in request.query
        return _list_document(address.resource, page, tells_remaining=not has_selector)

    async def _watch(
        self, request: Request, address: Address, receive: Receive, send: Send
    ) -> None:
        wanted = WatchRequest(
            question=_question(request, address),
            since=str(request.number("resourceVersion")),
            seconds=request.number("timeoutSeconds") or watching.default_seconds(),
            bookmark_seconds=(
                self.bookmark_seconds if request.flag("allowWatchBookmarks") else math.inf
            ),
        )
        ended = asyncio.Event()
        listener = asyncio.ensure_future(self._wait_for_end(receive, ended))
        await _start(send, 200, {"Content-Type": "application/json"})
        async for line in watching.lines(self.store, wanted, ended):
            await send({"type": "http.response.body", "body": line, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        listener.cancel()

    async def _wait_for_end(self, receive: Receive, ended: asyncio.Event) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        ended.set()
        self.store.wake()


def _warning(outcome: Outcome) -> dict[str, str]:
    return {"Warning": f"299 - {'; '.join(outcome.warnings)}"} if outcome.warnings else {}


def _options(request: Request) -> Options:
    agent = request.headers.get("user-agent", "unknown").split("/")[0]
    is_apply = request.content_type == "application/apply-patch+yaml"
    return Options(
        manager=request.query.get("fieldManager", "" if is_apply else agent)[:128],
        is_dry_run=request.query.get("dryRun") == "All",
        validation=request.query.get("fieldValidation", "Warn"),
        force=request.flag("force"),
    )


def _question(request: Request, address: Address) -> Question:
    labels, fields = request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
    if address.name:
        fields = f"{fields},metadata.name={address.name}"
    matches = matcher(address.resource, labels, fields)
    return Question(address.resource, address.namespace, matches)


def _body(request: Request) -> Json:
    body = request.json()
    if not isinstance(body, dict):
        raise bad_request("the object provided is not a JSON object")
    return body


def _list_document(resource: Resource, page: Page, *, tells_remaining: bool) -> Json:
    metadata: Json = {"resourceVersion": str(page.version)}
    if page.token:
        metadata["continue"] = page.token
        if tells_remaining:
            metadata["remainingItemCount"] = page.remaining
    items = page.items
    if resource.is_core:
        anonymous = ("kind", "apiVersion")
        items = [{k: v for k, v in item.items() if k not in anonymous} for item in items]
    return {
        "apiVersion": resource.api_version,
        "kind": f"{resource.kind}List",
        "metadata": metadata,
        "items": items,
    }


async def _send_json(
    send: Send, code: int, document: Json, headers: Mapping[str, str] | None = None
) -> None:
    body = json.dumps(document).encode()
    await _send(send, code, body, {"Content-Type": "application/json", **(headers or {})})


async def _send(send: Send, code: int, body: bytes, headers: Mapping[str, str]) -> None:
    await _start(send, code, {**headers, "Content-Length": str(len(body))})
    await send({"type": "http.response.body", "body": body})


async def _start(send: Send, code: int, headers: Mapping[str, str]) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": code, "headers": encoded})
