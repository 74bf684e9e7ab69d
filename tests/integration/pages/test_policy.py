"""The policy page and its API: what stands, where each value comes from, who can, when, and what changed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals.models import PolicyVersion
from tests import builders

RULES = """
rules:
  - name: shop
    match: {applications: ["argocd/shop-*"]}
    approvals: [{name: any SRE, groups: [sre], count: 2}]
    mandatory_groups: [leads]
    windows:
      deny: [{name: night, cron: "0 20 * * *", duration: 10h, zone: Europe/Berlin}]
"""
SCOPED = """
roles:
  - {role: viewer, users: [nobody], applications: ["argocd/shop-*"]}
rules:
  - name: shop
    match: {applications: ["argocd/shop-*"]}
    upstream: [{application: argocd/bank, for: 1h}]
"""


@pytest.fixture
def shop(db: None):
    return builders.make_application("shop-web")


def _get(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def test_policy_without_a_file_says_that_the_built_in_one_stands(client, viewer: User, shop):
    client.force_login(viewer)

    page = _get(client, "/policy/")

    assert "the built-in policy stands" in page
    assert "No policy file was ever loaded" in page


def test_policy_of_an_application_shows_values_origins_people_and_windows(
    client, sre: User, person, stand, shop
):
    person("amara", "sre", "approver")
    stand(RULES)
    client.force_login(sre)

    page = _get(client, "/policy/?application=argocd/shop-web")

    assert "any SRE: 2 approvals by somebody of group sre" in page
    assert '<td class="muted">shop</td>' in page
    assert "amara" in page
    assert "Next opening" in page
    assert "night" in page


def test_policy_names_rules_that_nobody_can_fulfil(client, sre: User, stand, shop):
    stand(RULES)
    client.force_login(sre)

    page = _get(client, "/policy/")

    assert "Nobody can fulfil" in page
    assert "any SRE needs 2 of group sre, and only 0 could approve" in page


def test_policy_that_was_refused_shows_the_problem_and_what_stands(client, sre: User, stand, shop):
    stand(RULES)
    stand("rulez: []\n")
    client.force_login(sre)

    page = _get(client, "/policy/")

    assert "cannot be used" in page
    assert "did you mean rules?" in page
    assert "Refused" in page
    assert PolicyVersion.objects.get(is_current=True).short_hash in page


def test_policy_that_never_could_be_read_lets_nobody_approve(client, sre: User, stand):
    stand("rulez: []\n")
    client.force_login(sre)

    assert "Nobody may approve." in _get(client, "/policy/")


def test_policy_versions_are_compared_line_by_line(client, sre: User, stand, shop):
    first = stand(RULES)
    second = stand(RULES.replace("count: 2", "count: 1"))
    client.force_login(sre)

    against_before = _get(client, f"/policy/?new={second.pk}")
    chosen = _get(client, f"/policy/?old={second.pk}&new={first.pk}")

    assert "<mark>2</mark>" in against_before
    assert f"{first} → {second}" in " ".join(against_before.split())
    assert f"{second} → {first}" in " ".join(chosen.split())


def test_policy_of_one_version_offers_no_comparison_with_one_before(client, sre: User, stand, shop):
    stand(RULES)

    client.force_login(sre)
    first = _get(client, "/policy/")
    stand(RULES + "# a word more\n")
    second = _get(client, "/policy/")

    assert "The first: all of it" in first
    assert "Against the one before" not in first
    assert second.count("The first: all of it") == second.count("Against the one before") == 1


def test_policy_shows_hidden_signs_of_the_file(client, sre: User, stand):
    stand("rules: []  # \u202e reversed\n")
    client.force_login(sre)

    page = _get(client, "/policy/")

    assert "\u202e" not in page


@pytest.mark.parametrize("query", ["old=x", "new=-1", "application=" + "a" * 600], ids=str)
def test_policy_of_an_unreadable_address_says_so(query, client, viewer: User, db):
    client.force_login(viewer)

    assert "cannot be read" in _get(client, f"/policy/?{query}", 400)


def test_policy_of_no_application_is_not_found(client, viewer: User, db):
    client.force_login(viewer)

    _get(client, "/policy/?application=argocd/none", 404)


def test_w06_policy_tells_a_scoped_role_nothing_of_others(client, outsider: User, stand, shop):
    builders.make_application("bank")
    stand(SCOPED)
    client.force_login(outsider)

    page = _get(client, "/policy/?application=argocd/shop-web")

    assert "healthy in an Application that you may not see for 1h" in page
    assert "bank" not in page
    assert "shown to whoever has a role everywhere" in page
    _get(client, "/policy/?application=argocd/bank", 404)
    api = client.get("/api/v1/policy?application=argocd/shop-web").content.decode()
    assert "may not see" in api
    assert "bank" not in api
    assert client.get("/api/v1/policy?application=argocd/bank").status_code == 404


def test_api_policy_returns_what_the_page_shows(client, sre: User, person, stand, shop):
    person("amara", "sre", "approver")
    row = stand(RULES)
    client.force_login(sre)

    answer = client.get("/api/v1/policy?application=argocd/shop-web").json()

    assert (answer["hash"], answer["problem"], answer["closed"]) == (row.hash, "", "")
    effective = answer["effective"]
    assert effective["approvals"][0]["people"] == ["amara"]
    assert effective["windows"]["zone"] == "Europe/Berlin"
    assert bool(effective["windows"]["opens_at"] and effective["windows"]["closes_at"])
    assert {"name": "Pinned by", "value": "tag", "from": ["built-in"]} in effective["values"]
    assert any("leads" in sentence for sentence in effective["unsatisfiable"])


def test_api_policy_without_an_application_has_no_effective_one(client, viewer: User, db):
    client.force_login(viewer)

    answer = client.get("/api/v1/policy").json()

    assert (answer["version"], answer["effective"]) == ("built-in", None)


def test_application_and_promotion_link_to_their_policy(client, viewer: User, shop):
    image = builders.make_tracked_image(shop)
    promotion = builders.make_promotion(builders.make_candidate(image))
    client.force_login(viewer)
    link = "/policy/?application=argocd/shop-web"

    assert link in _get(client, "/applications/argocd/shop-web/")
    assert link in _get(client, f"/promotions/{promotion.pk}/")
