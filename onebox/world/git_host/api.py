"""What the git host and the API of a host kind say to each other: one request, one answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request: the path in its segments, each decoded; `user` is "" for nobody the host knows."""

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    document: Mapping[str, object]
    user: str
    url: str  # of the host, as the caller sees it


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """Status, headers and a JSON document; None for an empty body, bytes for something else than JSON."""

    status: int
    document: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The document as it is sent."""
        if isinstance(self.document, bytes):
            return self.document
        return b"" if self.document is None else json.dumps(self.document).encode()


class Api(Protocol):
    """The pull requests of the host, in the words of one kind of host."""

    def answer(self, request: ApiRequest) -> ApiAnswer:
        """Answer one request."""
        ...


def request_of(method: str, target: str, body: bytes, *, user: str, url: str) -> ApiRequest:
    """Return a request from its parts; a body that is no JSON object counts as an empty one."""
    address = urlsplit(target)
    try:
        document = json.loads(body) if body else {}
    except ValueError:
        document = {}
    return ApiRequest(
        method=method,
        segments=tuple(unquote(part) for part in address.path.strip("/").split("/")),
        query={key: values[-1] for key, values in parse_qs(address.query).items()},
        document=document if isinstance(document, dict) else {},
        user=user,
        url=url,
    )


def text(request: ApiRequest, key: str) -> str:
    """Return a text of the request's document, or ""."""
    found = request.document.get(key)
    return found if isinstance(found, str) else ""


def page(
    request: ApiRequest, items: list[object], *, size_key: str, path: str
) -> tuple[list[object], dict[str, str]]:
    """Return one page of a list, and the header that links the next one."""
    size = min(int(request.query.get(size_key, "30")), 50)
    number = int(request.query.get("page", "1"))
    shown = items[(number - 1) * size : number * size]
    if number * size >= len(items):
        return shown, {}
    query = "&".join(
        f"{key}={value}" for key, value in {**request.query, "page": str(number + 1)}.items()
    )
    return shown, {"Link": f'<{request.url}{path}?{query}>; rel="next"'}
