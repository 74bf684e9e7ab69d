"""Traps that other products fell into (design 8, peers section 6): what must stay impossible here.

Each test names its trap. Traps that have their test where the thing itself is tested are not repeated here.
"""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import Client

from approvals import decisions, doorbell, policy
from approvals.models import Decision, Promotion
from approvals.permissions import Action, Role, roles_with
from approvals.queries import releases
from tests import builders
from updater import clock
from updater.audit import Actor, AuditKind
from updater.models import AuditEvent

REASON = "long enough for every policy"
FREEZE = """
rules:
  - name: always closed
    windows:
      deny: [{name: freeze, cron: "0 0 * * *", duration: 24h, zone: UTC}]
"""


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)
    monkeypatch.setattr(doorbell, "ring_proposals", lambda: None)


@pytest.fixture
def promotion(db: None) -> Promotion:
    return builders.make_promotion()


def _by(person: User) -> Actor:
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


@pytest.mark.parametrize("field", ["by", "username", "voter", "person", "approved_by", "identity"])
def test_trap_1_voter_is_who_is_signed_in_whatever_a_form_says(
    field: str, promotion, sre: User, viewer: User, client: Client
):
    client.force_login(sre)

    client.post(
        f"/promotions/{promotion.pk}/approve/", {"seal": promotion.seal, field: viewer.username}
    )

    decision = Decision.objects.get()
    assert (decision.by, decision.identity["username"]) == (sre, "mei")


@pytest.mark.parametrize("field", ["by", "username", "voter", "person", "approved_by", "identity"])
def test_trap_1_api_refuses_to_be_told_who_votes(field: str, promotion, sre: User, client: Client):
    client.force_login(sre)

    answer = client.post(
        f"/api/v1/promotions/{promotion.pk}/approve",
        {"seal": promotion.seal, field: "jonas"},
        content_type="application/json",
    )

    assert answer.status_code == 400
    assert field in answer.json()["message"]
    assert not Decision.objects.exists()


@pytest.mark.parametrize("field", ["to_digest", "to_tag", "seal"])
def test_trap_2_promotion_without_what_it_promotes_cannot_be_stored(field: str, promotion):
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        Promotion.objects.filter(pk=promotion.pk).update(**{field: None})


@pytest.mark.parametrize(
    "address",
    ["/promotions/{}/", "/promotions/{}/approve/", "/api/v1/promotions/{}"],
)
def test_trap_3_nothing_deletes_an_approval(address: str, promotion, sre: User, client: Client):
    decision = builders.make_decision(promotion, sre)
    client.force_login(sre)

    assert client.delete(address.format(promotion.pk)).status_code == 405

    decisions.withdraw_approval(promotion_id=promotion.pk, person=sre, by=_by(sre))
    decision.refresh_from_db()
    assert decision.voided_at is not None


@pytest.mark.parametrize("who", ["promotion", "person", "application", "candidate"])
def test_traps_3_and_7_what_a_decision_was_about_cannot_be_deleted(who, promotion, sre: User):
    builders.make_decision(promotion, sre)
    row = {
        "promotion": promotion,
        "person": sre,
        "application": promotion.application,
        "candidate": promotion.candidate,
    }[who]

    with pytest.raises(ProtectedError):
        row.delete()


def test_trap_4_rejection_without_a_reason_cannot_be_stored(promotion, sre: User):
    with pytest.raises(IntegrityError, match="rejection_has_a_reason"), transaction.atomic():
        builders.make_decision(promotion, sre, verb="REJECT", reason="")


def test_trap_6_decisions_are_rows_that_outlive_their_application(
    promotion, sre: User, client: Client
):
    decisions.approve(
        promotion_id=promotion.pk, seal=promotion.seal, reason=REASON, person=sre, by=_by(sre)
    )
    type(promotion.application).objects.update(vanished_at=clock.now())
    client.force_login(sre)

    answer = client.get(f"/api/v1/promotions/{promotion.pk}").json()
    trail = AuditEvent.objects.filter(promotion=str(promotion.pk))

    assert [(row["username"], row["reason"]) for row in answer["decisions"]] == [("mei", REASON)]
    assert trail.get(kind=AuditKind.PROMOTION_APPROVED).application == "argocd/" + (
        promotion.application.name
    )


def test_trap_8_history_has_no_limit_of_ten(db):
    image = builders.make_tracked_image()
    for number in range(60):
        candidate = builders.make_candidate(image, f"main-{number:07x}")
        builders.make_promotion(candidate, status="SUCCEEDED")

    shown, cursor = 0, ""
    while True:
        page = releases.page(releases.Wanted(), cursor)
        shown, cursor = shown + len(page.rows), page.next_cursor
        if not cursor:
            break

    assert shown == 60


