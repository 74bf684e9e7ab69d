"""`Link` and `WWW-Authenticate`: what is read, what is refused, and that nothing else can happen."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updater.integrations.registry.errors import BadAnswerError
from updater.integrations.registry.header_values import (
    Challenge,
    Link,
    parse_challenges,
    parse_links,
)

NEXT = frozenset({"next"})


@pytest.mark.parametrize(
    ("header", "links"),
    [
        pytest.param('</v2/a/tags/list?last=b>; rel="next"', [("/v2/a/tags/list?last=b", NEXT)], id="usual"),
        pytest.param("<x>;rel=next", [("x", NEXT)], id="unquoted"),
        pytest.param('<x>; title="a, <b>; c"; REL="Next"', [("x", NEXT)], id="comma-in-quotes"),
        pytest.param('<x>; rel="prev", <y>; rel="next"', [("x", {"prev"}), ("y", NEXT)], id="two"),
        pytest.param('<x>; rel="next last"', [("x", {"next", "last"})], id="two-relations"),
        pytest.param('<x>; rel="prev"; rel="next"', [("x", {"prev"})], id="first-rel-counts"),
        pytest.param("<x>", [("x", set())], id="no-relation"),
        pytest.param("", [], id="empty"),
    ],
)  # fmt: skip
def test_parse_links_with_a_good_header_returns_targets_and_relations(header, links):
    assert parse_links([header]) == [Link(target, frozenset(words)) for target, words in links]


@pytest.mark.parametrize(
    "header",
    [
        "x",
        "<x",
        "<x>; rel=",
        "<x>; rel=next <y>",
        '<x>; rel="next',
        "<a b>; rel=next",
        "<x>; rel=next;;;,<",
        "<x>\x00",
        "<" + "a" * 9000 + ">; rel=next",
    ],
)
def test_parse_links_r03_with_an_unreadable_header_is_refused(header):
    if header == "<x>; rel=":  # an empty value is a value
        assert parse_links([header]) == [Link("x", frozenset())]
        return
    with pytest.raises(BadAnswerError):
        parse_links([header])


@pytest.mark.parametrize(
    ("headers", "challenges"),
    [
        pytest.param(
            ['Bearer realm="https://a/t",service="s",scope="repository:x:pull,push"'],
            [("bearer", {"realm": "https://a/t", "service": "s", "scope": "repository:x:pull,push"})],
            id="bearer",
        ),
        pytest.param(['Basic realm="a \\"b\\""'], [("basic", {"realm": 'a "b"'})], id="escaped"),
        pytest.param(["BEARER Realm=x"], [("bearer", {"realm": "x"})], id="case"),
        pytest.param(
            ['Basic realm="a", Bearer realm="b", service="c"'],
            [("basic", {"realm": "a"}), ("bearer", {"realm": "b", "service": "c"})],
            id="two-in-one-header",
        ),
        pytest.param(
            ["Negotiate", "Basic realm=a"], [("negotiate", {}), ("basic", {"realm": "a"})], id="two-headers"
        ),
        pytest.param([], [], id="none"),
    ],
)  # fmt: skip
def test_parse_challenges_with_good_headers_returns_schemes_and_parameters(headers, challenges):
    assert parse_challenges(headers) == [Challenge(scheme, parts) for scheme, parts in challenges]


@pytest.mark.parametrize(
    "header",
    [
        'realm="x"',
        'Bearer realm="x',
        'Bearer realm="a", realm="b"',
        "Bearer realm=<x>",
        'Bearer realm="a\x01"',
        pytest.param('Bearer realm="' + "a" * 65536 + '"', id="64-kilobytes"),
    ],
)
def test_parse_challenges_r10_with_an_unreadable_header_is_refused(header):
    with pytest.raises(BadAnswerError):
        parse_challenges([header])


HEADER = st.text(alphabet=st.sampled_from('<>;,="\\ \t relnextBarmq/:?&é\x00\n'), max_size=200)


@pytest.mark.parametrize("parse", [parse_links, parse_challenges])
@settings(max_examples=500)
@given(values=st.lists(HEADER | st.text(max_size=100), max_size=3))
def test_parse_with_any_text_raises_nothing_but_its_error(parse, values):
    with contextlib.suppress(BadAnswerError):
        parse(values)


@pytest.mark.parametrize("parse", [parse_links, parse_challenges])
@pytest.mark.parametrize("piece", ["<x>; ", ' \t"', 'a="\\', "a=b ", "<x>;a ,", ", ", "; a"])
def test_parse_with_the_longest_header_takes_no_time(parse, piece):
    text = (piece * 8192)[:8192]
    started = time.perf_counter()

    with contextlib.suppress(BadAnswerError):
        parse([text])

    assert time.perf_counter() - started < 0.5
