"""Several rules merge to the strictest: in any order, and never weaker than one of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.policy import demands, evaluation, gating, openings, resolving
from approvals.policy.demands import merge, of_rule
from approvals.policy.evaluation import Approval, Facts, Person
from approvals.policy.surroundings import DigestFact, Surroundings
from tests.unit.approvals.policy import rules
from tests.unit.approvals.policy.rules import effective

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
PEOPLE = (
    Person("ana", groups=frozenset({"sre"}), roles=frozenset({"approver"})),
    Person("ben", groups=frozenset({"sre", "leads"}), roles=frozenset({"approver"})),
    Person("cleo", groups=frozenset({"security"}), roles=frozenset({"approver"})),
    Person("dan", groups=frozenset({"leads"})),
)
_requirements = rules.requirements()


def _stated(*several):
    return [of_rule(requirements, f"rule {number}") for number, requirements in enumerate(several)]


@settings(max_examples=40, deadline=None)
@given(_requirements, _requirements)
def test_merge_is_commutative(one, other):
    first, second = _stated(one, other)

    assert merge([first, second]) == merge([second, first])


@settings(max_examples=40, deadline=None)
@given(_requirements, _requirements, _requirements)
def test_merge_is_associative(one, other, third):
    first, second, last = _stated(one, other, third)

    assert merge([merge([first, second]), last]) == merge([first, merge([second, last])])
    assert merge([first, second, last]) == merge([first, merge([second, last])])


@settings(max_examples=40, deadline=None)
@given(_requirements)
def test_merge_with_itself_changes_nothing(one):
    (stated,) = _stated(one)

    assert merge([stated, stated]) == stated == merge([stated])


@settings(max_examples=40, deadline=None)
@given(_requirements, _requirements)
def test_merge_is_as_strict_as_each_input(one, other):
    first, second = _stated(one, other)

    merged = merge([first, second])

    assert demands.is_as_strict(merged, first)
    assert demands.is_as_strict(merged, second)


@settings(max_examples=40, deadline=None)
@given(
    _requirements,
    _requirements,
    st.sets(st.sampled_from(["ana", "ben", "cleo", "dan"])),
    st.sampled_from(["", "nobody knows who built it"]),
)
def test_what_satisfies_the_merged_satisfies_each_input(one, other, approvers, problem):
    stated = _stated(one, other)
    facts = Facts(
        at=NOON,
        expires_at=NOON + timedelta(days=1),
        people=PEOPLE,
        approvals=tuple(Approval(name) for name in sorted(approvers)),
        builder=evaluation.Authors((evaluation.Author("dan"),), problem),
    )

    merged = evaluation.count(resolving.of_demands(merge(stated)), facts)

    for alone in stated:
        counted = evaluation.count(resolving.of_demands(alone), facts)
        assert counted.is_satisfied or not merged.is_satisfied


@settings(max_examples=40, deadline=None)
@given(_requirements, _requirements, st.integers(0, 72 * 60))
def test_when_the_merged_is_open_each_input_is_open(one, other, minutes):
    stated, at = _stated(one, other), NOON + timedelta(minutes=minutes)

    merged = resolving.of_demands(merge(stated))

    if openings.look(merged.allow, merged.deny, at=at).is_open:
        for alone in map(resolving.of_demands, stated):
            assert openings.look(alone.allow, alone.deny, at=at).is_open


@settings(max_examples=40, deadline=None)
@given(
    _requirements,
    _requirements,
    st.sampled_from(["normal", "rollback", "emergency"]),
    st.integers(0, 8000),
)
def test_gate_that_opens_under_the_merged_opens_under_each_input(one, other, mode, age):
    stated = _stated(one, other)
    around = Surroundings(
        at=NOON,
        start_by=NOON + timedelta(days=1),
        digest=DigestFact("same"),
        mode=mode,
        first_seen_at=NOON - timedelta(seconds=age),
        writers=("Argo CD Image Updater",),
    )
    # What a rule does not say, another may permit; compare only ways out that both speak of.
    spoken = [any(key.field.startswith(mode) for key in alone) for alone in stated]

    merged = gating.judge(resolving.of_demands(merge(stated)), around)

    for alone, speaks in zip(stated, spoken, strict=True):
        if mode == "normal" or speaks or not any(spoken):
            judged = gating.judge(resolving.of_demands(alone), around)
            opened = {gate.key for gate in merged if gate.is_open}
            assert opened <= {gate.key for gate in judged if gate.is_open}


@settings(max_examples=40, deadline=None)
@given(st.permutations(["one", "two", "three"]), _requirements, _requirements, _requirements)
def test_version_does_not_depend_on_names_or_order(names, one, other, third):
    several = (one, other, third)
    stated = [of_rule(item, name) for item, name in zip(several, names, strict=True)]

    version = resolving.of_demands(merge(stated)).version()

    assert version == resolving.of_demands(merge(reversed(_stated(*several)))).version()


RULES = """
defaults:
  approvals: [{name: anybody, role: approver}]
  soak: 1h
  expires: {pending: 3d}
