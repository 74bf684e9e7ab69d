"""Windows against a minute-by-minute walk of the clock, above all where it jumps (T01, T02)."""

# ruff: noqa: DTZ001  the clock on the wall has no zone

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from approvals.policy import windows
from approvals.policy.schedules import Schedule

MINUTE = timedelta(minutes=1)
BERLIN, LORD_HOWE = "Europe/Berlin", "Australia/Lord_Howe"
# Nights in which clocks jump: forward an hour, back an hour, by 30 minutes, and one whole day left out.
JUMPS = {
    (BERLIN, "spring"): datetime(2026, 3, 28, 22, tzinfo=UTC),
    (BERLIN, "autumn"): datetime(2026, 10, 24, 22, tzinfo=UTC),
    (LORD_HOWE, "spring"): datetime(2026, 10, 3, 12, tzinfo=UTC),
    (LORD_HOWE, "autumn"): datetime(2026, 4, 4, 12, tzinfo=UTC),
    ("Pacific/Apia", "zone change"): datetime(2011, 12, 30, 6, tzinfo=UTC),
    ("Africa/Casablanca", "autumn"): datetime(2026, 2, 14, 22, tzinfo=UTC),
    ("UTC", "none"): datetime(2026, 3, 28, 22, tzinfo=UTC),
}


def _daily(hour, minute, minutes, zone=BERLIN):
    return Schedule("cron", f"{minute} {hour} * * *", "", minutes * 60, zone)


def _local(moment, zone):
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _walk(start, hours):
    return [start + MINUTE * step for step in range(hours * 60)]


@cache
def _clock(zone, start, hours):
    return [(moment, _local(moment, zone)) for moment in _walk(start, hours)]


def _shown(schedule, moment):
    """Whether the clock shows a time in a daily window, told from the clock's face alone."""
    minute, hour, *_ = schedule.expression.split()
    wall = _local(moment, schedule.zone)
    opened = wall.replace(hour=int(hour), minute=int(minute), second=0)
    length = timedelta(seconds=schedule.seconds)
    return any(
        start <= wall < start + length
        for back in range(schedule.seconds // 86400 + 2)
        if (start := opened - timedelta(days=back)) <= wall
    )


def _denied_by_walk(schedule, walls):
    """Return the spans that a daily freeze closes: from the first time of its start to the last of its end."""
    minute, hour, *_ = schedule.expression.split()
    length = timedelta(seconds=schedule.seconds)
    spans = []
    first, last = walls[0][1].date(), walls[-1][1].date()
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        start = datetime(day.year, day.month, day.day, int(hour), int(minute))
        inside = [moment for moment, wall in walls if start <= wall < start + length]
        ends = [moment for moment, wall in walls if wall == start + length]
        if (
            len(ends) > 1
        ):  # the clock shows the end twice: the last one counts, in doubt it is closed
            inside.append(ends[-1] - MINUTE)
        if any(wall == start for _, wall in walls):
            spans.append((inside[0], inside[-1]))
        elif walls[0][1] < start < walls[-1][1]:  # the clock never shows it: it was skipped
            jump = next(moment for moment, wall in walls if wall > start)
            spans.append((jump, jump + length - MINUTE))
        elif inside:
            spans.append((inside[0], inside[-1]))
    return spans


@pytest.mark.parametrize(
    ("zone", "night"), JUMPS, ids=[" ".join(key).replace("/", "-") for key in JUMPS]
)
@given(
    hour=st.integers(0, 23),
    minute=st.sampled_from([0, 1, 15, 30, 45, 59]),
    minutes=st.integers(1, 300),
)
@example(hour=0, minute=0, minutes=120)  # ends at an hour that autumn shows twice
@settings(max_examples=8, deadline=None)
def test_states_equal_a_walk_of_the_clock(zone, night, hour, minute, minutes):
    schedule = _daily(hour, minute, minutes, zone)
    clock = _clock(zone, JUMPS[zone, night] - timedelta(hours=24), 48)
    denied = _denied_by_walk(schedule, clock)

    for moment, _ in clock[12 * 60 : 36 * 60 : 7]:
        is_denied = any(first <= moment <= last for first, last in denied)
        assert windows.allowing(schedule, moment).in_force == _shown(schedule, moment), moment
        assert windows.denying(schedule, moment).in_force == is_denied, moment


@pytest.mark.parametrize("look", [windows.allowing, windows.denying], ids=["allow", "deny"])
@pytest.mark.parametrize(
    ("zone", "night"), JUMPS, ids=[" ".join(key).replace("/", "-") for key in JUMPS]
)
@given(
    hour=st.integers(0, 23),
    minute=st.sampled_from([0, 15, 30, 59]),
    minutes=st.integers(1, 400),
    offset=st.integers(0, 10 * 60),
)
@settings(max_examples=12, deadline=None)
def test_change_is_the_first_moment_of_another_state(  # noqa: PLR0917  hypothesis draws them
    look, zone, night, hour, minute, minutes, offset
):
    schedule = _daily(hour, minute, minutes, zone)
    moment = JUMPS[zone, night] + MINUTE * offset

    state = look(schedule, moment)

    assert state.changes_at is not None
    assert moment < state.changes_at <= moment + timedelta(hours=72)
    assert look(schedule, state.changes_at).in_force != state.in_force
    before = _walk(moment, 72)[: int((state.changes_at - moment) / MINUTE)]
    assert all(look(schedule, earlier).in_force == state.in_force for earlier in before[::11])
    assert look(schedule, state.changes_at - timedelta(seconds=1)).in_force == state.in_force


def test_t01_freeze_in_the_spring_gap_is_not_skipped():
    freeze = _daily(2, 0, 60)  # 02:00 to 03:00; at 02:00 the clock jumps to 03:00
    jump = datetime(2026, 3, 29, 1, tzinfo=UTC)

    states = [windows.denying(freeze, jump + timedelta(minutes=shift)) for shift in (-1, 0, 59, 60)]

    assert [state.in_force for state in states] == [False, True, True, False]
    assert states[0].changes_at == jump
    assert states[1].changes_at == jump + timedelta(hours=1)


def test_t01_freeze_in_the_autumn_fold_holds_in_both_hours():
    freeze = _daily(2, 0, 60)
    first = datetime(2026, 10, 25, 0, tzinfo=UTC)  # 02:00 CEST; an hour later it is 02:00 again

    states = [windows.denying(freeze, first + timedelta(minutes=shift)) for shift in (-1, 0, 119)]

    assert [state.in_force for state in states] == [False, True, True]
    assert states[1].changes_at == first + timedelta(hours=2)
    assert not windows.denying(freeze, first + timedelta(hours=2)).in_force


def test_t01_permission_in_the_gap_does_not_open_and_in_the_fold_opens_twice():
    permission = _daily(2, 15, 30)
    gap = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    fold = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)

    opens_in_gap = windows.allowing(permission, gap).changes_at
    first = windows.allowing(permission, fold).changes_at
    closes = windows.allowing(permission, first).changes_at
    second = windows.allowing(permission, closes).changes_at

    assert opens_in_gap == datetime(2026, 3, 30, 0, 15, tzinfo=UTC)
    assert first == datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    assert closes == datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    assert second == datetime(2026, 10, 25, 1, 15, tzinfo=UTC)


