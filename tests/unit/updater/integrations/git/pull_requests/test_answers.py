"""Reading what a host answered: total, bounded, nothing unsafe comes through."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.integrations.git.pull_requests import answers, gitea, github, gitlab

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
KEYS = (
    *("number", "iid", "state", "sha", "head", "base", "repo", "merged", "merged_at", "login"),
    *("merge_commit_sha", "html_url", "web_url", "merged_by", "mergeable_state"),
)
DOCUMENTS = st.dictionaries(
    st.sampled_from(KEYS), JSON | st.dictionaries(st.sampled_from(KEYS), JSON)
)


@pytest.mark.parametrize("host", [github, gitlab, gitea], ids=lambda host: host.__name__[-6:])
@given(document=JSON | DOCUMENTS)
def test_read_any_document_gives_clean_facts(host, document):
    found = host._read(document)

    assert found.number >= 0
    assert found.head_sha == "" or len(found.head_sha) in (40, 64)
    assert found.url == "" or found.url.startswith(("https://", "http://"))
    assert all(each.isprintable() for each in (found.ended_by, found.name, found.obstacle))


@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_words_of_any_body_are_one_short_line(body):
    told = answers.words(body)

    assert len(told) <= 600
    assert "\n" not in told


@given(body=st.binary(max_size=200))
def test_parse_any_body_raises_only_its_error(body):
    try:
        answers.parse(body)
    except answers.NotJsonError:
        return


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://git.example/acme/shop/pulls/1", True),
        ("http://127.0.0.1:3000/acme/shop/pulls/1", True),
        ("javascript:alert(1)", False),
        ("https://me:secret@git.example/", False),
        ("https://git.example/\u202egpj", False),
        ("https://git.example/ x", False),
        ("https://[::1", False),
        ("//git.example/", False),
        ("https://git.example/" + "x" * 500, False),
        (5, False),
    ],
    ids=lambda value: str(value)[:30],
)
def test_link_is_one_that_a_person_may_follow(address, expected):
    assert (answers.link({"html_url": address}, "html_url") == address) is expected


@pytest.mark.parametrize("value", [True, False, 0, -3, 1.0, "7", None, 2**53])
def test_number_takes_whole_positive_numbers_only(value):
    assert answers.number({"number": value}, "number") == 0
