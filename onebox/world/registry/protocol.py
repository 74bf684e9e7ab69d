"""The OCI distribution API's answers: tag pages, manifests, blobs and errors, as the specification writes them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote

from onebox.world.registry.content import Content, Document, Repository

_PATHS = re.compile(
    r"/v2/(?P<name>.+)/(?:(?P<tags>tags/list)|manifests/(?P<manifest>[^/]+)|blobs/(?P<blob>[^/]+))"
)
MAX_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as far as a registry looks at it."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What is asked for: ping, token, tags, manifest, head or blob; "" for anything else."""
        if self.path in ("/v2/", "/v2"):
            return "ping"
        if self.path == "/_token":
            return "token"
        found = _PATHS.fullmatch(self.path)
        if found is None:
            return ""
        if found["tags"]:
            return "tags"
        if found["blob"]:
            return "blob"
        return "head" if self.method == "HEAD" else "manifest"

    @property
    def repository(self) -> str:
        """The image repository, or ""."""
        found = _PATHS.fullmatch(self.path)
        return found["name"] if found else ""

    @property
    def reference(self) -> str:
        """The tag or digest, or ""."""
        found = _PATHS.fullmatch(self.path)
        return (found["manifest"] or found["blob"] or "") if found else ""

    def parameter(self, name: str) -> list[str]:
        """Return all values of a query parameter."""
        return parse_qs(self.query).get(name, [])


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(content: Content, request: Request, *, page_size: int = MAX_PAGE) -> Response:
    """Return what the registry says to a request it has let in."""
    if request.kind == "ping":
        return as_json(200, {})
    repository = content.repositories.get(request.repository)
    if not request.kind or request.method not in ("GET", "HEAD"):
        return refusal(405, "UNSUPPORTED", "The operation is unsupported.")
    if repository is None:
        return refusal(404, "NAME_UNKNOWN", "repository name not known to registry")
    if request.kind == "tags":
        return _tag_page(repository, request, page_size)
    if request.kind == "blob":
        return _blob(repository, request)
    return _manifest(repository, request)


def _tag_page(repository: Repository, request: Request, page_size: int) -> Response:
    size, last = _paging(request, page_size)
    if size is None:
        return refusal(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
    names = sorted(name for name in repository.tags if name > last)
    page = names[:size]
    link = (
        f'</v2/{request.repository}/tags/list?last={quote(page[-1])}&n={size}>; rel="next"'
        if page
        else ""
    )
    headers = {"Link": link} if len(names) > size else {}
    return as_json(200, {"name": request.repository, "tags": page}, headers)


def _paging(request: Request, page_size: int) -> tuple[int | None, str]:
    wanted = request.parameter("n") or [str(page_size)]
    last = request.parameter("last") or [""]
    is_number = wanted[0].isascii() and wanted[0].isdigit() and int(wanted[0]) > 0
    return (min(int(wanted[0]), page_size) if is_number else None), last[0]


def _manifest(repository: Repository, request: Request) -> Response:
    digest = repository.tags.get(request.reference, request.reference)
    document = repository.manifests.get(digest)
    if document is None:
        return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
    accepted = request.headers.get("accept", "*/*")
    if document.media_type not in accepted and "*/*" not in accepted:
        return refusal(404, "MANIFEST_UNKNOWN", f"Accept does not name {document.media_type}")
    return _document(document, request)


def _blob(repository: Repository, request: Request) -> Response:
    document = repository.blobs.get(request.reference)
    if document is None:
        return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")
    return _document(Document(document.body, "application/octet-stream"), request)


def _document(document: Document, request: Request) -> Response:
    headers = {
        "Content-Type": document.media_type,
        "Docker-Content-Digest": document.digest,
        "ETag": f'"{document.digest}"',
        "Content-Length": str(len(document.body)),
    }
    return Response(200, b"" if request.method == "HEAD" else document.body, headers)


def refusal(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error in the specification's form."""
    errors = [{"code": code, "message": message, "detail": None}]
    return as_json(status, {"errors": errors}, headers)


def as_json(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    body = json.dumps(value).encode()
    return Response(
        status,
        body,
        {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Docker-Distribution-Api-Version": "registry/2.0",
            **(headers or {}),
        },
    )
