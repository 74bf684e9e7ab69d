"""Argo CD's sync windows as its own controller reads them (argo-cd.md 8)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater import sync_windows
from updater.sync_windows import Subject

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
SHOP = Subject("checkout", "shop", ("in-cluster", "https://kubernetes.default.svc"))


def _window(kind, schedule="0 11 * * *", duration="2h", **more):
    return {"kind": kind, "schedule": schedule, "duration": duration, "applications": ["*"], **more}


@pytest.mark.parametrize(
    ("windows", "automatic", "manual"),
    [
        ([], True, True),
        ([_window("allow")], True, True),
        ([_window("allow", schedule="0 13 * * *")], False, False),
        ([_window("allow", schedule="0 13 * * *", manualSync=True)], False, True),
        ([_window("deny")], False, False),
        ([_window("deny", manualSync=True)], False, True),
        ([_window("deny", manualSync=True), _window("deny")], False, False),
        ([_window("deny", schedule="0 13 * * *")], True, True),
        ([_window("allow"), _window("deny")], False, False),
        ([_window("allow", schedule="0 13 * * *"), _window("allow")], True, True),
        ([_window("allow", schedule="nonsense")], False, False),
        ([_window("allow", duration="1 d")], False, False),
        ([_window("allow", schedule="0 12 * * *")], False, False),
        ([_window("allow", schedule="0 10 * * *")], False, False),
        ([_window("allow", schedule="30 12 * * *", timeZone="Europe/Berlin")], True, True),
        ([_window("allow", timeZone="Mars/Base")], True, True),
    ],
    ids=[
        "none", "open", "closed", "closed but manual", "denied", "denied but manual",
        "every deny must permit", "deny not active", "deny beats allow", "one open is enough",
        "unreadable schedule", "unreadable duration", "starts now is not open",
        "ended now is not open", "zone counts", "unknown zone is UTC",
    ],
)  # fmt: skip
def test_judge_follows_argo_cd(windows, automatic, manual):
    answer = sync_windows.judge(windows, at=NOON)

    assert (answer.automatic, answer.manual) == (automatic, manual)


@pytest.mark.parametrize(
    ("selectors", "matches"),
    [
        ({}, False),
        ({"applications": ["check*"]}, True),
        ({"applications": ["other"], "namespaces": ["shop"]}, True),
        ({"applications": ["other"], "namespaces": ["shop"], "andOperator": True}, False),
        ({"clusters": ["https://kubernetes.*"]}, True),
        ({"applications": ["{checkout,cart}"]}, True),
        ({"applications": ["[abc]heckout"]}, True),
        ({"applications": ["CHECKOUT"]}, False),
        ({"applications": ["("]}, False),
        ({"applications": "checkout"}, False),
    ],
)
def test_matching_selects_by_name_namespace_and_cluster(selectors, matches):
    window = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", **selectors}

    assert bool(sync_windows.matching([window], SHOP)) is matches


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["kind", "schedule", "duration", "applications", "timeZone", "namespaces"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_judge_of_anything_answers(windows):
    found = sync_windows.matching(windows, SHOP)

    assert isinstance(sync_windows.judge(found, at=NOON).automatic, bool)
