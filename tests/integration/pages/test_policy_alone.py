"""What the policy decides alone, as page and API show it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals import approving
from approvals.models import PolicyVersion, Promotion
from tests import builders

RULE = "version: 1\nrules: [{name: staging, auto_approve: {bump: patch}}]\n"


@pytest.fixture
def rule(db: None) -> None:
    """Let a policy stand under which patches need nobody."""
    PolicyVersion.objects.create(
        hash="a" * 64, text=RULE, loaded_at=timezone.now(), loaded_by="worker", is_current=True
    )


def _offer(tag: str) -> Promotion:
    image = builders.make_tracked_image(live_tag="1.2.3")
    return builders.make_promotion(builders.make_candidate(image, tag))


def test_promotion_approved_by_the_policy_alone_says_so(rule, sre: User, client: Client):
    promotion = _offer("1.2.4")
    approving.approve_alone(at=timezone.now())
    client.force_login(sre)

    page = client.get(f"/promotions/{promotion.pk}/").content.decode()
    told = client.get(f"/api/v1/promotions/{promotion.pk}").json()
    releases = client.get("/releases/").content.decode()

    assert "The policy alone" in page
    assert "1 of 1" in page
    assert "version rises by patch at most" in page
    assert "The policy alone" in releases
    decision = told["decisions"][0]
    assert (decision["is_automatic"], decision["username"]) == (True, "policy")
    assert decision["rule"].endswith("(rule staging)")


def test_promotion_that_the_policy_leaves_to_people_says_why(rule, sre: User, client: Client):
    promotion = _offer("1.3.0")
    approving.approve_alone(at=timezone.now())
    client.force_login(sre)

    page = client.get(f"/promotions/{promotion.pk}/").content.decode()

    assert "The policy alone approves where version rises by patch at most" in page
    assert "Not here: 1.2.3 → 1.3.0 rises by minor, more than by patch." in page


def test_pending_list_with_something_approved_alone_loads(rule, sre: User, client: Client):
    _offer("1.2.4")
    _offer("1.3.0")
    approving.approve_alone(at=timezone.now())
    client.force_login(sre)

    for show in ("", "?show=decide", "?show=all"):
        assert client.get(f"/{show}").status_code == 200
