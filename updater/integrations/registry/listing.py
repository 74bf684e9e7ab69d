"""Whole tag lists: pages one after the other, until the end, a limit, or a link that leads elsewhere."""

import httpx

from updater.integrations.registry.api import Api
from updater.integrations.registry.errors import BadAnswerError, TooLargeError
from updater.integrations.registry.header_values import parse_links
from updater.integrations.registry.tag_pages import TagList, TagPage, parse_page
from updater.integrations.registry.wire import Answer, Ask


async def list_tags(api: Api, repository: str, page_size: int | None) -> TagList:
    """Return the tags of a repository; a list that ends at a limit says so and why.

    Raises:
        UpdaterError: the registry's errors; a page that cannot be had fails the whole list.
    """
    listing = _Listing(api, repository)
    query = {"n": str(page_size)} if page_size else None
    url: httpx.URL | None = api.url(repository, "tags/list", query)
    try:
        while url is not None:
            url = await listing.read(url)
    except TooLargeError as error:
        listing.reason = str(error)
    return listing.result()


class _Listing:
    def __init__(self, api: Api, repository: str) -> None:
        self._api = api
        self._repository = repository
        self._names: dict[str, None] = {}
        self._dropped = 0
        self._seen: set[httpx.URL] = set()
        self.reason = ""

    async def read(self, url: httpx.URL) -> httpx.URL | None:
        self._seen.add(url)
        ask = Ask("tags", url, self._api.limits.page_bytes)
        answer = await self._api.ask(ask, repository=self._repository)
        self._add(
            parse_page(
                answer.body,
                repository=self._repository,
                what=ask.what,
                max_values=self._api.limits.json_values,
            )
        )
        return self._next(url, answer)

    def _add(self, page: TagPage) -> None:
        self._dropped += page.dropped
        room = self._api.limits.tags - len(self._names)
        self._names.update(dict.fromkeys(page.names[:room]))
        if len(page.names) > room:
            self.reason = f"It has more than {self._api.limits.tags} tags."

    def _next(self, url: httpx.URL, answer: Answer) -> httpx.URL | None:
        if self.reason:
            return None
        try:
            following = _following(url, answer.headers.get_list("link"))
        except BadAnswerError as error:
            self.reason = str(error)
            return None
        return self._allowed(following) if following is not None else None

    def _allowed(self, following: httpx.URL) -> httpx.URL | None:
        if following in self._seen:
            self.reason = "A page's link leads back to a page already read."
        elif len(self._seen) >= self._api.limits.pages:
            self.reason = f"It has more than {self._api.limits.pages} pages."
        return None if self.reason else following

    def result(self) -> TagList:
        return TagList(
            names=tuple(self._names),
            is_complete=not self.reason,
            dropped=self._dropped,
            pages=len(self._seen),
            reason=self.reason,
        )


def _following(url: httpx.URL, headers: list[str]) -> httpx.URL | None:
    links = parse_links(headers)
    targets = [link.target for link in links if "next" in link.relations]
    if not targets and not links:
        return None
    if len(targets) != 1:
        raise BadAnswerError("A page's Link header names no single next page.")
    return _same_list(url, targets[0])


def _same_list(url: httpx.URL, target: str) -> httpx.URL:
    try:
        following = url.join(target)
    except httpx.InvalidURL as error:
        raise BadAnswerError("A page's link is no address.") from error
    is_same = following.copy_with(query=None, fragment=None) == url.copy_with(query=None)
    if not is_same or following.userinfo:
        raise BadAnswerError("A page's link leads to another host or repository.")
    return following.copy_with(fragment=None)
