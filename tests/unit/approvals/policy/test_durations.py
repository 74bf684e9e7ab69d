"""Durations as people write and read them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.policy import durations

GOOD = {"90s": 90, "30m": 1800, "2h": 7200, "7d": 604800, "2w": 1209600, "1d12h": 129600, "0s": 0}
BAD = ["", "30", "h", "1.5h", "-1h", "1h 30m", "1y", "1H", "1h1h", "367d", "9999999w", "٣h", "1h\n"]


@pytest.mark.parametrize(("text", "seconds"), GOOD.items(), ids=GOOD)
def test_seconds_of_a_duration(text, seconds):
    assert durations.seconds_of(text) == seconds


@pytest.mark.parametrize("text", BAD, ids=[ascii(text) for text in BAD])
def test_seconds_of_what_is_none_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a duration|a unit twice|longer than"):
        durations.seconds_of(text)


@given(st.integers(1, 366 * 86400))
def test_in_words_reads_back_as_the_same(seconds):
    assert durations.seconds_of(durations.in_words(seconds).replace(" ", "")) == seconds


@given(st.text(max_size=12))
def test_seconds_of_anything_is_seconds_or_the_documented_error(text):
    try:
        assert durations.seconds_of(text) >= 0
    except ValueError as error:
        assert str(error)  # noqa: PT017  either outcome is fine, another error is not


ABOUT = {
    59: "59s", 61: "1m 1s", 3599: "59m 59s", 3661: "1h 1m", 90061: "1d 1h", 0: "0s", -5: "0s",
}  # fmt: skip


@pytest.mark.parametrize(("seconds", "words"), ABOUT.items(), ids=map(str, ABOUT))
def test_about_keeps_the_two_largest_units(seconds, words):
    assert durations.about(timedelta(seconds=seconds)) == words
