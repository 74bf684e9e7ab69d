"""The configuration blob: times, labels, platform."""

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.integrations.registry.errors import BadAnswerError
from updater.integrations.registry.image_config import clean_text, parse_config, parse_time


def config(**members):
    return parse_config(json.dumps(members).encode(), what="registry.example")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T10:00:00.123456789Z", datetime(2026, 11, 23, 10, 0, 0, 123456, UTC)),
        ("2026-11-23T10:00:00.5+02:00", datetime(2026, 11, 23, 8, 0, 0, 500000, UTC)),
        ("2026-11-23t10:00:00z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_parse_time_r21_with_a_time_returns_it_in_utc(text, moment):
    assert parse_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-11-23T10:00:00", id="r21-local-time"),
        pytest.param("0001-01-01T00:00:00+05:00", id="before-year-1"),
        pytest.param("9999-12-31T23:59:59-05:00", id="after-year-9999"),
        pytest.param("2026-02-30T10:00:00Z", id="no-such-day"),
        pytest.param("2026-11-23T10:00:60Z", id="leap-second"),
        pytest.param("2026-11-23T10:00:00+99:99", id="no-such-zone"),
        pytest.param("\uff12026-11-23T10:00:00Z", id="wide-digit"),
        pytest.param("yesterday", id="words"),
        pytest.param("", id="empty"),
        pytest.param(1_700_000_000, id="number"),
        pytest.param(None, id="r21-missing"),
    ],
)
def test_parse_time_r21_with_something_else_returns_none(text):
    assert parse_time(text) is None


def test_parse_config_returns_platform_time_and_labels():
    parsed = config(
        os="linux",
        architecture="arm",
        variant="v7",
        created="2026-11-23T10:00:00Z",
        config={"Labels": {"org.opencontainers.image.revision": "e1f492f"}},
    )

    assert parsed.platform == "linux/arm/v7"
    assert parsed.created == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert parsed.labels == {"org.opencontainers.image.revision": "e1f492f"}


@pytest.mark.parametrize("section", [None, [], "x", {"Labels": None}, {"Labels": ["a"]}, {}])
def test_parse_config_with_no_labels_returns_none_of_them(section):
    assert config(config=section).labels == {}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param("<b>bold</b>", "<b>bold</b>", id="html-is-text-here"),
        pytest.param("x" * 1_000_000, "x" * 2048, id="one-megabyte"),
        pytest.param("a\x00b\x1bc\u202ed\u200be\n", "abcde", id="controls"),
        pytest.param("\ud800x", "x", id="lone-surrogate"),
    ],
)
def test_parse_config_r36_with_a_hostile_label_makes_it_harmless(value, kept):
    assert config(config={"Labels": {"description": value}}).labels == {"description": kept}


def test_parse_config_r36_with_many_or_odd_labels_keeps_a_hundred_texts():
    labels = {f"label-{number}": "x" for number in range(5000)} | {"n": 5, "k" * 300: "x"}

    assert len(config(config={"Labels": labels}).labels) == 100


@given(st.text(max_size=300), st.integers(0, 100))
def test_clean_text_with_any_text_keeps_only_what_can_be_stored_and_shown(text, length):
    cleaned = clean_text(text, length)

    assert len(cleaned) <= length
    assert "\x00" not in cleaned
    cleaned.encode("utf-8")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
KEYS = st.sampled_from(["os", "architecture", "variant", "created", "config", "history"])


@given(st.dictionaries(KEYS, JSON, max_size=6), st.text(max_size=40))
def test_parse_config_with_any_json_raises_nothing_but_its_error(members, created):
    with contextlib.suppress(BadAnswerError):
        config(**members)
        config(**{**members, "created": created, "config": {"Labels": members}})
