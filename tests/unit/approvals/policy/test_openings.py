"""When the windows of all rules together open and close."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.policy import openings
from tests.unit.approvals.policy import rules
from tests.unit.approvals.policy.rules import effective, windows

NIGHT = datetime(2026, 3, 27, 20, tzinfo=UTC)  # Friday before the spring change in Berlin


def _rules(allow, deny):
    found = rules.resolving.of_demands(
        rules.merge_of(rules.Requirements(windows=rules.Windows(allow=allow, deny=deny)))
    )
    return found.allow, found.deny


@given(windows(), windows(), st.integers(0, 40 * 60))
@settings(max_examples=50, deadline=None)
def test_look_names_the_first_moment_of_the_other_state(allow, deny, minutes):
    allowed, denied = _rules(allow, deny)
    at = NIGHT + timedelta(minutes=minutes)

    opening = openings.look(allowed, denied, at=at)

    assert opening.is_open == (not opening.because)
    if opening.changes_at is not None:
        assert opening.changes_at > at
        changed = openings.look(allowed, denied, at=opening.changes_at)
        assert changed.is_open != opening.is_open
        step = (opening.changes_at - at) / 17
        for number in range(1, 17):
            between = openings.look(allowed, denied, at=at + step * number)
            assert between.is_open == opening.is_open


OFFICE = """
rules:
- name: office
  windows: {allow: [{name: hours, cron: "0 9 * * MON-FRI", duration: 8h, zone: Europe/Berlin}]}
- name: company
  windows:
    deny:
    - {name: friday, cron: "0 14 * * FRI", duration: 10h, zone: Europe/Berlin}
    - {name: easter, rrule: FREQ=DAILY;COUNT=1, from: 2026-04-03, duration: 4d, zone: Europe/Berlin}
"""
MOMENTS = {
    "Thursday noon": ("2026-04-02T12:00+02:00", True, "2026-04-02T17:00+02:00"),
    "Friday morning": ("2026-03-27T10:00+01:00", True, "2026-03-27T14:00+01:00"),
    "Friday evening": ("2026-03-27T18:00+01:00", False, "2026-03-30T09:00+02:00"),
    "over Easter": ("2026-04-02T17:00+02:00", False, "2026-04-07T09:00+02:00"),
}


@pytest.mark.parametrize(("at", "is_open", "changes"), MOMENTS.values(), ids=MOMENTS)
def test_look_over_several_rules_says_when_all_agree(at, is_open, changes):
    found = effective(OFFICE)

    opening = openings.look(found.allow, found.deny, at=datetime.fromisoformat(at))

    assert opening.is_open == is_open
    assert opening.changes_at == datetime.fromisoformat(changes)


def test_look_without_windows_is_open_for_good():
    assert openings.look((), (), at=NIGHT) == openings.Opening(
        is_open=True, changes_at=None, because=()
    )


def test_t01_in_words_shows_the_rules_zone_and_utc():
    assert openings.in_words(NIGHT, "Europe/Berlin") == (
        "Fri 27 Mar 2026 21:00 Europe/Berlin (2026-03-27 20:00 UTC)"
    )
