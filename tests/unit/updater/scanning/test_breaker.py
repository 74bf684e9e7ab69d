"""How long a failing registry is left alone."""

import pytest

from updater.errors import TransientError
from updater.scanning.breaker import pause_seconds


@pytest.mark.parametrize(
    ("failures", "low"), [(0, 30), (1, 60), (2, 120), (3, 240), (4, 300), (5, 300), (1000, 300)]
)
def test_pause_seconds_r30_doubles_up_to_five_minutes(failures, low):
    for _ in range(50):
        assert low <= pause_seconds(TransientError("down"), failures=failures) <= low * 1.1


@pytest.mark.parametrize(("asked", "low"), [(90, 90), (5, 5), (3600, 3600), (999_999, 3600)])
def test_pause_seconds_r27_is_what_the_registry_asked_for_up_to_an_hour(asked, low):
    error = TransientError("slow down", retry_after_seconds=asked)

    assert low <= pause_seconds(error, failures=7) <= low * 1.1
