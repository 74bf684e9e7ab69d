"""Sync windows decide as section 8 of argo-cd.md says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onebox.world.argocd import cron, durations
from onebox.world.argocd.windows import Subject, is_active, may_sync

CALMLY = settings(deadline=None, max_examples=60)  # a busy machine is no failure


def _wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


SHOP = Subject("example", "shop", ("in-cluster", "https://kubernetes.default.svc"))
NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)  # a Tuesday


def _window(kind: str = "deny", schedule: str = "0 11 * * *", **settings):
    return {
        "kind": kind,
        "schedule": schedule,
        "duration": "2h",
        "applications": ["*"],
        **settings,
    }


OPEN, CLOSED = _window("allow"), _window("allow", "0 20 * * *")
DENY, LATER = _window(), _window(schedule="0 20 * * *")


@pytest.mark.parametrize(
    ("windows", "automatic", "manual"),
    [
        ([], True, True),
        ([_window(applications=["other"])], True, True),
        ([DENY], False, False),
        ([{**DENY, "manualSync": True}], False, True),
        ([{**DENY, "manualSync": True}, DENY], False, False),
        ([OPEN], True, True),
        ([OPEN, DENY], False, False),
        ([CLOSED], False, False),
        ([{**CLOSED, "manualSync": True}], False, True),
        ([{**CLOSED, "manualSync": True}, CLOSED], False, False),
        ([OPEN, CLOSED], True, True),
        ([LATER], True, True),
        ([LATER, CLOSED], False, False),
        ([{**OPEN, "schedule": "never"}], False, False),
        ([{**OPEN, "duration": "1d"}], False, False),
        ([{key: value for key, value in DENY.items() if key != "applications"}], True, True),
    ],
    ids=[
        "none",
        "not-matching",
        "deny",
        "deny-manual",
        "deny-mixed",
        "allow",
        "deny-beats-allow",
        "allow-closed",
        "allow-closed-manual",
        "allow-closed-mixed",
        "one-allow-open",
        "deny-inactive",
        "deny-inactive-allow-closed",
        "bad-schedule",
        "bad-duration",
        "no-selector",
    ],
)
def test_may_sync_checklist_20_follows_the_six_rules(windows, automatic, manual) -> None:
    answers = [
        may_sync(windows, SHOP, now=NOON, is_manual=is_manual, is_running=False)
        for is_manual in (False, True)
    ]

    assert answers == [automatic, manual]


def test_may_sync_with_overrun_lets_a_running_sync_go_on() -> None:
    windows = [{**DENY, "syncOverrun": True}]

    assert may_sync(windows, SHOP, now=NOON, is_manual=False, is_running=True)
    assert not may_sync(windows, SHOP, now=NOON, is_manual=False, is_running=False)


@pytest.mark.parametrize(
    ("selectors", "matches"),
    [
        ({"applications": ["exa*"]}, True),
        ({"namespaces": ["sh?p"]}, True),
        ({"clusters": ["in-*"]}, True),
        ({"clusters": ["https://*.svc"]}, True),
        ({"applications": ["other"], "namespaces": ["shop"]}, True),
        ({"applications": ["other"], "namespaces": ["shop"], "andOperator": True}, False),
        ({"applications": ["example"], "namespaces": ["shop"], "andOperator": True}, True),
        ({"applications": ["EXAMPLE"]}, False),
        ({"applications": ["{web,example}"]}, True),
        ({"applications": ["[a-e]xample"]}, True),
        ({"applications": ["[z-a]xample"]}, False),
    ],
    ids=[
        "name",
        "namespace",
        "cluster",
        "server",
        "or",
        "and-not",
        "and",
        "case",
        "braces",
        "class",
        "bad-class",
    ],
)
def test_may_sync_asks_the_selectors(selectors, matches: bool) -> None:  # noqa: FBT001  a table's column
    base = {key: value for key, value in DENY.items() if key != "applications"}

    allowed = may_sync([{**base, **selectors}], SHOP, now=NOON, is_manual=True, is_running=False)

    assert allowed is not matches


@pytest.mark.parametrize(
    ("now", "active"),
    [
        (NOON.replace(hour=11), False),
        (NOON.replace(hour=11, second=1), True),
        (NOON.replace(hour=12, minute=59), True),
        (NOON.replace(hour=13), False),
    ],
    ids=["start", "just-after", "inside", "end"],
)
def test_is_active_is_open_at_both_ends(now: datetime, active: bool) -> None:  # noqa: FBT001  a table's column
    assert is_active(DENY, now) is active


def test_is_active_counts_in_the_windows_zone() -> None:
    tokyo = _window(schedule="0 21 * * *", duration="30m", timeZone="Asia/Tokyo")

    assert is_active(tokyo, NOON + timedelta(minutes=10))
    assert not is_active({**tokyo, "timeZone": "Nowhere/Nothing"}, NOON + timedelta(minutes=10))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("30 12 * * *", _wall("2026-11-03 12:30")),
        ("0 12 * * *", _wall("2026-11-04 12:00")),
        ("*/20 * * * *", _wall("2026-11-03 12:20")),
        ("0 0 1 * *", _wall("2026-12-01 00:00")),
        ("0 0 * * MON-wed", _wall("2026-11-04 00:00")),
        ("0 0 13 * 5", _wall("2026-11-06 00:00")),
        ("0 0 ? feb ?", _wall("2027-02-01 00:00")),
        ("0 0 29 2 *", _wall("2028-02-29 00:00")),
        ("5/25 0 * * *", _wall("2026-11-04 00:05")),
        ("0 0 30 2 *", None),
    ],
    ids=[
        "later-today",
        "strictly-after",
        "step",
        "month",
        "weekdays",
        "day-or-weekday",
        "names",
        "leap-year",
        "start-and-step",
        "never",
    ],
)
def test_next_after_finds_the_first_start(schedule: str, expected: datetime | None) -> None:
    assert cron.parse(schedule).next_after(_wall("2026-11-03 12:00")) == expected


@pytest.mark.parametrize("text", ["@daily", "* * * *", "60 * * * *", "* * * * 7", "a * * * *", ""])
def test_parse_of_no_schedule_says_so(text: str) -> None:
    with pytest.raises(cron.ScheduleError):
        cron.parse(text)


@CALMLY
@given(st.text(alphabet="0123456789*/,-? abcMON", max_size=24))
def test_parse_of_any_text_is_a_schedule_or_its_error(text: str) -> None:
    try:
        schedule = cron.parse(text)
    except cron.ScheduleError:
        return
    start = schedule.next_after(_wall("2026-01-01 00:00"))
    assert start is None or start > _wall("2026-01-01 00:00")


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h30m", 5400), ("90s", 90), ("1.5m", 90), ("250ms", 0.25), ("0", 0)]
)
def test_duration_is_read_as_go_reads_it(text: str, seconds: float) -> None:
    assert durations.parse(text) == seconds


@CALMLY
@given(st.text(max_size=12))
def test_duration_of_any_text_is_a_number_or_its_error(text: str) -> None:
    try:
        assert durations.parse(text) >= 0
    except durations.DurationError:
        return
