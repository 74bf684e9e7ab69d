"""`Retry-After` and the budget headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.integrations.registry.pacing import Budget, parse_budget, retry_after_seconds

NOW = 1_795_000_000.0  # 18 November 2026, 11:06:40 UTC


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("120", 120, id="seconds"),
        pytest.param("3600", 3600, id="an-hour"),
        pytest.param("999999999", 3600, id="too-long"),
        pytest.param("9" * 5000, 3600, id="absurd"),
        pytest.param("Wed, 18 Nov 2026 11:08:00 GMT", 80, id="date"),
        pytest.param("Thu, 18 Nov 2027 11:08:00 GMT", 3600, id="date-next-year"),
        pytest.param("Wed, 18 Nov 2020 11:08:00 GMT", None, id="date-past"),
        pytest.param("-5", None, id="negative"),
        pytest.param("0", None, id="zero"),
        pytest.param("soon", None, id="word"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="none"),
        pytest.param("١٢", None, id="other-digits"),
    ],
)
def test_retry_after_seconds_r27_reads_what_makes_sense(value, seconds):
    assert retry_after_seconds(value, now=NOW) == seconds


@given(
    st.text(max_size=60)
    | st.from_regex(r"\A[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ \w+\Z")
)
def test_retry_after_seconds_with_any_text_is_none_or_up_to_an_hour(value):
    seconds = retry_after_seconds(value, now=NOW)

    assert seconds is None or 0 < seconds <= 3600


@pytest.mark.parametrize(
    ("headers", "budget"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"ratelimit-remaining": "76;w=21600"}, Budget(76, 3600), id="docker-hub"),
        pytest.param({"ratelimit-remaining": "5", "ratelimit-reset": "30"}, Budget(5, 30), id="draft"),
        pytest.param({"x-ratelimit-remaining": "0"}, Budget(0, 60), id="no-reset"),
        pytest.param(
            {"x-ratelimit-remaining": "1", "x-ratelimit-reset": str(int(NOW) + 90)}, Budget(1, 90), id="epoch"
        ),
        pytest.param(
            {"x-ratelimit-remaining": "1", "x-ratelimit-reset": str(int(NOW) - 90)}, Budget(1, 1), id="epoch-past"
        ),
        pytest.param({"ratelimit-remaining": "-1"}, None, id="negative"),
        pytest.param({"ratelimit-remaining": "many"}, None, id="word"),
        pytest.param({"ratelimit-remaining": "1" * 100}, None, id="absurd"),
    ],
)  # fmt: skip
def test_parse_budget_reads_the_usual_headers(headers, budget):
    assert parse_budget(headers, now=NOW) == budget


@given(st.text(max_size=80), st.text(max_size=80))
def test_parse_budget_with_any_text_raises_nothing(remaining, reset):
    budget = parse_budget({"ratelimit-remaining": remaining, "ratelimit-reset": reset}, now=NOW)

    assert budget is None or (budget.remaining >= 0 and 1 <= budget.reset_seconds <= 3600)
