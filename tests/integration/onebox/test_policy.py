"""The demo's policy: what the guide promises about each Application and each of the five people."""

from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

import onebox.world
from approvals import policy
from approvals.models import Promotion
from approvals.policy import checking, openings, overview, reading
from onebox.world.content import APPLICATIONS
from onebox.world.people import PEOPLE
from tests import builders
from updater import clock
from updater.audit import Actor

FILE = Path(onebox.world.__file__).with_name("policy.yaml")


@pytest.fixture
def people(db: None) -> dict[str, User]:
    made = {}
    for person in PEOPLE:
        user = builders.make_person(person.username, role=person.role)
        user.groups.add(*(Group.objects.get_or_create(name=name)[0] for name in person.groups))
        made[person.username] = User.objects.get(pk=user.pk)
    return made


@pytest.fixture
def promotions(people: dict[str, User], settings) -> dict[str, Promotion]:
    settings.POLICY_FILE = str(FILE)
    policy.load(by=Actor("worker"), at=clock.now())
    found = {}
    for described in APPLICATIONS:
        application = builders.make_application(described.name, project=described.project)
        image = builders.make_tracked_image(application)
        found[described.name] = builders.make_promotion(builders.make_candidate(image))
    return found


def _able(promotion: Promotion, people: dict[str, User]) -> set[str]:
    at = clock.now()
    return {
        name
        for name, person in people.items()
        if policy.explain(promotion, person, at=at).can_approve
    }


def test_policy_can_be_read_without_a_note():
    assert list(checking.notes(reading.read(FILE.read_bytes()))) == []


def test_policy_names_only_applications_and_groups_that_exist(people):
    document = reading.read(FILE.read_bytes())
    names = {f"argocd/{application.name}" for application in APPLICATIONS}
    groups = {group for person in PEOPLE for group in person.groups}

    assert {name for rule in document.rules for name in rule.match.applications} <= names
    assert {group for role in document.roles for group in role.groups} <= groups


def test_policy_leaves_nobody_stuck(promotions):
    applications = [row.application for row in promotions.values()]

    assert overview.dead_ends(applications, at=clock.now()) == []


def test_policy_keeps_the_first_story_simple(promotions, people):
    standing = policy.explain(promotions["example"], people["mei"], at=clock.now())

    assert _able(promotions["example"], people) == {"mei", "amara"}
    assert (standing.needed, standing.completes) == (1, True)


def test_policy_lets_payments_pass_with_an_sre_and_a_lead(promotions, people):
    promotion = promotions["payments"]
    builders.make_decision(promotion, people["mei"])

    assert _able(promotion, people) == {"priya"}
    assert policy.explain(promotion, people["priya"], at=clock.now()).completes


def test_policy_approves_small_versions_of_catalog_by_itself(people, settings):
    settings.POLICY_FILE = str(FILE)
    policy.load(by=Actor("worker"), at=clock.now())
    application = builders.make_application("catalog", project="platform")

    assert policy.effective_of(application).auto_approve


def test_policy_pins_search_by_digest_and_freezes_delivery_for_half_of_each_hour(promotions):
    delivery = policy.effective_of(promotions["delivery"].application)
    now = clock.now()
    states = {
        openings.look(delivery.allow, delivery.deny, at=now.replace(minute=minute)).is_open
        for minute in (10, 40)
    }

    assert policy.effective_of(promotions["search"].application).pin == "digest"
    assert states == {True, False}


def test_policy_page_shows_it(promotions, people, client: Client):
    client.force_login(people["mei"])

    page = client.get("/policy/?application=argocd/payments").content.decode()

    assert "leads" in page
    assert "priya" in page
