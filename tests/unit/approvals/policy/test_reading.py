"""The policy file read strictly: every mistake is told with its line, key, value and mend."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.policy import reading
from approvals.policy.document import Defaults, Document, Match, Rule
from approvals.policy.reading import PolicyFileError

EXAMPLE = Path(__file__).resolve().parents[4] / "deploy" / "policy.example.yaml"


def _refused(text):
    with pytest.raises(PolicyFileError) as refused:
        reading.read(text if isinstance(text, bytes) else text.encode())
    return refused.value


MISTAKES = {
    "unknown key": ("version: 1\nrulse: []", 2, "rulse is not known; did you mean rules?"),
    "unknown key without a neighbour": ("version: 1\nzzz: 1", 2, "known are version, identities"),
    "no version": ("rules: []", 1, "version is missing"),
    "other version": ("version: 2", 1, "version 2 must be 1"),
    "not a mapping": ("- one", 1, "must be a mapping"),
    "duplicate key": ("version: 1\nrules: []\nrules: []", 3, "duplicate key"),
    "duplicate key below": ("version: 1\ndefaults:\n  soak: 1h\n  soak: 2h", 4, "duplicate key"),
    "not YAML": ("version: [", 1, "Not readable as YAML"),
    "two documents": ("version: 1\n---\nversion: 1", 0, "more than one document"),
    "key that is no text": ("version: 1\n1: 2", 0, "put it in quotes"),
    "endless alias": ("version: 1\nrules: &a [*a]", 0, "endless"),
    "not a number": ("version: .nan", 1, "version"),
    "role": ("version: 1\nroles:\n- {role: king, groups: [a]}", 3, '"king" must be'),
    "binding of nobody": ("version: 1\nroles:\n- {role: viewer}", 3, "binds nobody"),
    "application without a slash": (
        "version: 1\nroles:\n- {role: viewer, groups: [a], applications: [pay]}",
        3,
        "namespace/name",
    ),
    "glob": ("version: 1\nrules:\n- {name: a, match: {projects: ['[']}}", 3, "is no glob"),
    "duration without a unit": (
        "version: 1\nrules:\n- name: a\n  soak: 30",
        4,
        "rules[0].soak 30 is not",
    ),
    "duration too long": ("version: 1\ndefaults: {soak: 900d}", 2, "longer than 366 days"),
    "duration twice a unit": ("version: 1\ndefaults: {soak: 1h1h}", 2, "a unit twice"),
    "expiry of nothing": ("version: 1\ndefaults: {expires: {pending: 0s}}", 2, "no time at all"),
    "no approvals": ("version: 1\ndefaults: {approvals: []}", 2, "leave the key out"),
    "quorum of nobody": ("version: 1\ndefaults: {approvals: [{name: a}]}", 2, "names nobody"),
    "quorum of nought": (
        "version: 1\ndefaults: {approvals: [{name: a, role: approver, count: 0}]}",
        2,
        "count 0 must be 1 or more",
    ),
    "quorum of auditors": (
        "version: 1\ndefaults: {approvals: [{name: a, role: auditor}]}",
        2,
        "may not decide",
    ),
    "count in quotes": (
        "version: 1\ndefaults: {approvals: [{name: a, role: approver, count: '2'}]}",
        2,
        "whole number, without quotes",
    ),
    "rule of no name": ("version: 1\nrules:\n- soak: 1h", 3, "rules[0].name is missing"),
    "rules of one name": ("version: 1\nrules: [{name: a}, {name: a}]", 2, "the name a twice"),
    "reserved name": ("version: 1\nrules: [{name: defaults}]", 2, "is taken"),
    "text that must be a list": ("version: 1\nrules: [{name: a, exclude: builder}]", 2, "a list"),
    "exclusion": (
        "version: 1\nrules: [{name: a, exclude: [reviewer]}]",
        2,
        "must be 'requester', 'builder' or 'commit-authors'",
    ),
    "auto approval of everything": (
        "version: 1\nrules: [{name: a, auto_approve: {healthy: true}}]",
        2,
        "limits nothing",
    ),
    "auto approval by a word": (
        "version: 1\nrules: [{name: a, auto_approve: always}]",
        2,
        "must be 'never'",
    ),
    "weakening by label": (
        "version: 1\nrules:\n- {name: a, match: {labels: {a: b}}, auto_approve: {bump: patch}}",
        3,
        "may only demand more; move auto_approve",
    ),
    "lists in defaults": ("version: 1\ndefaults: {windows: {}}", 2, "windows is not known"),
    "upstream glob": (
        "version: 1\nrules: [{name: a, upstream: [{application: 'a/*'}]}]",
        2,
        "is a glob",
    ),
    "e-mail": ("version: 1\nidentities: {ana: ana}", 2, "no e-mail address"),
    "not UTF-8": (b"version: 1\n# \xff", 2, "not UTF-8"),
    "too large": (b"#" * (reading.MAX_BYTES + 1), 0, "larger than"),
}


@pytest.mark.parametrize(("text", "line", "message"), MISTAKES.values(), ids=MISTAKES)
def test_read_of_a_mistake_tells_where_and_how_to_mend(text, line, message):
    error = _refused(text)

    assert message in " ".join(map(str, error.problems))
    assert line in {problem.line for problem in error.problems}
    assert str(error).endswith((".", "more)"))


_WINDOW = "version: 1\nrules:\n- name: a\n  windows:\n    deny:\n    - {name: w, %s}\n"
WINDOWS = {
    "zero length": ("cron: 0 2 * * *, duration: 0s, zone: UTC", 'duration "0s" is no time at all'),
    "negative": ("cron: 0 2 * * *, duration: -1h, zone: UTC", "is not a duration"),
    "no zone": ("cron: 0 2 * * *, duration: 1h", "zone is missing"),
    "other zone": ("cron: 0 2 * * *, duration: 1h, zone: Europe/Berln", "example Europe/Berlin"),
    "offset for zone": ("cron: 0 2 * * *, duration: 1h, zone: '+02:00'", "no zone of the IANA"),
    "path for zone": ("cron: 0 2 * * *, duration: 1h, zone: ../etc/passwd", "no zone of the IANA"),
    "six fields": ("cron: 0 0 2 * * *, duration: 1h, zone: UTC", "is not five fields"),
    "neither": ("duration: 1h, zone: UTC", "needs one of cron and rrule"),
    "both": (
        "cron: 0 2 * * *, rrule: FREQ=DAILY, from: '2026-01-01', duration: 1h, zone: UTC",
        "needs one of cron and rrule",
    ),
    "rule without a first start": (
        "rrule: FREQ=DAILY, duration: 1h, zone: UTC",
        "needs from, the first start",
    ),
    "cron with a first start": (
        "cron: 0 2 * * *, from: '2026-01-01', duration: 1h, zone: UTC",
        "with rrule and only then",
    ),
    "first start with an offset": (
        "rrule: FREQ=DAILY, from: 2026-12-18T18:00:00Z, duration: 1h, zone: UTC",
        "has an offset",
    ),
    "first start long ago": (
        "rrule: FREQ=DAILY, from: '0001-01-01', duration: 1h, zone: UTC",
        "not in this century",
    ),
    "rule": (
        "rrule: FREQ=HOURLY, from: '2026-01-01', duration: 1h, zone: UTC",
        'rrule "FREQ=HOURLY" needs FREQ=',
    ),
}


@pytest.mark.parametrize(("text", "message"), WINDOWS.values(), ids=WINDOWS)
def test_t02_read_of_a_window_that_is_none_says_why(text, message):
    error = _refused(_WINDOW % text)

    assert [problem.line for problem in error.problems] == [6]
    assert message in str(error.problems[0])


def test_read_tells_all_problems_in_the_order_of_the_file():
    error = _refused("version: 1\nrules:\n- name: a\n  soak: x\n- name: b\n  pin: maybe\n")

    assert [(problem.line, problem.key) for problem in error.problems] == [
        (4, "rules[0].soak"),
        (6, "rules[1].pin"),
    ]
    assert "(and 1 more)" in str(error)


def test_read_of_hostile_aliases_is_refused_not_expanded():
    levels = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for name, last in zip("bcdefghi", "abcdefgh", strict=True):
        levels.append(f"{name}: &{name} [{', '.join([f'*{last}'] * 9)}]")

    error = _refused("\n".join(levels))

    assert "aliases" in str(error)


def test_read_of_a_window_without_quotes_around_its_date_is_taken():
    found = reading.read(
        (_WINDOW % "rrule: FREQ=DAILY, from: 2026-12-18, duration: 1h, zone: UTC").encode()
    )

    assert found.rules[0].windows.deny[0].schedule.first == "2026-12-18T00:00:00"


def test_read_of_the_shortest_policy_is_the_built_in_one():
    assert reading.read(b"version: 1\n") == Document(version=1)


def test_example_is_a_policy_that_uses_every_key():
    found = reading.read(EXAMPLE.read_bytes())

    used = set().union(*(rule.model_fields_set for rule in found.rules))
    matched = set().union(*(rule.match.model_fields_set for rule in found.rules))
    assert used == set(Rule.model_fields)
    assert matched == set(Match.model_fields)
    assert found.defaults.model_fields_set >= set(Defaults.model_fields) - {"rollback"}
    assert found.model_fields_set == set(Document.model_fields)


_WORDS = """version: 1 rules defaults name match soak 1h approvals role approver count windows deny cron rrule
from duration zone UTC emergency never auto_approve bump patch [ ] { } , : - & * | > ' " # 0 2 null"""
_words = st.sampled_from([*_WORDS.split(), "\n", "\n ", "\n  ", "\t", ""])


@given(st.lists(_words, max_size=40).map(" ".join) | st.text(max_size=60))
@settings(deadline=None)
def test_read_of_any_text_is_a_policy_or_the_documented_error(text):
    try:
        found = reading.read(text.encode("utf-8", "surrogatepass"))
    except PolicyFileError as error:
        assert error.problems, text  # noqa: PT017  either outcome is fine, another error is not
    else:
        assert found.version == 1


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["version", "rules", "name", "match", "labels", "approvals", "windows", "deny", "emergency", "overrides"]
    ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(_values)
@settings(deadline=None)
def test_read_of_any_values_is_a_policy_or_the_documented_error(value):
    try:
        reading.read(json.dumps(value).encode())
    except PolicyFileError as error:
        assert error.problems  # noqa: PT017