rules:
- name: shop
  match: {projects: [shop]}
  approvals: [{name: two SREs, groups: [sre], count: 2}]
  windows: {deny: [{name: night, cron: "0 22 * * *", duration: 8h, zone: UTC}]}
- name: payments
  match: {applications: ["argocd/pay*"]}
  approvals: [{name: SRE, groups: [sre], count: 1}, {name: leads, groups: [leads]}]
  mandatory_groups: [security]
  soak: 30m
- name: elsewhere
  match: {projects: [other]}
  approvals: [{name: many, role: approver, count: 9}]
- name: critical
  match: {labels: {tier: crit*}}
  min_reason: {approve: 20}
  soak: 10m
"""


def test_resolve_merges_what_matches_and_says_where_it_comes_from():
    found = effective(RULES)

    assert [(rule.name, rule.count, rule.origins) for rule in found.quorums] == [
        ("leads", 1, ("payments",)),
        ("two SREs", 2, ("shop",)),
        ("security", 1, ("payments",)),
    ]
    assert (found.soak_seconds, found.origins("soak")) == (1800, ("payments",))
    assert (found.pending_seconds, found.origins("expires.pending")) == (3 * 86400, ("defaults",))
    assert (found.min_reason_approve, found.origins("min_reason.approve")) == (20, ("critical",))
    assert (found.min_reason_reject, found.origins("min_reason.reject")) == (10, ("built-in",))
    assert [rule.name for rule in found.deny] == ["night"]


def test_resolve_of_labels_only_adds_to_the_defaults():
    text = """
defaults: {soak: 2h, approvals: [{name: two, role: approver, count: 2}]}
rules:
- name: by label
  match: {labels: {tier: "*"}}
  soak: 1m
  approvals: [{name: one, role: approver, count: 1}]
"""

    found = effective(text)

    assert found.soak_seconds == 7200
    assert [rule.count for rule in found.quorums] == [2]


def test_resolve_of_allow_windows_needs_one_of_each_rule():
    text = """
rules:
- name: weekdays
  windows: {allow: [{name: weekdays, cron: "0 0 * * MON-FRI", duration: 1d, zone: UTC}]}
- name: mornings
  windows: {allow: [{name: mornings, cron: "0 6 * * *", duration: 6h, zone: UTC}]}
"""

    found = effective(text)

    def is_open(day, hour):
        at = datetime(2026, 5, day, hour, tzinfo=UTC)
        return openings.look(found.allow, found.deny, at=at).is_open

    assert is_open(5, 7)  # Tuesday morning
    assert not is_open(5, 13)
    assert not is_open(9, 7)  # Saturday morning


VERSIONS = {
    "a name": ("name: other, role: approver", True),
    "the same count": ("name: anybody, role: approver, count: 1", True),
    "a count": ("name: anybody, role: approver, count: 2", False),
    "people": ("name: anybody, groups: [sre]", False),
}


@pytest.mark.parametrize(("quorum", "is_same"), VERSIONS.values(), ids=VERSIONS)
def test_version_changes_with_what_is_demanded_only(quorum, is_same):
    before = effective("defaults: {approvals: [{name: anybody, role: approver}]}").version()
    after = effective(f"rules: [{{name: new, approvals: [{{{quorum}}}]}}]").version()

    assert (before == after) == is_same


def test_version_does_not_change_with_rules_for_others_or_with_what_decides_nothing():
    text = """
rules:
- {name: others, match: {projects: [other]}, soak: 9h}
- {name: mine, expires: {pending: 1h}, supersede: newest}
"""

    assert effective(text).version() == effective().version()
