"""The effective policy told line by line, and the notes about what is easily misread."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from approvals.policy import checking, reading, resolving, words
from approvals.policy.effective import EMERGENCY, NORMAL, ROLLBACK
from approvals.policy.targets import Target
from tests.unit.approvals.policy.rules import effective, policy

EXAMPLE = Path(__file__).resolve().parents[4] / "deploy" / "policy.example.yaml"
PRODUCTION = Target(
    project="storefront",
    full_name="argocd/payments-api",
    namespace="payments-production",
    clusters=("in-cluster",),
    labels=frozenset({("tier", "critical")}),
)
CHRISTMAS = datetime(2026, 12, 24, 12, tzinfo=UTC)


def _told(target):
    found = resolving.resolve(reading.read(EXAMPLE.read_bytes()), target)
    return {(line.name, line.value, line.origins) for line in words.lines(found, at=CHRISTMAS)}


PRODUCTION_LINES = [
    ("Approvals", "two SREs: 2 approvals by somebody of group sre", ("production",)),
    ("Approvals", "security: 1 approval by somebody of group security or sara", ("critical",)),
    ("Approvals", "payments-leads: 1 approval by somebody of group payments-leads", ("payments",)),
    ("Not by", "who built the image, who wrote its commits, who asked for it", ("production",)),
    ("Authors unknown", "one more approval", ("production",)),
    ("Reason to approve", "10 characters or more", ("production",)),
    ("Reason to reject", "10 characters or more", ("defaults",)),
    ("Soak", "2h", ("production",)),
    ("Upstream", "healthy in argocd/payments-staging for 1d", ("production",)),
    ("Pending expires after", "2d", ("payments",)),
    ("Approved expires after", "1d", ("defaults",)),
    ("Open only", "office hours (0 9 * * MON-THU, 8h, Europe/Berlin)", ("production",)),
    (
        "Closed",
        (
            "Christmas freeze: few people at work "
            "(FREQ=YEARLY from 2025-12-18T18:00:00, 16d, Europe/Berlin)"
        ),
        ("company",),
    ),
    ("Closed", "weekend (0 14 * * FRI, 2d 18h, Europe/Berlin)", ("production",)),
    (
        "Windows now",
        "closed until Mon 04 Jan 2027 09:00 Europe/Berlin (2027-01-04 08:00 UTC)",
        (),
    ),
    ("Approved automatically", "never", ("defaults",)),
    (
        "Emergency",
        (
            "1 approval by somebody of group sre; a reason of 30 characters; an incident; "
            "a review within 1d; passes soak, upstream, window"
        ),
        ("company",),
    ),
    ("Rollback", "1 approval by somebody with the role approver; passes window", ("company",)),
    ("Superseding", "keep-approved", ("defaults",)),
    ("Pinned by", "digest", ("payments",)),
    ("Another writer", "refuse", ("payments",)),
]


def test_lines_of_the_example_tell_every_value_with_its_origin():
    assert _told(PRODUCTION) == set(PRODUCTION_LINES)


def test_lines_of_staging_tell_the_conditions_of_automatic_approval():
    staging = Target("storefront", "argocd/payments-staging", "staging", ("eu-1",), frozenset())

    told = {name: value for name, value, _ in _told(staging)}

    assert told["Approved automatically"] == (
        "version rises by patch at most, tag matches v*, strategy is semver, no downgrade, "
        "the Application is healthy"
    )
    assert told["Superseding"] == "newest"


def test_lines_without_rules_are_the_built_in_ones():
    told = {line.name: line for line in words.lines(resolving.built_in(), at=CHRISTMAS)}

    assert told["Windows now"].value == "no windows"
    assert told["Emergency"].value == "never"
    assert {origin for line in told.values() for origin in line.origins} == {"built-in"}


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        (NORMAL, "2 approvals by somebody of group sre, not by who asked for it or who built the image."),
        (ROLLBACK, "1 approval by somebody with the role approver, not by who asked for it or who built the image."),
        (EMERGENCY, "1 approval by somebody of dan, not by who asked for it or who built the image."),
    ],
)  # fmt: skip
def test_approvals_in_words_are_those_of_the_mode(mode, sentence):
    found = effective("""
rules:
- name: a
  approvals: [{name: two, groups: [sre], count: 2}]
  exclude: [builder]
  rollback: {approvals: [{name: one, role: approver}]}
  emergency: {approvals: [{name: dan, users: [dan]}]}
""")

    assert words.approvals_in_words(found, mode) == sentence


NOTES = {
    "no rule for all": ("rules: [{name: a, match: {projects: [x]}}]", "no rule is for every"),
    "labels": (
        "rules: [{name: a}, {name: b, match: {labels: {a: b}}}]",
        "rule b selects by labels",
    ),
    "authors without exclusion": (
        "rules: [{name: a, when_authors_unknown: refuse}]",
        "matters only where exclude names authors",
    ),
    "automatic and slow": (
        "rules: [{name: a, soak: 1h, auto_approve: {bump: patch}}]",
        "still delay the start",
    ),
}


@pytest.mark.parametrize(("text", "note"), NOTES.values(), ids=NOTES)
def test_notes_name_what_is_easily_misread(text, note):
    assert [note in found for found in checking.notes(policy(text))] == [True]


def test_notes_of_a_plain_policy_are_none():
    assert checking.notes(policy("rules: [{name: a, soak: 1h}]")) == []
    assert checking.notes(policy()) == []
