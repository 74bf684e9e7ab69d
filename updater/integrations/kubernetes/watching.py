"""A watch stream taken apart into events."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from updater.integrations.kubernetes import calls
from updater.integrations.kubernetes.calls import Call
from updater.integrations.kubernetes.errors import ClusterUnreachableError

Json = dict[str, Any]

# An object is at most about 1.5 MB in the cluster's own store.
_LINE_LIMIT = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change: kind is ADDED, MODIFIED, DELETED or BOOKMARK (a version only, no Application)."""

    kind: str
    manifest: Json

    @property
    def resource_version(self) -> str:
        """Where the next watch goes on."""
        metadata = self.manifest.get("metadata")
        return str(metadata.get("resourceVersion", "")) if isinstance(metadata, dict) else ""


def events(call: Call, response: urllib3.BaseHTTPResponse) -> Iterator[WatchEvent]:
    """Yield the events of an open stream until the server ends it.

    Raises: WatchExpiredError when the version is too old; ClusterUnreachableError when the stream breaks.
    """
    try:
        for line in _lines(call, response):
            yield _event(call, line)
    except HTTPError as error:
        message = f"The watch broke off ({type(error).__name__}): {call}."
        raise ClusterUnreachableError(message) from error
    finally:
        response.close()
        response.release_conn()


def _event(call: Call, line: bytes) -> WatchEvent:
    document = calls.parse_object(call, line)
    manifest = document.get("object")
    if not isinstance(manifest, dict):
        raise ClusterUnreachableError(f"The watch sent an event without an object: {call}.")
    if document.get("type") == "ERROR":
        code = manifest.get("code")
        raise calls.from_status(call, code if isinstance(code, int) else 0, manifest)
    return WatchEvent(str(document.get("type")), manifest)


def _lines(call: Call, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    pending = bytearray()
    for chunk in response.stream(65536):
        pending += chunk
        *complete, rest = bytes(pending).split(b"\n")
        pending = bytearray(rest)
        if len(pending) > _LINE_LIMIT:
            raise ClusterUnreachableError(f"The watch sent an endless line: {call}.")
        yield from (line for line in complete if line.strip())
