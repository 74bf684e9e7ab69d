"""W06: a role bound to some Applications shows those and nothing of the others, not even that they exist."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals.models import Decision, Promotion
from approvals.policy import store
from tests import builders
from updater.audit import Actor


@pytest.fixture
def own(db: None) -> Promotion:
    image = builders.make_tracked_image(builders.make_application("mine", project="shop"))
    return builders.make_promotion(builders.make_candidate(image))


@pytest.fixture
def foreign(db: None) -> Promotion:
    image = builders.make_tracked_image(builders.make_application("theirs", project="bank"))
    return builders.make_promotion(builders.make_candidate(image))


POLICY = """
version: 1
roles:
  - role: approver
    users: [nobody]
    projects: [shop]
"""


@pytest.fixture
def shop_sre(outsider: User, settings: LazySettings, tmp_path: Path) -> User:
    """Somebody who approves for the project shop, by the policy file."""
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    settings.POLICY_FILE = str(file)
    store.load(by=Actor("test"), at=timezone.now())
    return outsider


@pytest.mark.parametrize(
    "address", ["/", "/?show=decide", "/applications/?show=all", "/?q=e1f492f"]
)
def test_w06_lists_hold_only_what_one_may_see(
    client: Client, shop_sre: User, own, foreign, address: str
):
    client.force_login(shop_sre)

    page = client.get(address).content.decode()

    assert "mine" in page
    assert "theirs" not in page
    assert "bank" not in page


def test_w06_counts_hold_only_what_one_may_see(client: Client, shop_sre: User, own, foreign):
    client.force_login(shop_sre)

    page = client.get("/").content.decode()

    assert "<b data-pending-count>1</b>" in page
    assert "You can decide 1" in page


def test_w06_releases_hold_only_what_one_may_see(client: Client, shop_sre: User, own, foreign):
    Promotion.objects.update(status="REJECTED", ended_at=timezone.now())
    client.force_login(shop_sre)

    page = client.get("/releases/").content.decode()

    assert str(own.pk) in page
    assert str(foreign.pk) not in page


@pytest.mark.parametrize(
    "address",
    [
        "/promotions/{}/",
        "/promotions/{}/execution/",
        "/promotions/{}/reject/",
        "/applications/argocd/theirs/",
    ],
)
def test_w06_page_of_another_team_does_not_exist(
    client: Client, shop_sre: User, foreign, address: str
):
    client.force_login(shop_sre)

    response = client.get(address.format(foreign.pk))
    nowhere = client.get("/promotions/00000000-0000-4000-8000-000000000000/")

    assert response.status_code == 404
    assert _body(response) == _body(nowhere)


@pytest.mark.parametrize("verb", ["approve", "reject", "retry", "withdraw"])
def test_w06_decision_for_another_team_does_not_exist(
    client: Client, shop_sre: User, foreign, verb: str
):
    client.force_login(shop_sre)
    fields = {"seal": foreign.seal, "reason": "Not mine to say", "scope": "DIGEST"}

    response = client.post(f"/promotions/{foreign.pk}/{verb}/", fields)

    assert response.status_code == 404
    assert Decision.objects.count() == 0


def test_w06_bulk_review_leaves_out_what_one_may_not_see(
    client: Client, shop_sre: User, own, foreign
):
    client.force_login(shop_sre)

    page = client.post(
        "/pending/review/", {"verb": "approve", "promotion": [own.pk, foreign.pk]}
    ).content.decode()

    assert str(own.pk) in page
    assert str(foreign.pk) not in page


def test_w06_bulk_decision_for_another_team_is_refused(client: Client, shop_sre: User, foreign):
    client.force_login(shop_sre)
    chosen = f"{foreign.pk}.{foreign.seal}"

    response = client.post("/pending/decide/", {"verb": "approve", "chosen": chosen})

    assert response.status_code == 409
    assert "theirs" not in response.content.decode()
    assert Decision.objects.count() == 0


def test_bound_role_does_not_open_the_trail(client: Client, shop_sre: User, own):
    client.force_login(shop_sre)

    assert client.get("/audit/").status_code == 403


def _body(response) -> str:
    return response.content.decode().partition("<main")[2].partition("</main>")[0]


def test_w06_api_lists_hold_only_what_one_may_see(client: Client, shop_sre: User, own, foreign):
    client.force_login(shop_sre)

    promotions = client.get("/api/v1/promotions").json()["results"]
    applications = client.get("/api/v1/applications").json()["results"]

    assert [row["application"] for row in promotions] == ["argocd/mine"]
    assert [row["name"] for row in applications] == ["mine"]


@pytest.mark.parametrize("verb", ["", "/approve", "/reject"])
def test_w06_api_answers_for_a_foreign_promotion_as_for_none(
    client: Client, shop_sre: User, own, foreign, verb: str
):
    client.force_login(shop_sre)
    none = foreign.pk.__class__(int=1)
    body = {"seal": foreign.seal, "reason": "long enough for every policy"}
    ask = client.post if verb else client.get
    sent = {"data": body, "content_type": "application/json"} if verb else {}

    answers = [ask(f"/api/v1/promotions/{pk}{verb}", **sent) for pk in (foreign.pk, none)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert not Decision.objects.exists()


def test_p51_gates_tell_a_scoped_reader_nothing_of_an_application_elsewhere(
    client: Client, shop_sre: User, sre: User, own, foreign, settings: LazySettings
):
    rule = "\nrules: [{name: first, match: {projects: [shop]}, upstream: [{application: argocd/theirs}]}]"
    Path(settings.POLICY_FILE).write_text(POLICY + rule, encoding="utf-8")
    store.load(by=Actor("test"), at=timezone.now())
    addresses = [f"/promotions/{own.pk}/", "/?show=all", f"/api/v1/promotions/{own.pk}"]

    client.force_login(shop_sre)
    scoped = [client.get(address).content.decode() for address in addresses]
    client.force_login(sre)
    whole = [client.get(address).content.decode() for address in addresses]

    assert all("theirs" not in page for page in scoped)
    assert "which you may not see, must have it first" in scoped[0]
    assert "theirs" in whole[0]
    assert "theirs" in whole[2]
