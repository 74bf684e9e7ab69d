"""Counting approvals: for every quorum one belongs to, once; and one more never makes it worse."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.policy import evaluation, standing
from approvals.policy.demands import merge, of_rule
from approvals.policy.evaluation import Approval, Author, Authors, Facts, Person
from approvals.policy.resolving import built_in, of_demands
from tests.unit.approvals.policy import rules
from tests.unit.approvals.policy.rules import effective

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
PEOPLE = {
    name: Person(name, groups=frozenset(groups), roles=frozenset({"approver"}))
    for name, groups in {
        "ana": ["sre"],
        "ben": ["sre", "leads"],
        "cleo": ["security"],
        "dan": ["leads"],
        "eve": [],
    }.items()
}
_names = st.sets(st.sampled_from(sorted(PEOPLE)))
TWO = """
rules:
- name: two
  approvals: [{name: SREs, groups: [sre], count: 2}, {name: leads, groups: [leads]}]
"""


def _facts(*approvers, viewer="", **changes):
    values = {
        "at": NOON,
        "expires_at": NOON + timedelta(days=1),
        "people": tuple(PEOPLE.values()),
        "approvals": tuple(Approval(name, f"decision of {name}") for name in approvers),
        "viewer": PEOPLE.get(viewer),
    }
    return Facts(**{**values, **changes})


def _count(text, *approvers, **changes):
    return evaluation.count(effective(text), _facts(*approvers, **changes))


def _stand(text, viewer, *approvers, **changes):
    return standing.evaluate(effective(text), _facts(*approvers, viewer=viewer, **changes))


def test_one_approval_counts_for_every_quorum_of_its_giver_once():
    counted = _count(TWO, "ben")

    assert {quorum.name: quorum.given for quorum in counted.quorums} == {
        "SREs": ("ben",),
        "leads": ("ben",),
    }
    assert not counted.is_satisfied
    assert _count(TWO, "ben", "ben").quorums == counted.quorums
    assert _count(TWO, "ben", "ana").is_satisfied


MINIMA = {
    "none given": ([], 2),  # ben serves both, ana the rest
    "ben": (["ben"], 1),
    "ana": (["ana"], 1),
    "dan": (["dan"], 2),
    "both": (["ana", "ben"], 0),
}


@pytest.mark.parametrize(("approvers", "expected"), MINIMA.values(), ids=MINIMA)
def test_minimum_left_takes_who_helps_most(approvers, expected):
    assert evaluation.minimum_left(_count(TWO, *approvers).quorums) == expected


def test_minimum_left_of_what_nobody_can_give_is_still_a_number():
    counted = _count("rules: [{name: a, approvals: [{name: x, groups: [nobody], count: 3}]}]")

    assert evaluation.minimum_left(counted.quorums) == 3
    assert counted.unsatisfiable == (
        "x needs 3 of group nobody, and only 0 could approve (rule a).",
    )


def test_unsatisfiable_names_how_many_are_excluded():
    counted = _count(
        "rules: [{name: a, approvals: [{name: x, groups: [leads], count: 2}], exclude: [builder]}]",
        builder=Authors((Author("dan"),)),
    )

    assert counted.unsatisfiable == (
        "x needs 2 of group leads, and only 1 could approve, 1 excluded (rule a).",
    )


def test_approval_of_who_may_not_decide_any_more_does_not_count():
    lapsed = tuple(replace(person, may_decide=False) for person in PEOPLE.values())

    assert not evaluation.count(built_in(), _facts("ana", people=lapsed)).is_satisfied


def test_evaluate_for_the_last_missing_says_that_it_completes():
    first, last = _stand(TWO, "dan"), _stand(TWO, "ana", "ben")

    assert (first.can_approve, first.completes, first.missing) == (True, False, 2)
    assert first.next_step == "Needs 2 more."
    assert (last.can_approve, last.completes, last.missing) == (True, True, 1)
    assert last.next_step == "Your approval completes it; it runs at once."
    assert (last.given, last.needed) == (("decision of ben",), 2)


def test_evaluate_when_missing_people_are_others_says_who():
    seen = _stand(TWO, "dan", "dan")

    assert seen.reasons == ("You approved it already.",)
    assert seen.next_step == "Waits for 2 of group sre."


def test_evaluate_of_a_quorum_that_shrank_lets_a_member_complete_it():
    # It needed two while authors were unknown; now it needs one, has one, and still nobody moved it.
    seen = _stand("", "ben", "ana")

    assert (seen.can_approve, seen.completes, seen.satisfies) == (True, True, ("approvers",))


STATUSES = {
    "APPROVED": "It is approved already; nothing is missing.",
    "REJECTED": "It is rejected, so there is nothing to decide.",
    "EXECUTING": "It is executing, so there is nothing to decide.",
}


@pytest.mark.parametrize(("status", "sentence"), STATUSES.items(), ids=STATUSES)
def test_evaluate_of_what_is_not_pending_offers_no_approval(status, sentence):
    seen = _stand("", "ana", status=status, is_what=f"is {status.lower()}")

    assert not seen.can_approve
    assert sentence in seen.reasons
    assert seen.can_reject == (status == "APPROVED")


def test_w19_evaluate_after_expiry_offers_nothing_and_says_since_when():
    seen = _stand("", "ana", at=NOON + timedelta(days=1))

    assert (seen.can_approve, seen.can_reject) == (False, False)
    assert [(reason.code, reason.fact_at) for reason in seen.why] == [
        ("expired", NOON + timedelta(days=1))
    ]


def test_evaluate_for_a_stranger_offers_nothing():
    seen = standing.evaluate(built_in(), _facts())

    assert (seen.can_approve, seen.can_reject) == (False, False)
    assert [reason.code for reason in seen.why] == ["not_approver"]


def test_evaluate_in_an_emergency_asks_its_own_quorum():
    text = TWO + "  emergency: {approvals: [{name: on call, groups: [sre]}]}\n"

    assert _stand(text, "ana", mode="emergency").completes
    assert not _stand(text, "ana").completes
    assert [quorum.name for quorum in _stand(text, "ana", mode="emergency").quorums] == ["on call"]


_requirements = rules.requirements()
_authors = st.builds(
    Authors,
    people=st.sets(st.sampled_from(["ana", "dan", "stranger@example.com"]), max_size=2).map(
        lambda names: tuple(Author(name) for name in sorted(names))
    ),
    problem=st.sampled_from(["", "unreadable"]),
)


@given(_requirements, _names, st.sampled_from(sorted(PEOPLE)), _authors, _authors,
       st.sampled_from(["normal", "rollback", "emergency"]))  # fmt: skip
@settings(deadline=None)
def test_adding_an_approval_never_blocks(one, approvers, another, builder, authors, mode):
    rule = of_demands(merge([of_rule(one, "rule")]))
    facts = _facts(*sorted(approvers), builder=builder, commit_authors=authors, mode=mode)
    more = replace(facts, approvals=(*facts.approvals, Approval(another)))

    before, after = evaluation.count(rule, facts), evaluation.count(rule, more)

    assert after.is_satisfied or not before.is_satisfied
    for old, new in zip(before.quorums, after.quorums, strict=True):
        assert new.missing <= old.missing
        assert new.is_satisfiable or not old.is_satisfiable


@given(_requirements, _names, st.sampled_from(sorted(PEOPLE)), _authors)
@settings(deadline=None)
def test_evaluate_offers_an_approval_only_where_it_counts(one, approvers, viewer, authors):
    rule = of_demands(merge([of_rule(one, "rule")]))
    facts = _facts(*sorted(approvers), viewer=viewer, commit_authors=authors)

    seen = standing.evaluate(rule, facts)

    assert bool(seen.reasons) != seen.can_approve
    assert len(seen.why) == len(seen.reasons)
    assert all(reason.as_dict()["sentence"] for reason in seen.why)
    if seen.can_approve:
        assert viewer not in {item.username for item in seen.excluded}
        assert viewer not in approvers
        assert seen.satisfies
        assert seen.completes == (seen.missing <= 1)
