"""Roles from groups and from the policy file: united, scoped, gone with the binding."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

from approvals import permissions, policy
from approvals.permissions import Action, NotAllowedError, Role
from tests import builders
from updater.models import Application

ROLES = """
roles:
- {role: approver, groups: [sre]}
- {role: approver, users: [dan], applications: ["argocd/pay-*"]}
- {role: approver, groups: [shop], projects: [shop], applications: ["argocd/*"]}
- {role: auditor, users: [ann]}
- {role: administrator, users: [dan], projects: [shop]}
- {role: viewer, groups: [developers], projects: ["*"]}
"""


@pytest.fixture
def applications(db):
    return {
        "pay": builders.make_application("pay-api", project="pay"),
        "shop": builders.make_application("shop-web", project="shop"),
        "else": builders.make_application("shop-web", namespace="teams", project="shop"),
    }


MATRIX = {
    "sre everywhere": ("sam", ["sre"], {"pay", "shop", "else"}),
    "user for some Applications": ("dan", [], {"pay"}),
    "group for a project and names": ("sue", ["shop"], {"shop"}),
    "Django group everywhere": ("old", ["approver"], {"pay", "shop", "else"}),
    "auditor": ("ann", [], set()),
    "viewer": ("vic", ["developers"], set()),
    "nobody": ("no", ["others"], set()),
}


@pytest.mark.parametrize(("name", "groups", "expected"), MATRIX.values(), ids=MATRIX)
def test_may_decide_is_as_the_bindings_say(name, groups, expected, stand, person, applications):
    stand(ROLES)
    somebody = person(name, *groups)

    allowed = {
        key for key, row in applications.items() if permissions.may(somebody, Action.DECIDE, row)
    }

    assert allowed == expected
    assert permissions.may(somebody, Action.DECIDE) == bool(expected)
    rows = Application.objects.filter(permissions.applications_for(somebody, Action.DECIDE))
    assert {row.pk for row in rows} == {applications[key].pk for key in expected}
    named = somebody in permissions.people_with(Action.DECIDE)
    assert named == bool(expected)


def test_may_of_an_action_over_the_whole_needs_a_role_everywhere(stand, person, applications):
    stand(ROLES)
    scoped, everywhere = person("dan"), person("ann")

    assert permissions.may(scoped, Action.ADMINISTER, applications["shop"]) is False
    assert permissions.may(scoped, Action.ADMINISTER) is False
    assert permissions.may(everywhere, Action.VIEW_AUDIT)


def test_roles_of_unites_groups_and_bindings(stand, person, applications):
    stand(ROLES)
    somebody = person("dan", "viewer", "auditor")

    assert permissions.roles_of(somebody) == {
        Role.VIEWER,
        Role.AUDITOR,
        Role.APPROVER,
        Role.ADMINISTRATOR,
    }
    assert permissions.roles_of(somebody, applications["shop"]) == {
        Role.VIEWER,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
    }


def test_roles_of_disabled_and_unknown_people_are_none(stand, person, applications):
    stand(ROLES)
    somebody = person("sam", "sre")
    User.objects.update(is_active=False)
    somebody.refresh_from_db()

    assert permissions.roles_of(somebody) == frozenset()
    assert permissions.roles_of(AnonymousUser()) == frozenset()
    assert not permissions.people_with(Action.DECIDE).exists()
    nothing = Application.objects.filter(permissions.applications_for(somebody, Action.VIEW))
    assert not nothing.exists()


def test_require_names_the_role_and_the_application(stand, person, applications):
    stand(ROLES)

    with pytest.raises(NotAllowedError, match="approver for argocd/shop-web, which dan"):
        permissions.require(person("dan"), Action.DECIDE, applications["shop"])


def test_binding_that_is_taken_away_takes_the_right_away(stand, person, applications):
    stand(ROLES)
    somebody = person("sam", "sre")
    before = permissions.may(somebody, Action.DECIDE)

    stand("")

    assert (before, permissions.may(somebody, Action.DECIDE)) == (True, False)


def test_explain_for_who_decides_elsewhere_only_says_not_here(stand, person, applications):
    stand(ROLES)
    candidate = builders.make_candidate(builders.make_tracked_image(applications["shop"]))
    promotion = builders.make_promotion(candidate)

    standing = policy.explain(promotion, person("dan"), at=timezone.now())

    assert not standing.can_approve
    assert not standing.can_reject
    assert standing.why[0].fact == "Your roles here: administrator"


def test_broken_file_keeps_the_bindings_of_the_version_that_stands(stand, person):
    stand(ROLES)
    stand("roles: [")

    assert permissions.may(person("sam", "sre"), Action.DECIDE)