T02 = {
    "over midnight": ("0 22 * * *", 4, "2026-05-05T21:59", "2026-05-06T01:59"),
    "over new year": ("0 22 31 12 *", 4, "2026-12-31T21:59", "2027-01-01T01:59"),
    "over the month's end": ("0 22 L * *", 4, "2026-02-28T21:59", "2026-03-01T01:59"),
    "on leap day": ("0 22 29 2 *", 4, "2028-02-29T21:59", "2028-03-01T01:59"),
}


@pytest.mark.parametrize(("cron", "hours", "before", "last"), T02.values(), ids=T02)
def test_t02_window_over_a_boundary_is_one_window(cron, hours, before, last):
    schedule = Schedule("cron", cron, "", hours * 3600, "UTC")
    before = datetime.fromisoformat(before).replace(tzinfo=UTC)
    last = datetime.fromisoformat(last).replace(tzinfo=UTC)

    for look in (windows.allowing, windows.denying):
        assert not look(schedule, before).in_force
        assert look(schedule, before).changes_at == before + MINUTE
        assert look(schedule, last).in_force
        assert look(schedule, before + MINUTE).changes_at == last + MINUTE


def test_weekend_over_the_autumn_change_ends_by_the_clock():
    weekend = Schedule("cron", "0 18 * * FRI", "", 62 * 3600, BERLIN)

    state = windows.denying(weekend, datetime(2026, 10, 24, 12, tzinfo=UTC))

    assert state.changes_at == datetime(2026, 10, 26, 7, tzinfo=UTC)  # Monday 08:00 CET


@pytest.mark.parametrize("look", [windows.allowing, windows.denying], ids=["allow", "deny"])
def test_windows_that_run_into_each_other_have_no_end(look):
    always = Schedule("cron", "0 * * * *", "", 2 * 3600, BERLIN)

    state = look(always, datetime(2026, 5, 5, 12, 30, tzinfo=UTC))

    assert state == windows.State(in_force=True, changes_at=None)


@pytest.mark.parametrize("look", [windows.allowing, windows.denying], ids=["allow", "deny"])
def test_rule_that_ended_never_opens_again(look):
    once = Schedule("rrule", "FREQ=DAILY;COUNT=1", "2026-12-18T18:00:00", 16 * 86400, BERLIN)

    during = look(once, datetime(2026, 12, 25, tzinfo=UTC))
    after = look(once, datetime(2027, 1, 4, tzinfo=UTC))

    assert during == windows.State(in_force=True, changes_at=datetime(2027, 1, 3, 17, tzinfo=UTC))
    assert after == windows.State(in_force=False, changes_at=None)


def test_overlapping_freezes_end_with_the_last():
    schedule = Schedule("cron", "0 10,11 * * *", "", 2 * 3600, "UTC")

    state = windows.denying(schedule, datetime(2026, 5, 5, 10, 30, tzinfo=UTC))

    assert state == windows.State(in_force=True, changes_at=datetime(2026, 5, 5, 13, tzinfo=UTC))
