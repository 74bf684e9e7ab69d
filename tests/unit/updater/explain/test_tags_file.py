"""The tags file: every bad entry is named, nothing but the documented error escapes."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.explain import tags_file
from updater.explain.tags_file import TagsFileError
from updater.selection import TagFacts

DIGEST = "sha256:" + "ab" * 32


def parse(entries):
    return tags_file.parse(json.dumps(entries).encode())


def test_parse_reads_all_that_is_known():
    [facts] = parse(
        [
            {
                "name": "main-abc",
                "digest": DIGEST,
                "created": "2026-11-20T10:00:00.123456789Z",
                "platforms": ["linux/amd64", "linux/arm/v7"],
                "position": 7,
            }
        ]
    )

    assert facts == TagFacts(
        "main-abc",
        DIGEST,
        datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC),
        ("linux/amd64", "linux/arm/v7"),
        7,
    )


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00+02:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20T10:00:00.5-05:30", datetime(2026, 11, 20, 15, 30, 0, 500000, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        (
            "9999-12-31T23:59:59-12:00",
            datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-12))),
        ),
    ],
)
def test_parse_r21_created_is_any_rfc_3339_time(created, expected):
    assert parse([{"name": "a", "created": created}])[0].created == expected


def test_parse_when_nothing_else_is_known_gives_names_and_places():
    tags = parse([{"name": "b", "digest": None}, {"name": "a", "position": None}])

    assert tags == [TagFacts("b", position=0), TagFacts("a", position=1)]


def test_parse_when_one_position_is_given_makes_up_no_others():
    tags = parse([{"name": "b", "position": 3}, {"name": "a"}])

    assert [facts.position for facts in tags] == [3, None]


def test_parse_of_an_empty_list_gives_no_tags():
    assert parse([]) == []


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param("a", "is no object", id="text"),
        pytest.param(None, "is no object", id="null"),
        pytest.param({}, "name is missing", id="empty"),
        pytest.param({"name": 1}, "name is missing or no string", id="number-as-name"),
        pytest.param({"name": "a", "dgst": "x"}, "key 'dgst' is not known", id="unknown-key"),
        pytest.param({"name": "a", "digest": "abc"}, "digest 'abc'", id="digest"),
        pytest.param({"name": "a", "digest": "sha256:xyz"}, "digest", id="digest-not-hex"),
        pytest.param({"name": "a", "digest": 5}, "digest 5", id="digest-number"),
        pytest.param({"name": "a", "created": "yesterday"}, "RFC 3339", id="words"),
        pytest.param({"name": "a", "created": "2026-11-20T10:00:00"}, "RFC 3339", id="r21-local"),
        pytest.param({"name": "a", "created": "2026-11-20"}, "RFC 3339", id="date"),
        pytest.param({"name": "a", "created": "2026-13-20T10:00:00Z"}, "no time", id="month-13"),
        pytest.param({"name": "a", "created": "2026-11-20T10:00:00+99:00"}, "no time", id="zone"),
        pytest.param({"name": "a", "created": 1763632800}, "RFC 3339", id="epoch"),
        pytest.param({"name": "a", "platforms": "linux/amd64"}, "platforms", id="platform-text"),
        pytest.param({"name": "a", "platforms": [""]}, "platforms", id="platform-empty"),
        pytest.param({"name": "a", "platforms": [1]}, "platforms", id="platform-number"),
        pytest.param({"name": "a", "position": -1}, "position -1", id="position-negative"),
        pytest.param({"name": "a", "position": True}, "position True", id="position-boolean"),
        pytest.param({"name": "a", "position": 1.5}, "position 1.5", id="position-fraction"),
    ],
)
def test_parse_when_an_entry_is_bad_names_it(entry, message):
    with pytest.raises(TagsFileError, match=message) as caught:
        parse([{"name": "good"}, entry])

    assert "entry 1" in str(caught.value)
    assert str(caught.value).isprintable()


def test_parse_names_every_bad_entry_up_to_twenty():
    with pytest.raises(TagsFileError) as caught:
        parse([{"name": f"t{place}", "position": "x"} for place in range(30)])

    assert str(caught.value).count("entry ") == 20
    assert "entry 7 ('t7')" in str(caught.value)
    assert str(caught.value).endswith("and 10 more")


def test_parse_when_a_tag_is_there_twice_names_it():
    with pytest.raises(TagsFileError, match="tag 'a' is there 3 times"):
        parse([{"name": "a"}, {"name": "b"}, {"name": "a"}, {"name": "a"}])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not valid JSON"),
        (b"[", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"{}", "is no list"),
        (b"null", "is no list"),
        (b'"a"', "is no list"),
        (b'[{"name":"a","name":"b"}]', "key name is there twice"),
        (b'[{"name":"a","position":NaN}]', "NaN is no JSON value"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[" + b"1" * 5000 + b"]", "not valid JSON"),
        (b"[" + b'{"name":"a"},' * 100_000 + b'{"name":"a"}]', "more than 100000 tags"),
    ],
    ids=[
        "empty",
        "cut",
        "no-utf-8",
        "object",
        "null",
        "text",
        "key-twice",
        "nan",
        "deep",
        "long-number",
        "too-many",
    ],
)
def test_parse_when_it_is_no_list_of_tags_is_refused(data, message):
    with pytest.raises(TagsFileError, match=message):
        tags_file.parse(data)


def test_load_when_the_file_is_missing_is_refused(tmp_path):
    with pytest.raises(TagsFileError, match="cannot be read"):
        tags_file.load(str(tmp_path / "none.json"))


def test_load_when_the_file_is_too_long_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "tags.json"
    path.write_text('[{"name": "1.0"}]')
    monkeypatch.setattr(tags_file, "_LARGEST_FILE", 10)

    with pytest.raises(TagsFileError, match="longer than 10 bytes"):
        tags_file.load(str(path))


def test_load_of_a_dash_reads_standard_input(monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO(b'[{"name": "1.0"}]'))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert tags_file.load("-") == [TagFacts("1.0", position=0)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "digest", "created", "platforms", "position", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=50) | JSON.map(lambda value: json.dumps(value).encode()))
def test_parse_of_anything_raises_only_its_own_error(data):
    try:
        tags = tags_file.parse(data)
    except TagsFileError as error:
        assert str(error).isprintable()  # noqa: PT017  any message must be safe to show
        return

    assert all(isinstance(facts, TagFacts) for facts in tags)