@pytest.mark.parametrize("who", ["sre", "administrator"])
def test_traps_10_and_14_an_approval_passes_no_gate_and_nobody_passes_it_silently(
    who, stand, sre: User, request
):
    person = request.getfixturevalue(who)
    stand(FREEZE)
    promotion = builders.make_promotion()
    decisions.approve(
        promotion_id=promotion.pk, seal=promotion.seal, reason="", person=sre, by=_by(sre)
    )
    promotion.refresh_from_db()

    gates = {gate.key: gate for gate in policy.gates(promotion, at=clock.now())}
    offers = decisions.offers(decisions.Situation(promotion, person, clock.now()))

    assert promotion.status == "APPROVED"
    assert not gates["window"].is_open
    assert "freeze" in gates["window"].text
    assert {"override", "release", "execute"}.isdisjoint(offer.verb for offer in offers)


def test_trap_14_administrator_decides_and_executes_nothing():
    beyond = {Action.DECIDE, Action.EXECUTE, Action.HOLD, Action.DECLARE, Action.REQUEST}

    assert all(Role.ADMINISTRATOR not in roles_with(action) for action in beyond)


@pytest.mark.parametrize("who", ["sre", "viewer", "auditor", "administrator"])
@pytest.mark.parametrize("kind", ["fresh", "own request", "expired", "approved before"])
def test_trap_15_every_door_to_an_approval_has_the_same_checks(
    kind, who, promotion, request, client: Client
):
    person = request.getfixturevalue(who)
    if kind == "own request":
        Promotion.objects.update(requested_by=person.username)
    elif kind == "expired":
        Promotion.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    elif kind == "approved before":
        builders.make_decision(promotion, person)
    client.force_login(person)
    chosen = f"{promotion.pk}.{promotion.seal}"
    body = {"seal": promotion.seal}
    doors = {
        "page": lambda: client.post(f"/promotions/{promotion.pk}/approve/", body),
        "several": lambda: client.post("/pending/decide/", {"verb": "approve", "chosen": [chosen]}),
        "API": lambda: client.post(
            f"/api/v1/promotions/{promotion.pk}/approve", body, content_type="application/json"
        ),
    }

    let_through = {name: _lets_through(door) for name, door in doors.items()}

    promotion.refresh_from_db()
    offered = decisions.by_verb(decisions.Situation(promotion, person, clock.now()))["approve"]
    assert set(let_through.values()) == {offered.is_possible}
    assert offered.is_possible == (who == "sre" and kind == "fresh")


def _lets_through(door) -> bool:
    with transaction.atomic():
        door()
        is_approved = Promotion.objects.get().status == "APPROVED"
        transaction.set_rollback(True)
    return is_approved


def test_trap_20_trail_names_the_person_of_each_decision(promotion, sre: User, client: Client):
    decisions.reject(
        promotion_id=promotion.pk, seal=promotion.seal, reason=REASON, person=sre, by=_by(sre)
    )
    client.force_login(sre)

    page = client.get("/audit/?kind=promotion.rejected").content.decode()

    assert "mei" in page
    assert REASON in page


def test_trap_21_address_is_the_connections_not_a_header_of_the_caller(
    promotion, sre: User, client: Client
):
    client.force_login(sre)

    client.post(
        f"/promotions/{promotion.pk}/approve/",
        {"seal": promotion.seal},
        headers={"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"},
        REMOTE_ADDR="198.51.100.7",
    )

    event = AuditEvent.objects.get(kind=AuditKind.PROMOTION_APPROVED)
    assert (event.address, Decision.objects.get().identity["address"]) == ("198.51.100.7",) * 2


def test_trap_24_policy_that_changes_leaves_who_and_which_in_the_trail(stand, db):
    first, second = stand("rules: []\n"), stand(FREEZE)

    events = AuditEvent.objects.filter(kind=AuditKind.POLICY_LOADED).order_by("sequence")

    assert [event.actor for event in events] == ["scan-worker-1", "scan-worker-1"]
    assert [json.loads(event.details)["hash"] for event in events] == [first.hash, second.hash]


def test_trap_25_confirmation_of_several_shows_what_each_writes(
    promotion, sre: User, client: Client
):
    client.force_login(sre)

    page = client.post("/pending/review/", {"verb": "approve", "promotion": [promotion.pk]})

    text = page.content.decode()
    assert f".argocd-source-{promotion.application.name}.yaml" in text
    assert "<mark>main-9c07d1a</mark>" in text
    assert "<mark>main-e1f492f</mark>" in text
