from datetime import UTC, datetime, timedelta

import pytest

from approvals.presenters import times

NOW = datetime(2026, 11, 24, 9, 31, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "short", "long"),
    [
        (timedelta(0), "0 s", "0 s"),
        (timedelta(seconds=38), "38 s", "38 s"),
        (timedelta(seconds=59.9), "59 s", "59 s"),
        (timedelta(minutes=2, seconds=31), "2 min", "2 min 31 s"),
        (timedelta(hours=3), "3 h", "3 h"),
        (timedelta(hours=25), "25 h", "1 d 1 h"),
        (timedelta(days=4, hours=6), "4 d", "4 d 6 h"),
        (timedelta(seconds=-5), "0 s", "0 s"),
    ],
)
def test_spans_read_in_one_and_two_units(length: timedelta, short: str, long: str):
    assert times.span(length) == short
    assert times.long_span(length) == long


def test_ago_of_a_clock_that_is_ahead_is_now():
    assert times.ago(NOW + timedelta(seconds=3), NOW) == "now"


def test_exact_carries_the_zone():
    assert times.exact(NOW) == "24 Nov 2026 09:31:08 UTC"
    assert times.exact_minute(NOW) == "24 Nov 2026 09:31 UTC"


def test_took_keeps_hundredths_below_a_minute():
    assert times.took(timedelta(milliseconds=410)) == "0.41 s"
    assert times.took(timedelta(minutes=2, seconds=31)) == "2 min 31 s"
