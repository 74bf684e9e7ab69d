"""The list of what I can decide agrees with the policy, promotion by promotion."""

import pytest
from django.utils import timezone

from approvals import permissions, policy
from approvals.models import Promotion
from approvals.permissions import Action
from approvals.queries.pending import Inbox, Show, Wanted
from approvals.queries.scopes import Scope
from tests import builders

POLICIES = {
    "built-in": "",
    "two approvals": "defaults: {approvals: [{name: two, role: approver, count: 2}]}",
    "two quorums": "rules: [{name: a, mandatory_groups: [leads], approvals: [{name: s, groups: [sre]}]}]",
    "one project": """
rules:
- {name: a, match: {projects: [pay]}, approvals: [{name: s, groups: [sre]}]}
- {name: b, match: {labels: {tier: gold}}, approvals: [{name: l, groups: [leads]}]}
roles: [{role: approver, groups: [leads], projects: [pay]}]
""",
    "authors excluded": "rules: [{name: a, exclude: [builder, commit-authors], when_authors_unknown: refuse}]",
    "authors excluded everywhere": "defaults: {exclude: [builder, commit-authors], when_authors_unknown: refuse}",
    "commit authors excluded everywhere": "defaults: {exclude: [commit-authors]}",
    "rollbacks by others": """
rules: [{name: a, approvals: [{name: s, groups: [sre]}], rollback: {approvals: [{name: l, groups: [leads]}]}}]
""",
    "broken": "rules: [",
}


@pytest.fixture
def people(person):
    return [
        person("ana", "approver", "sre"),
        person("ben", "approver", "leads"),
        person("cleo", "leads"),
        person("dan", "sre"),
        person("eve", "approver"),
    ]


def _make(people):
    ana, ben, *_ = people
    pay = builders.make_application("pay", project="pay")
    gold = builders.make_application("gold", manifest={"metadata": {"labels": {"tier": "gold"}}})
    for application in (pay, gold):
        for number in range(5):
            image = builders.make_tracked_image(application, f"image-{number}")
            changes = {3: {"kind": "rollback"}, 4: {"requested_by": "ana"}}.get(number, {})
            promotion = builders.make_promotion(builders.make_candidate(image), **changes)
            if number in {1, 2}:
                builders.make_decision(promotion, ana if number == 1 else ben)
    written = builders.make_promotion()
    written.authors = {
        "digest": written.to_digest,
        "commits": [{"sha": "abc", "address": "ben"}],
        "at": timezone.now().isoformat(),
    }
    written.save()
    unwritable = builders.make_promotion()
    Promotion.objects.filter(pk=unwritable.pk).update(plan={"error": "no such file", "edits": []})


def _shown(person, at):
    wanted = Wanted(
        username=person.username,
        user_id=person.pk,
        at=at,
        show=Show.DECIDE,
        decidable=Scope(permissions.applications_for(person, Action.DECIDE)),
        counting=policy.wants(person, at=at),
    )
    return {row.pk for row in Inbox(wanted).page().rows}


@pytest.mark.parametrize("text", POLICIES.values(), ids=POLICIES)
def test_wants_agrees_with_explain_for_everybody(text, stand, people):
    stand(text)
    _make(people)
    at = timezone.now()
    rows = list(Promotion.objects.with_target())

    for person in people:
        standings = policy.explain_all(rows, person, at=at)
        # What would be written is not known: the list keeps it, its page says why it is not for deciding.
        allowed = {pk for pk, item in standings.items() if item.can_approve}
        unwritable = {row.pk for row in rows if row.plan.get("error")}
        assert _shown(person, at) - unwritable == allowed - unwritable, person


def test_wants_asks_a_fixed_number_of_queries(
    stand, people, django_assert_max_num_queries, django_assert_num_queries
):
    stand(POLICIES["authors excluded"])
    builders.make_promotion()
    with django_assert_max_num_queries(15) as few:
        policy.wants(people[0], at=timezone.now())
    _make(people)

    with django_assert_num_queries(len(few)):
        policy.wants(people[0], at=timezone.now())
