"""Tag lists over several pages."""

import httpx
import pytest

from tests.unit.updater.integrations.registry.scripted import Endpoint, Scripted, reply
from updater.integrations.registry import Limits, TagList
from updater.integrations.registry import errors as registry_errors

TAGS = "/v2/acme/app/tags/list"


def listing(*pages, **settings):
    registry = Scripted({TAGS: list(pages)}, **settings)
    return registry, registry.run(lambda client: client.list_tags("acme/app"))


def linked(names, target, relation="next"):
    return reply({"name": "acme/app", "tags": names}, link=f'<{target}>; rel="{relation}"')


def test_list_tags_with_one_page_returns_it():
    registry, tags = listing(reply({"name": "acme/app", "tags": ["b", "a", "b"]}))

    assert tags == TagList(("b", "a"), is_complete=True, dropped=0, pages=1)
    assert str(registry.sent[0].url) == "https://registry.example/v2/acme/app/tags/list?n=1000"


def test_list_tags_without_page_size_leaves_order_and_pages_to_the_registry():
    registry = Scripted({TAGS: [reply({"tags": ["a"]})]})

    registry.run(lambda client: client.list_tags("acme/app", page_size=None))

    assert registry.sent[0].url.query == b""


def test_list_tags_with_links_follows_them_and_keeps_the_order():
    registry, tags = listing(
        linked(["a", "b"], "/v2/acme/app/tags/list?last=b&n=1000"),
        linked(["c"], "https://registry.example/v2/acme/app/tags/list?last=c"),
        reply({"tags": ["d"]}),
    )

    assert tags == TagList(("a", "b", "c", "d"), is_complete=True, dropped=0, pages=3)
    assert [request.url.query for request in registry.sent] == [
        b"n=1000",
        b"last=b&n=1000",
        b"last=c",
    ]


def test_list_tags_with_a_base_path_asks_below_it():
    registry = Scripted({"/proxy/v2/acme/app/tags/list": [reply({"tags": ["a"]})]})

    tags = registry.run(
        lambda client: client.list_tags("acme/app"),
        endpoint=Endpoint("https://registry.example/proxy"),
    )

    assert tags.names == ("a",)


def test_list_tags_r03_with_links_in_a_circle_ends_incomplete():
    registry, tags = listing(
        linked(["a"], "?last=a"), linked(["b"], "?last=b"), linked(["c"], "?last=a"),
    )  # fmt: skip

    assert (tags.is_complete, len(registry.sent)) == (False, 3)
    assert "already read" in tags.reason


def test_list_tags_r03_with_endless_pages_stops_at_a_hundred():
    class Endless(Scripted):
        def handle(self, request):
            self.sent.append(request)
            page = linked(["a"], f"?last={len(self.sent)}")
            return httpx.Response(200, headers=page.headers, stream=httpx.ByteStream(page.content))

    registry = Endless({})
    tags = registry.run(lambda client: client.list_tags("acme/app"))

    assert (tags.is_complete, tags.pages, len(registry.sent)) == (False, 100, 100)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(linked(["a"], "?last=a", relation="prev"), id="prev-only"),
        pytest.param(reply({"tags": ["a"]}, link="gibberish"), id="unreadable"),
        pytest.param(
            reply({"tags": ["a"]}, link='<?last=a>; rel="next", <?last=b>; rel="next"'), id="two-next"
        ),
    ],
)  # fmt: skip
def test_list_tags_r03_with_a_useless_link_is_incomplete(page):
    registry, tags = listing(page)

    assert (tags.is_complete, len(registry.sent)) == (False, 1)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/v2/acme/app/tags/list?last=a",
        "http://registry.example/v2/acme/app/tags/list?last=a",
        "https://registry.example:8443/v2/acme/app/tags/list?last=a",
        "//evil/v2/acme/app/tags/list",
        "/v2/other/app/tags/list?last=a",
        "../list/../../app2/tags/list",
        "https://me@registry.example/v2/acme/app/tags/list?last=a",
        "https://[::1/",
        "file:///etc/passwd",
    ],
)
def test_list_tags_r04_with_a_link_that_leads_elsewhere_never_asks_there(target):
    registry, tags = listing(linked(["a"], target))

    assert (tags.is_complete, tags.names, len(registry.sent)) == (False, ("a",), 1)


def test_list_tags_r01_with_more_tags_than_the_limit_is_incomplete():
    names = [f"t{number}" for number in range(50)]

    _, tags = listing(linked(names, "?last=x"), limits=Limits(tags=30))

    assert (tags.is_complete, len(tags.names), tags.pages) == (False, 30, 1)


def test_list_tags_r01_with_a_page_over_the_byte_limit_is_incomplete():
    _, tags = listing(reply({"tags": ["a" * 100] * 100}), limits=Limits(page_bytes=5000))

    assert (tags.is_complete, tags.names) == (False, ())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply({}, 404), registry_errors.RepositoryNotFoundError),
        (reply({}, 403), registry_errors.ForbiddenError),
        (reply({}, 400), registry_errors.BadAnswerError),
        (reply({}, 301, location="https://registry.example/x"), registry_errors.BadAnswerError),
        (reply({}, 500), registry_errors.RegistryUnavailableError),
        (reply({}, 503), registry_errors.RegistryUnavailableError),
        (reply({}, 429), registry_errors.RateLimitedError),
        (reply(b"<html>"), registry_errors.BadAnswerError),
    ],
)
def test_list_tags_r30_with_a_refusal_raises_its_error_after_one_request(answer, error):
    registry = Scripted({TAGS: [answer]})

    with pytest.raises(error) as caught:
        registry.run(lambda client: client.list_tags("acme/app"))

    assert "registry.example" in str(caught.value)
    assert len(registry.sent) == 1


def test_list_tags_r27_with_429_carries_the_wait():
    registry = Scripted({TAGS: [reply({}, 429, retry_after="17")]})

    with pytest.raises(registry_errors.RateLimitedError) as caught:
        registry.run(lambda client: client.list_tags("acme/app"))

    assert caught.value.retry_after_seconds == 17


def test_list_tags_with_a_failing_later_page_fails_whole():
    with pytest.raises(registry_errors.RegistryUnavailableError):
        listing(linked(["a"], "?last=a"), reply({}, 502))


@pytest.mark.parametrize("repository", ["", "../etc", "a b", "acme/app?x=1"])
def test_list_tags_with_no_repository_name_asks_nothing(repository):
    registry = Scripted({})

    with pytest.raises(registry_errors.InvalidNameError):
        registry.run(lambda client: client.list_tags(repository))

    assert registry.sent == []
