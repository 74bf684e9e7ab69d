"""A list of Applications read page by page, so that ten thousand never stand in memory at once."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from updater.integrations.kubernetes.errors import WatchExpiredError

Json = dict[str, Any]

PAGE_SIZE = 500
_RESTARTS = 3

# namespace ("" for all) and continue token in, one list document out
ReadPage = Callable[[str, str], Json]


class ApplicationListing(Iterator[Json]):
    """Applications one by one; `resource_version` is where a watch goes on once all are read.

    When a page token expires, the namespace is listed again from its start: an Application can come twice.
    """

    def __init__(self, read_page: ReadPage, namespaces: Sequence[str]) -> None:
        self._read_page = read_page
        self._items = self._walk(namespaces or ("",))
        self.resource_version = ""

    def __next__(self) -> Json:
        return next(self._items)

    def _walk(self, namespaces: Sequence[str]) -> Iterator[Json]:
        for index, namespace in enumerate(namespaces):
            # The oldest version of all: a watch from there misses nothing of the later lists.
            yield from self._list_again(namespace, keeps_version=index == 0)

    def _list_again(self, namespace: str, *, keeps_version: bool) -> Iterator[Json]:
        for attempt in range(_RESTARTS + 1):
            try:
                yield from self._list(namespace, keeps_version=keeps_version)
            except WatchExpiredError:
                if attempt == _RESTARTS:
                    raise
            else:
                return

    def _list(self, namespace: str, *, keeps_version: bool) -> Iterator[Json]:
        token = ""
        while True:
            page = self._read_page(namespace, token)
            metadata = page.get("metadata") or {}
            if keeps_version:
                self.resource_version = str(metadata.get("resourceVersion", ""))
            yield from page.get("items") or []
            token = metadata.get("continue") or ""
            if not token:
                return
