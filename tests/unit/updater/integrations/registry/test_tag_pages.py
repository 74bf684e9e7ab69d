"""One page of a tag list."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.integrations.registry.errors import BadAnswerError
from updater.integrations.registry.names import is_tag
from updater.integrations.registry.tag_pages import TagPage, parse_page

HOSTILE = [
    "../../x", "-rf", "a" * 129, "a b", "<script>", "v1\u202egnp", "", "v1\n", ".hidden", "a/b", "ä", "v1\x00",
]  # fmt: skip


def page(value, repository="acme/frontend"):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return parse_page(body, repository=repository, what="registry.example", max_values=10_000)


@pytest.mark.parametrize("tag", HOSTILE)
def test_parse_page_r15_with_a_hostile_tag_drops_and_counts_it(tag):
    assert page({"tags": ["v1", tag]}) == TagPage(("v1",), 1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"name": "acme/frontend", "tags": ["b", "a"]}, TagPage(("b", "a"), 0), id="order-kept"),
        pytest.param({"tags": None}, TagPage((), 0), id="r12-null-is-empty"),
        pytest.param({"tags": [1, None, "v1", ["x"], {}]}, TagPage(("v1",), 4), id="r12-members-of-other-types"),
        pytest.param({"name": "frontend", "tags": ["a"]}, TagPage(("a",), 0), id="name-cut-by-a-proxy"),
        pytest.param({"name": "mirror/acme/frontend", "tags": ["a"]}, TagPage(("a",), 0), id="name-with-prefix"),
    ],
)  # fmt: skip
def test_parse_page_with_a_list_returns_its_tags(body, expected):
    assert page(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"tags": {}}, id="r12-tags-object"),
        pytest.param({"errors": []}, id="no-tags-at-all"),
        pytest.param({"tags": "v1"}, id="tags-text"),
        pytest.param({"name": "other/thing", "tags": ["a"]}, id="r24-answer-to-another-request"),
        pytest.param({"name": 5, "tags": []}, id="name-number"),
        pytest.param(b"null", id="r12-null"),
    ],
)
def test_parse_page_with_a_bad_body_raises_its_error(body):
    with pytest.raises(BadAnswerError):
        page(body)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(st.fixed_dictionaries({}, optional={"tags": ANY_JSON, "name": ANY_JSON}))
def test_parse_page_with_any_json_returns_only_tags_or_raises_its_error(value):
    with contextlib.suppress(BadAnswerError):
        assert all(is_tag(name) for name in page(value).names)
