"""Emergencies on pages: the form that says what it costs, the chip wherever the release appears, the reviews."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals import doorbell
from approvals.models import Promotion, Review
from tests import builders

REASON = "checkout is down for everybody"
HOSTILE = "<script>alert(1)</script>"
RULE = """
rules:
- name: company
  approvals: [{name: two, role: approver, count: 2}]
  emergency:
    approvals: [{name: on call, role: approver}]
    min_reason: 20
    review_within: 4h
    overrides: [window]
"""


@pytest.fixture(autouse=True)
def _quiet_bell(monkeypatch):
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)


@pytest.fixture
def rule(stand) -> None:
    stand(RULE)


@pytest.fixture
def promotion(db: None) -> Promotion:
    image = builders.make_tracked_image(builders.make_application("checkout"), "web")
    return builders.make_promotion(builders.make_candidate(image))


def _page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def _declare(client: Client, promotion: Promotion, **fields: str):
    values = {"seal": promotion.seal, "reason": REASON, "incident": "INC-7", **fields}
    return client.post(f"/promotions/{promotion.pk}/emergency/", values)


def test_form_says_what_it_takes_and_what_it_costs(client, sre, rule, promotion, person):
    person("ben", "approver")
    client.force_login(sre)

    page = " ".join(_page(client, f"/promotions/{promotion.pk}/emergency/").split())

    assert "1 of role approver" in page
    assert "owed within 4 h, by somebody who had no hand in it: ben" in page
    assert "decisions taken so far are void" in page
    assert 'minlength="20"' in page
    assert f'href="/promotions/{promotion.pk}/emergency/"' in _page(
        client, f"/promotions/{promotion.pk}/"
    )


def test_form_says_when_nobody_else_could_review(client, sre, rule, promotion):
    client.force_login(sre)

    assert "Nobody else may review it yet." in _page(
        client, f"/promotions/{promotion.pk}/emergency/"
    )


def test_form_where_the_policy_has_none_says_so(client, sre, promotion):
    client.force_login(sre)

    page = _page(client, f"/promotions/{promotion.pk}/emergency/")

    assert "The policy has no emergencies for argocd/checkout" in page
    assert f'href="/promotions/{promotion.pk}/emergency/"' not in _page(
        client, f"/promotions/{promotion.pk}/"
    )


def test_declare_goes_on_and_shows_it_wherever_the_release_appears(client, sre, rule, promotion):
    client.force_login(sre)

    answer = _declare(client, promotion)

    due = Review.objects.get().due_at
    owed = "review owed until <time datetime="
    assert (answer.status_code, answer.url) == (302, f"/promotions/{promotion.pk}/")
    for address in (
        answer.url,
        "/?show=all",
        "/releases/",
        f"{answer.url}execution/",
        "/applications/argocd/checkout/",
    ):
        page = " ".join(_page(client, address).split())
        assert "Emergency INC-7" in page, address
        assert owed in page, address
        assert f"{due:%H:%M} UTC" in page, address


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": "short"}, "at least 20"),
        ({"incident": ""}, "Give the number of the incident"),
        ({"incident": "a\nb"}, "on one line"),
    ],
    ids=["reason", "none", "lines"],
)
def test_declare_with_bad_input_keeps_what_was_written(
    client, sre, rule, promotion, fields, sentence
):
    client.force_login(sre)

    answer = _declare(client, promotion, **{"incident": "INC-7", **fields})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert sentence in page
    assert fields.get("reason", REASON) in page
    assert not Review.objects.exists()


def test_declare_with_an_old_seal_shows_the_conflict(client, sre, rule, promotion):
    client.force_login(sre)

    assert _declare(client, promotion, seal="0" * 64).status_code == 409
    assert _declare(client, promotion, seal="x").status_code == 400


def test_hostile_incident_and_notes_are_text(client, sre, person):
    owed = builders.make_review(incident=HOSTILE, reason=HOSTILE, declared_by=person(HOSTILE[:30]))
    client.force_login(sre)
    _give(client, owed, notes=f"{HOSTILE} and so on")

    pages = [
        _page(client, f"/promotions/{owed.promotion_id}/"),
        _page(client, "/reviews/"),
        _page(client, "/?show=all"),
    ]

    assert not any("<script>alert" in page for page in pages)


# The reviews


def _give(client: Client, review: Review, **fields: str):
    values = {"verdict": "justified", "notes": REASON, **fields}
    return client.post(f"/reviews/{review.pk}/", values)


def test_reviews_without_any_say_so(client, viewer):
    client.force_login(viewer)

    page = _page(client, "/reviews/")

    assert "No review is owed" in page
    assert "No review was given yet" in page


def test_reviews_show_overdue_ones_first_and_the_form_to_who_may(client, sre, viewer):
    later = builders.make_review(incident="INC-2")
    past = timezone.now() - timedelta(hours=1)
    overdue = builders.make_review(incident="INC-1", due_at=past)
    own = builders.make_review(incident="INC-3", declared_by=sre)
    client.force_login(sre)

    page = _page(client, "/reviews/")

    assert page.index("INC-1") < page.index("INC-2")
    assert "Overdue since" in page
    assert re.search(r"Due in\s+<time[^>]*>2[34] h</time>", page)
    assert f'action="/reviews/{later.pk}/"' in page
    assert f'action="/reviews/{overdue.pk}/"' in page
    assert f'action="/reviews/{own.pk}/"' not in page
    client.force_login(viewer)
    assert 'action="/reviews/' not in _page(client, "/reviews/")


def test_review_from_the_page_is_given_and_shown(client, sre):
    owed = builders.make_review()
    client.force_login(sre)

    answer = _give(client, owed, verdict="not justified", notes="it could have waited for us")

    assert (answer.status_code, answer.url) == (302, "/reviews/")
    page = _page(client, "/reviews/")
    assert "Your review is kept: not justified." in page
    assert "it could have waited for us" in page
    assert "Not justified" in page
    shown = " ".join(_page(client, f"/promotions/{owed.promotion_id}/").split())
    assert "found Mei Tanaka" in shown
    assert "reviewed: not justified" in shown


def test_review_that_is_refused_keeps_the_notes_beside_its_own_form(client, sre, rule):
    owed, other = builders.make_review(), builders.make_review()
    client.force_login(sre)

    answer = _give(client, owed, notes="too short")

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "at least 20 characters" in page
    assert page.count(">too short</textarea>") == 1
    assert Review.objects.owed().count() == 2
    assert other.given_at is None


@pytest.mark.parametrize("fields", [{"verdict": "fine"}, {"verdict": ""}, {"notes": "x" * 2001}])
def test_review_that_cannot_be_read_is_400(client, sre, fields):
    owed = builders.make_review()
    client.force_login(sre)

    assert _give(client, owed, **fields).status_code == 400
    assert Review.objects.owed().count() == 1


@pytest.mark.parametrize("number", [4711, 10**30])
def test_review_of_nothing_is_404(client, sre, number):
    client.force_login(sre)

    assert client.post(f"/reviews/{number}/", {"verdict": "justified"}).status_code == 404


def test_count_in_the_top_bar_is_what_the_person_could_give(client, sre, auditor, viewer):
    builders.make_review()
    builders.make_review(declared_by=sre)
    approved = builders.make_review()
    builders.make_decision(approved.promotion, sre)

    bars = {}
    for user in (sre, auditor, viewer):
        client.force_login(user)
        page = " ".join(_page(client, "/releases/").split())
        start = page.find('<a href="/reviews/"')
        bars[user.username] = page[start : page.find("</a>", start)].split(">", 1)[-1]

    assert bars["mei"] == "Reviews <b>1</b>"
    assert bars["luca"] == "Reviews"
    assert 'href="/reviews/"' not in page


def test_reviews_of_applications_that_one_may_not_see_are_hidden(client, stand, person):
    stand("roles: [{role: approver, users: [eve], applications: [argocd/elsewhere]}]")
    owed = builders.make_review()
    eve = person("eve")
    client.force_login(eve)

    assert owed.incident not in _page(client, "/reviews/")
    assert _give(client, owed).status_code == 404


# Taking back and stopping


def test_take_back_from_the_page_says_what_follows(client, sre: User, promotion):
    client.force_login(sre)
    client.post(f"/promotions/{promotion.pk}/approve/", {"seal": promotion.seal})
    assert "Take my approval back" in _page(client, f"/promotions/{promotion.pk}/")

    answer = client.post(f"/promotions/{promotion.pk}/withdraw-approval/", follow=True)

    page = answer.content.decode()
    assert "Your approval of main-e1f492f is taken back. It waits for approvals again." in page
    promotion.refresh_from_db()
    assert promotion.status == "PENDING"


def test_stop_from_the_page_asks_and_then_says_who_asked(client, sre, viewer):
    promotion = builders.make_promotion(status="EXECUTING")
    client.force_login(sre)
    assert f'href="/promotions/{promotion.pk}/abort/"' in _page(
        client, f"/promotions/{promotion.pk}/execution/"
    )
    assert "right before it writes" in _page(client, f"/promotions/{promotion.pk}/abort/")

    answer = client.post(
        f"/promotions/{promotion.pk}/abort/", {"reason": "the queue is on fire"}, follow=True
    )

    page = answer.content.decode()
    assert "Asked to stop main-e1f492f." in page
    assert "mei asked to stop it." in page
    assert "the queue is on fire" in page


def test_stop_of_what_is_written_offers_only_the_way_back(client, sre):
    promotion = builders.make_promotion(status="VERIFYING")
    client.force_login(sre)

    page = _page(client, f"/promotions/{promotion.pk}/")

    assert "only a rollback undoes it" in page
    assert f"/promotions/{promotion.pk}/abort/" not in page
    answer = client.post(f"/promotions/{promotion.pk}/abort/", {"reason": "the queue is on fire"})
    assert answer.status_code == 409
    assert "only a rollback undoes it" in answer.content.decode()


def test_stop_with_a_short_reason_keeps_the_form(client, sre):
    promotion = builders.make_promotion(status="EXECUTING")
    client.force_login(sre)

    answer = client.post(f"/promotions/{promotion.pk}/abort/", {"reason": "short"})

    assert answer.status_code == 409
    assert ">short</textarea>" in answer.content.decode()


def test_approve_where_words_are_asked_has_a_field_for_them_on_every_screen(
    client, sre, stand, promotion
):
    stand("rules: [{name: a, min_reason: {approve: 12}}]")
    client.force_login(sre)

    page = " ".join(_page(client, f"/promotions/{promotion.pk}/").split())

    assert 'placeholder="Why, in at least 12 characters"' in page
    assert 'class="wide-only grow"' not in page


def test_verb_of_another_teams_promotion_is_404(client, stand, person, promotion):
    stand("roles: [{role: approver, users: [eve], applications: [argocd/elsewhere]}]")
    eve = person("eve")
    client.force_login(eve)

    for verb in ("withdraw-approval", "abort", "emergency"):
        values = {"seal": promotion.seal, "reason": REASON, "incident": "INC-7"}
        assert client.post(f"/promotions/{promotion.pk}/{verb}/", values).status_code == 404
    assert not Review.objects.exists()
