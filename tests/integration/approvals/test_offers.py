"""What is offered is what the domain accepts: every state, kind and role, by page, API and command."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from approvals import decisions, doorbell, resealing
from approvals.decisions import recovering
from approvals.decisions.offers import VERBS
from approvals.models import Promotion, Review
from approvals.models.promotion import PromotionStatus
from tests import builders
from updater import clock
from updater.audit import Actor
from updater.errors import PermanentError

ROLES = ("viewer", "approver", "requester", "auditor", "administrator", "outsider", "disabled")
REASON = "long enough for every policy"
EMERGENCIES = """
rules:
  - name: company
    emergency:
      approvals: [{name: on call, role: approver}]
      min_reason: 10
      incident: true
      review_within: 4h
"""

Call = Callable[[Promotion, User, Actor], Any]


def _by_id(verb: Callable[..., Any], **values: Any) -> Call:
    return lambda row, who, by: verb(promotion_id=row.pk, person=who, by=by, **values)


def _by_seal(verb: Callable[..., Any], **values: Any) -> Call:
    return lambda row, who, by: verb(
        promotion_id=row.pk, seal=row.seal, person=who, by=by, **values
    )


CALLS: dict[str, Call] = {
    "approve": _by_seal(decisions.approve, reason=REASON),
    "reject": _by_seal(decisions.reject, reason=REASON),
    "withdraw_approval": _by_id(decisions.withdraw_approval),
    "retry": _by_id(decisions.retry),
    "abort": _by_id(decisions.abort, reason=REASON),
    "declare_emergency": _by_seal(decisions.declare, reason=REASON, incident="INC-7"),
    "review_emergency": lambda row, who, by: decisions.review(
        review_id=Review.objects.filter(promotion=row).values_list("pk", flat=True).first() or 0,
        verdict=Review.Verdict.JUSTIFIED,
        notes=REASON,
        person=who,
        by=by,
    ),
    "withdraw": _by_id(decisions.withdraw, reason=REASON),
    "look": _by_id(decisions.look),
    "finding": lambda row, who, by: decisions.finding(
        promotion_id=row.pk,
        verdict=recovering.verdicts_for(row)[0],
        evidence=REASON,
        person=who,
        by=by,
    ),
    "comment": _by_id(decisions.comment, text=REASON),
    "roll_back": _by_id(decisions.roll_back, reason=REASON),
}


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)
    monkeypatch.setattr(doorbell, "ring_proposals", lambda: None)


def test_every_verb_is_tried() -> None:
    assert {verb.name for verb in VERBS} == CALLS.keys()


# Every state and every kind; those in which a kind decides nothing of its own run with the slow tests.
_SCENES = [
    pytest.param(
        status,
        kind,
        marks=() if kind == "forward" or status in ("PENDING", "SUCCEEDED") else pytest.mark.slow,
    )
    for status in PromotionStatus.values
    for kind in Promotion.Kind.values
]


@pytest.mark.parametrize(("status", "kind"), _SCENES)
def test_offers_equal_what_the_domain_accepts(status: str, kind: str, client: Client, stand):
    people = {role: _person(role) for role in ROLES}
    stand(EMERGENCIES)
    promotion = _scene(status, kind, people["requester"])

    told = {
        role: (
            _accepted(promotion, person),
            _by_page(promotion, person, client),
            _by_api(promotion, person, client),
            _by_command(promotion, person),
        )
        for role, person in people.items()
    }

    differing = {role: sets for role, sets in told.items() if len(set(map(frozenset, sets))) > 1}
    assert differing == {}
    assert told["viewer"][0] <= {"comment"}
    assert ("approve" in told["approver"][0]) == (status == "PENDING")
    assert "approve" not in told["requester"][0]
    assert told["disabled"][0] == told["outsider"][0] == set()


def test_every_verb_is_possible_somewhere(stand) -> None:
    approver, requester = _person("approver"), _person("requester")
    stand(EMERGENCIES)
    possible = set()

    for status in PromotionStatus.values:
        for kind in Promotion.Kind.values:
            promotion = _scene(status, kind, requester)
            if status == "PENDING" and kind == "chosen":
                builders.make_decision(promotion, approver)  # to take back
            offers = decisions.offers(decisions.Situation(promotion, approver, clock.now()))
            possible |= {offer.verb for offer in offers if offer.is_possible}

    assert possible == CALLS.keys()


@pytest.mark.parametrize("status", PromotionStatus.values)
def test_offers_to_anonymous_are_none_and_tell_nothing(status: str, client: Client, db: None):
    promotion = builders.make_promotion(status=status)

    offers = decisions.offers(decisions.Situation(promotion, AnonymousUser(), clock.now()))

    assert not any(offer.is_possible for offer in offers)
    assert promotion.application.name not in json.dumps([offer.as_dict() for offer in offers])
    assert client.get(f"/promotions/{promotion.pk}/").status_code == 302
    assert client.get(f"/api/v1/promotions/{promotion.pk}").status_code == 401


def test_reasons_name_the_right_that_is_missing_first_then_the_rest(viewer: User, db: None):
    promotion = builders.make_promotion(status="SUCCEEDED", status_reason="it runs")

    offer = decisions.by_verb(decisions.Situation(promotion, viewer, clock.now()))["approve"]

    assert [reason.code for reason in offer.reasons] == ["not_allowed", "not_open"]
    assert offer.reasons[0].fact == "Your roles here: viewer"
    assert offer.reasons[1].fact == "it runs"


def test_command_tells_the_reasons_as_text(viewer: User, db: None):
    promotion, out = builders.make_promotion(), StringIO()

    call_command("explain_promotion", str(promotion.pk), user="jonas", stdout=out)

    told = out.getvalue()
    assert re.search(r"Retry +off\n    This needs the role approver", told)
    assert "fact: Your roles here: viewer" in told
    assert "who can change it: an administrator" in told


def test_command_at_a_later_time_finds_it_expired(sre: User, db: None):
    promotion, out = builders.make_promotion(), StringIO()
    late = (promotion.expires_at + timedelta(minutes=1)).isoformat()

    call_command("explain_promotion", str(promotion.pk), "--user", "mei", "--at", late, stdout=out)

    assert re.search(r"Approve +off\n    It expired", out.getvalue())


@pytest.mark.parametrize(
    ("promotion_id", "user", "sentence"),
    [
        (builders.NO_PROMOTION, "mei", "no such promotion"),
        ("", "nobody-here", "no account nobody-here"),
    ],
    ids=["promotion", "person"],
)
def test_command_about_nothing_says_so(promotion_id, user, sentence, sre: User, db: None):
    promotion = builders.make_promotion()

    with pytest.raises(CommandError, match=sentence):
        call_command("explain_promotion", promotion_id or str(promotion.pk), user=user)


def test_page_shows_the_reason_tree_of_an_action_that_is_off(
    viewer: User, client: Client, db: None
):
    promotion = builders.make_promotion()
    client.force_login(viewer)

    page = client.get(f"/promotions/{promotion.pk}/").content.decode()

    assert "Off: This needs the role approver for argocd/" in page
    assert "Your roles here: viewer" in page


def _scene(status: str, kind: str, requester: User) -> Promotion:
    """Make a promotion that stands since a while, sealed as it is now; an emergency owes its review."""
    promotion = builders.make_promotion(
        builders.make_candidate(),
        status=status,
        kind=kind,
        requested_by=requester.username,
        request_reason=REASON,
        status_at=clock.now() - timedelta(minutes=2),
    )
    if kind == Promotion.Kind.EMERGENCY:
        builders.make_review(promotion, declared_by=requester)
    Promotion.objects.filter(pk=promotion.pk).update(seal=_seal_now(promotion))
    return Promotion.objects.with_target().get(pk=promotion.pk)


def _person(role: str) -> User:
    roles = {"requester": "approver", "disabled": "approver", "outsider": None}
    person = builders.make_person(role, role=roles.get(role, role))
    if role == "disabled":
        User.objects.filter(pk=person.pk).update(is_active=False)
    return User.objects.get(pk=person.pk)


def _seal_now(promotion: Promotion) -> str:
    row = Promotion.objects.with_target().get(pk=promotion.pk)
    return resealing.current_seal(row)


def _accepted(promotion: Promotion, person: User) -> set[str]:
    by = Actor(name=person.username, kind="person", via="page", user_id=person.pk)
    return {name for name, call in CALLS.items() if _is_accepted(call, promotion, person, by)}


def _is_accepted(call: Call, promotion: Promotion, person: User, by: Actor) -> bool:
    try:
        with transaction.atomic():
            call(promotion, User.objects.get(pk=person.pk), by)
            transaction.set_rollback(True)
    except PermanentError:
        return False
    return True


def _by_page(promotion: Promotion, person: User, client: Client) -> set[str]:
    client.force_login(person)
    answer = client.get(f"/promotions/{promotion.pk}/")
    if answer.status_code != 200:
        return set()
    page = answer.content.decode()
    listed = set(re.findall(r'data-verb="(\w+)"\s+data-possible="yes"', page))
    pressed = {"approve", "reject", "retry", "withdraw", "roll_back"}
    assert _controls(page, promotion) == listed & pressed
    return listed


def _controls(page: str, promotion: Promotion) -> set[str]:
    """Return the verbs for which the page has something to press."""
    address = re.escape(f"/promotions/{promotion.pk}/")
    verbs = "reject|retry|withdraw|roll-back"
    found = set(re.findall(rf'(?:href|formaction)="{address}({verbs})/"', page))
    found = {verb.replace("-", "_") for verb in found}
    return found | ({"approve"} if re.search(r'type="submit"\s+data-key="a"', page) else set())


def _by_api(promotion: Promotion, person: User, client: Client) -> set[str]:
    client.force_login(person)
    answer = client.get(f"/api/v1/promotions/{promotion.pk}")
    if answer.status_code != 200:
        return set()
    actions = answer.json()["actions"]
    assert all(action["possible"] != bool(action["reasons"]) for action in actions)
    return {action["verb"] for action in actions if action["possible"]}


def _by_command(promotion: Promotion, person: User) -> set[str]:
    out = StringIO()
    call_command(
        "explain_promotion", str(promotion.pk), user=person.username, json=True, stdout=out
    )
    return {action["verb"] for action in json.loads(out.getvalue()) if action["possible"]}
