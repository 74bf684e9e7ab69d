import json
import re
from pathlib import Path

import pytest

from onebox.world import guide, place
from onebox.world.content import APPLICATIONS
from onebox.world.people import PASSWORD, PEOPLE


def _text(tmp_path):
    here = place.find_or_make(tmp_path / "world")
    return guide.text("http://localhost:8000/", Path("/logs"), here), here


def test_text_names_every_person_and_the_password(tmp_path):
    text, _ = _text(tmp_path)

    assert PASSWORD in text
    assert all(person.username in text and person.full_name in text for person in PEOPLE)


def test_text_shows_a_push_that_can_be_copied(tmp_path):
    text, here = _text(tmp_path)

    order, url = re.search(r"curl -d '(.*)' (\S+)", text).groups()

    assert json.loads(order) == {"repository": "acme/backend", "tag": "main-e1f492f"}
    assert url == f"http://{here.registry}/_push"


def test_text_says_where_the_commits_are(tmp_path):
    text, here = _text(tmp_path)

    assert f"{here.git_url}/acme/example-chart/commits/main" in text


def test_text_says_where_the_pull_request_is_merged(tmp_path):
    text, here = _text(tmp_path)

    assert f"{here.git_url}/acme/accounts-chart/pulls" in text


@pytest.mark.parametrize(
    "name",
    ["example", "payments", "checkout", "catalog", "orders", "delivery", "accounts", "search"],
)
def test_text_says_what_to_try_with_applications_that_exist(tmp_path, name):
    text, _ = _text(tmp_path)

    assert f'"{name}"' in text
    assert name in {application.name for application in APPLICATIONS}


def test_people_are_five_with_two_approvers():
    assert len(PEOPLE) == 5
    assert [person.role for person in PEOPLE].count("approver") == 2
    assert {person.role for person in PEOPLE} == {"viewer", "approver", "auditor", "administrator"}


def test_text_says_where_the_policy_is_and_who_is_in_which_group(tmp_path):
    text, here = _text(tmp_path)

    assert str(here.policy_file) in text
    assert {group for person in PEOPLE for group in person.groups} == {"sre", "leads", "developers"}
    assert "Mei Tanaka, SRE: approves and rejects; group sre" in text
