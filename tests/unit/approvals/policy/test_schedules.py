"""When windows start by the wall clock, and which expressions are refused with their mend."""

# ruff: noqa: DTZ001  the clock on the wall has no zone

import time
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.policy import schedules
from approvals.policy.schedules import Schedule

NOON = datetime(2026, 5, 5, 12, 0, 30)
FIRST = datetime(2026, 1, 1)


def _cron(expression):
    return Schedule("cron", expression, "", 3600, "UTC")


def _rrule(expression, first="2026-01-01T00:00:00"):
    return Schedule("rrule", expression, first, 3600, "UTC")


STARTS = {
    "every hour": (_cron("0 * * * *"), "2026-05-05T12:00", "2026-05-05T13:00"),
    "weekdays": (_cron("0 9 * * MON-FRI"), "2026-05-05T09:00", "2026-05-06T09:00"),
    "fridays": (_cron("0 18 * * 5"), "2026-05-01T18:00", "2026-05-08T18:00"),
    "last of month": (_cron("0 0 L * *"), "2026-04-30T00:00", "2026-05-31T00:00"),
    "leap day": (_cron("0 0 29 2 *"), "2024-02-29T00:00", "2028-02-29T00:00"),
    "weekly rule": (_rrule("FREQ=WEEKLY;BYDAY=FR"), "2026-05-01T00:00", "2026-05-08T00:00"),
    "last friday": (_rrule("FREQ=MONTHLY;BYDAY=-1FR"), "2026-04-24T00:00", "2026-05-29T00:00"),
    "lower case": (_rrule("freq=daily;byhour=9"), "2026-05-05T09:00", "2026-05-06T09:00"),
    "every second day": (_rrule("FREQ=DAILY;INTERVAL=2"), "2026-05-05T00:00", "2026-05-07T00:00"),
    "ended by count": (_rrule("FREQ=DAILY;COUNT=3"), "2026-01-03T00:00", None),
    "ended by date": (_rrule("FREQ=DAILY;UNTIL=20260201"), "2026-02-01T00:00", None),
    "not yet begun": (_rrule("FREQ=YEARLY", "2026-12-18T18:00:00"), None, "2026-12-18T18:00"),
}


@pytest.mark.parametrize(("schedule", "latest", "following"), STARTS.values(), ids=STARTS)
def test_starts_around_a_moment(schedule, latest, following):
    assert schedules.latest_start(schedule, NOON) == (latest and datetime.fromisoformat(latest))
    assert schedules.next_start(schedule, NOON) == (following and datetime.fromisoformat(following))


def test_start_at_the_moment_itself_is_the_latest_not_the_next():
    at = datetime(2026, 5, 5, 12)

    assert schedules.latest_start(_cron("0 12 * * *"), at) == at
    assert schedules.next_start(_cron("0 12 * * *"), at) == at + timedelta(days=1)


BAD_CRON = {
    "empty": "",
    "four fields": "0 2 * *",
    "six fields with seconds": "0 0 2 * * *",
    "minute 60": "60 2 * * *",
    "words": "at two every day x",
    "31 February": "0 0 31 2 *",
    "endless": "0 " * 200,
    "step zero": "*/0 * * * *",
}


@pytest.mark.parametrize("expression", BAD_CRON.values(), ids=BAD_CRON)
def test_check_cron_of_a_bad_one_names_the_mend(expression):
    with pytest.raises(ValueError, match=r"minute hour day-of-month|no cron expression"):
        schedules.check_cron(expression)


BAD_RULES = {
    "empty": ("", "write for example"),
    "no frequency": ("BYDAY=FR", "needs FREQ="),
    "every second": ("FREQ=SECONDLY", "needs FREQ="),
    "hourly": ("FREQ=HOURLY", "needs FREQ="),
    "twice the same part": ("FREQ=DAILY;FREQ=DAILY", "write for example"),
    "two lines": ("FREQ=DAILY\nEXDATE=20260101", "no recurrence rule|FREQ="),
    "unknown part": ("FREQ=DAILY;BYSECOND=1", "BYSECOND that is not known"),
    "month 13": ("FREQ=DAILY;BYMONTH=13", "BYMONTH that is none: 13"),
    "day 0": ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY that is none: 0"),
    "weekday": ("FREQ=WEEKLY;BYDAY=XX", "BYDAY that is none"),
    "counted weekday of a week": ("FREQ=WEEKLY;BYDAY=2FR", "counts weekdays"),
    "until in UTC": ("FREQ=DAILY;UNTIL=20260201T000000Z", "without Z"),
    "until 31 February": ("FREQ=DAILY;UNTIL=20260231", "no time"),
    "days of the month in days": ("FREQ=DAILY;BYMONTHDAY=30", "needs FREQ=MONTHLY"),
    "every seventh day but another": ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "needs FREQ=WEEKLY"),
    "over before it began": ("FREQ=DAILY;UNTIL=20250101", "never starts"),
    "each minute": (
        "FREQ=DAILY;BYMINUTE=" + ",".join(map(str, range(60))),
        "more than 24 times a day",
    ),
    "interval 0": ("FREQ=DAILY;INTERVAL=0", "INTERVAL that is none"),
    "two counts": ("FREQ=DAILY;COUNT=1,2", "more than one COUNT"),
    "too long": ("FREQ=DAILY;BYHOUR=" + "1," * 200 + "1", "write for example"),
}


@pytest.mark.parametrize(("expression", "message"), BAD_RULES.values(), ids=BAD_RULES)
def test_check_rrule_of_a_bad_one_names_the_mend(expression, message):
    with pytest.raises(ValueError, match=message):
        schedules.check_rrule(expression, FIRST)


_PARTS = st.sampled_from(
    ["FREQ=DAILY", "FREQ=YEARLY", "FREQ=MONTHLY", "FREQ=WEEKLY", "BYDAY=MO", "BYDAY=-1FR", "COUNT=2"]
    + [f"{name}={number}" for name in ("BYMONTH", "BYMONTHDAY", "BYSETPOS", "BYWEEKNO", "INTERVAL")
       for number in ("1", "-1", "30", "0", "x", "")]
)  # fmt: skip


@given(st.one_of(st.text(max_size=30), st.lists(_PARTS, max_size=5).map(";".join)))
@settings(deadline=None)
def test_check_rrule_of_anything_refuses_or_can_be_asked(expression):
    try:
        schedules.check_rrule(expression, FIRST)
    except ValueError:
        return
    else:
        found = schedules.next_start(_rrule(expression), FIRST - timedelta(seconds=1))
        assert found is not None


@given(st.text(alphabet="0123456789*/,-#LW MONJAN", max_size=24))
def test_check_cron_of_anything_refuses_or_can_be_asked(expression):
    try:
        schedules.check_cron(expression)
    except ValueError:
        return
    else:
        latest = schedules.latest_start(_cron(expression), NOON)
        assert latest is None or latest <= NOON


def test_check_rrule_that_nearly_never_starts_is_answered_soon():
    started = time.process_time()

    with pytest.raises(ValueError, match="never starts"):
        schedules.check_rrule("FREQ=MONTHLY;BYHOUR=1,2,3;BYMONTH=2;BYMONTHDAY=31", FIRST)

    assert time.process_time() - started < 10  # of processor time; a busy machine is slower
