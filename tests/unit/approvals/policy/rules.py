"""Policies for tests: texts read as the file is, and rules as hypothesis makes them up."""

from hypothesis import strategies as st

from approvals.permissions import Role
from approvals.policy import reading, resolving
from approvals.policy.demands import merge, of_rule
from approvals.policy.document import (
    AutoApprove,
    Document,
    Emergency,
    Expiry,
    MinReason,
    Quorum,
    Requirements,
    Rollback,
    Upstream,
)
from approvals.policy.effective import Effective
from approvals.policy.fields import Window, Windows
from approvals.policy.targets import Target

PAYMENTS = Target(
    project="shop",
    full_name="argocd/payments",
    namespace="payments",
    clusters=("in-cluster",),
    labels=frozenset({("tier", "critical")}),
)
GROUPS = ("sre", "leads", "security")


def policy(text: str = "") -> Document:
    """Read a policy file's rules."""
    return reading.read(f"version: 1\n{text}".encode())


def effective(text: str = "", target: Target = PAYMENTS) -> Effective:
    """Return what a policy file says for an Application."""
    return resolving.resolve(policy(text), target)


def merge_of(*several: Requirements) -> dict:
    """Return the demands of some rules, merged."""
    return merge(of_rule(item, f"rule {number}") for number, item in enumerate(several))


def quorums():
    """Make quorums of a role, or of groups."""
    count, name = st.integers(1, 3), st.sampled_from(["one", "two"])
    by_role = st.builds(Quorum, name=name, count=count, role=st.just(Role.APPROVER))
    groups = st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2).map(tuple)
    return st.lists(
        by_role | st.builds(Quorum, name=name, count=count, groups=groups), min_size=1, max_size=3
    ).map(tuple)


def window(name: str, cron: str, duration: str, zone: str) -> Window:
    """Make a window as the file would."""
    text = f'{{"name": "{name}", "cron": "{cron}", "duration": "{duration}", "zone": "{zone}"}}'
    return Window.model_validate_json(text)


def windows():
    """Make a few windows of a few hours."""
    return st.lists(
        st.builds(
            window,
            st.sampled_from(["freeze", "hours"]),
            st.sampled_from(["0 9 * * MON-FRI", "30 2 * * *", "0 22 * * *", "0 0 * * SAT"]),
            st.sampled_from(["1h", "8h", "1d12h"]),
            st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
        ),
        max_size=2,
    ).map(tuple)


def _some(*values):
    return st.sampled_from([None, *values])


def requirements():
    """Make what a rule may demand."""
    overrides = st.lists(st.sampled_from(["window", "soak", "hold"]), max_size=2).map(tuple)
    emergency = st.builds(
        Emergency,
        approvals=quorums(),
        min_reason=st.integers(10, 99),
        incident=st.booleans(),
        review_within=st.sampled_from(["2h", "1d"]),
        overrides=overrides,
    )
    auto = st.builds(
        AutoApprove,
        bump=st.sampled_from(["patch", "minor", "major"]),
        tags=_some(("v*",), ("main-*",)),
        downgrade=st.booleans(),
        healthy=st.booleans(),
    )
    return st.builds(
        Requirements,
        approvals=st.none() | quorums(),
        mandatory_groups=st.lists(st.sampled_from(GROUPS), max_size=2).map(tuple),
        exclude=st.lists(st.sampled_from(["builder", "commit-authors"]), max_size=2).map(tuple),
        when_authors_unknown=_some("warn", "one-more", "refuse"),
        min_reason=st.none() | st.builds(MinReason, approve=_some(0, 20), reject=_some(1, 40)),
        expires=st.none()
        | st.builds(Expiry, pending=_some("1m", "2h"), approved=_some("1m", "2h")),
        supersede=_some("keep-approved", "newest"),
        pin=_some("tag", "digest"),
        soak=_some("0s", "10m", "2h"),
        upstream=st.lists(
            st.builds(
                lambda name, seconds: Upstream.model_validate_json(
                    f'{{"application": "argocd/{name}", "for": "{seconds}s"}}'
                ),
                st.sampled_from(["staging", "test"]),
                st.integers(0, 100),
            ),
            max_size=2,
        ).map(tuple),
        auto_approve=st.none() | st.just("never") | auto,
        windows=st.builds(Windows, allow=windows(), deny=windows()),
        emergency=st.none() | st.just("never") | emergency,
        rollback=st.none() | st.builds(Rollback, approvals=quorums(), overrides=overrides),
        two_writers=_some("warn", "refuse"),
    )
