"""One HTTP request taken apart: which verb on which object, and what the client sent."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from onebox.world.cluster import resources
from onebox.world.cluster.documents import JsonValue
from onebox.world.cluster.resources import Resource
from onebox.world.cluster.statuses import ApiError, bad_request

Scope = MutableMapping[str, JsonValue]
Receive = Callable[[], Awaitable[MutableMapping[str, JsonValue]]]

_BODY_LIMIT = 3 * 1024 * 1024
_ONE = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_MANY = {"GET": "list", "POST": "create"}


@dataclass(frozen=True, slots=True)
class Address:
    """What a path is about; name "" is the collection, namespace "" all of them."""

    resource: Resource
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """The method, path, query, headers (lower case) and body of a request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> JsonValue:
        """Return the body as JSON; an empty body is an empty object."""
        try:
            return json.loads(self.body) if self.body else {}
        except (ValueError, RecursionError) as error:
            raise bad_request(f"the object provided is unreadable: {error}") from error

    @property
    def content_type(self) -> str:
        """The media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def flag(self, name: str) -> bool:
        """Whether a query parameter says yes."""
        return self.query.get(name, "").lower() in ("true", "1")

    def number(self, name: str, default: int = 0) -> int:
        """Return a query parameter that must be a number."""
        text = self.query.get(name, "") or str(default)
        if not text.isdecimal():
            raise bad_request(f"invalid value for {name}: {text!r}")
        return int(text)


async def read(scope: Scope, receive: Receive) -> Request:
    """Read a request with its whole body."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _BODY_LIMIT:
            limit = f"Request entity too large: limit is {_BODY_LIMIT}"
            raise ApiError(413, "RequestEntityTooLarge", limit)
        if not message.get("more_body"):
            break
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("ascii", "replace"),
        query=dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
        headers={key.decode().lower(): value.decode() for key, value in scope["headers"]},
        body=body,
    )


def address(path: str) -> Address | None:
    """Return what a path is about, or None for a path this server does not know."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[:2] == ["api", "v1"]:
        group, version, rest = "", "v1", parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource = resources.find(group, version, rest[0]) if rest else None
    if resource is None or len(rest) > 2 or (len(rest) == 2 and not namespace):
        return None  # no kind here has a subresource
    return Address(resource, namespace, rest[1] if len(rest) == 2 else "")


def verb(request: Request, target: Address) -> str:
    """Return the API verb of a request, or raise 405."""
    found = (_ONE if target.name else _MANY).get(request.method)
    if found is None or (found == "create" and not target.namespace):
        message = "the server does not allow this method on the requested resource"
        raise ApiError(405, "MethodNotAllowed", message)
    return "watch" if found == "list" and request.flag("watch") else found
