"""The verbs on a promotion's way through the API: once per key, strict, with a problem object when refused."""

import json

import pytest

from approvals import doorbell
from approvals.models import Promotion
from tests import builders
from updater.audit import AuditKind
from updater.models import AuditEvent

REASON = "the queue is on fire"
# verb → the status it needs, what is sent, the status it leaves
VERBS = {
    "retry": ("ERRORED", {}, "ERRORED"),
    "withdraw": ("PENDING", {"reason": REASON}, "WITHDRAWN"),
    "abort": ("APPROVED", {"reason": REASON}, "WITHDRAWN"),
    "withdraw-approval": ("APPROVED", {}, "PENDING"),
}


@pytest.fixture(autouse=True)
def _quiet_bell(monkeypatch):
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)


@pytest.fixture(params=VERBS)
def verb(request):
    return request.param


@pytest.fixture
def promotion(verb, sre):
    made = builders.make_promotion(status=VERBS[verb][0])
    builders.make_decision(made, sre)
    return made


def _post(client, promotion, verb, body, **headers):
    return client.post(
        f"/api/v1/promotions/{promotion.pk}/{verb}",
        json.dumps(body),
        content_type="application/json",
        headers=headers,
    )


def test_verb_does_what_the_page_does(client, sre, verb, promotion):
    client.force_login(sre)
    _, body, status = VERBS[verb]

    answer = _post(client, promotion, verb, body)

    assert (answer.status_code, answer.json()["status"]) == (200, status)
    event = AuditEvent.objects.filter(promotion=str(promotion.pk)).first()
    assert (event.actor, event.via) == ("mei", "api")


def test_verb_without_a_body_needs_none_where_there_is_nothing_to_say(client, sre, verb, promotion):
    client.force_login(sre)

    answer = client.post(
        f"/api/v1/promotions/{promotion.pk}/{verb}", "", content_type="application/json"
    )

    assert answer.status_code == (400 if VERBS[verb][1] else 200)


def test_verb_with_an_unknown_field_is_refused_by_name(client, sre, verb, promotion):
    client.force_login(sre)

    answer = _post(client, promotion, verb, {**VERBS[verb][1], "actor": "ben"})

    assert answer.status_code == 400
    assert answer.json()["message"] == "actor: Unknown field."
    assert Promotion.objects.get().status == promotion.status


def test_verb_twice_with_one_key_has_one_effect_and_one_answer(client, sre, verb, promotion):
    client.force_login(sre)
    body, key = VERBS[verb][1], {"Idempotency-Key": "k1"}

    first, second = (_post(client, promotion, verb, body, **key) for _ in range(2))

    assert (first.status_code, first.json()) == (second.status_code, second.json())
    refused = AuditEvent.objects.filter(kind=AuditKind.DECISION_REFUSED)
    assert first.status_code == 200
    assert not refused.exists()


def test_verb_by_somebody_who_may_only_look_is_403(client, viewer, verb, promotion):
    client.force_login(viewer)

    answer = _post(client, promotion, verb, VERBS[verb][1])

    assert answer.status_code == 403
    assert set(answer.json()) == {"code", "message"}


def test_verb_when_it_is_over_is_409_with_the_reason(client, sre, verb, promotion):
    Promotion.objects.update(status="REJECTED", status_reason="no")
    client.force_login(sre)

    answer = _post(client, promotion, verb, VERBS[verb][1])

    assert answer.status_code == 409
    assert "rejected" in answer.json()["message"].lower()


def test_verb_of_no_promotion_is_404(client, sre, verb):
    client.force_login(sre)
    missing = "00000000-0000-4000-8000-000000000000"

    answer = client.post(
        f"/api/v1/promotions/{missing}/{verb}",
        json.dumps(VERBS[verb][1]),
        content_type="application/json",
    )

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("verb", ["withdraw", "abort"], indirect=True)
def test_verb_with_a_short_reason_is_400(client, sre, verb, promotion):
    client.force_login(sre)

    answer = _post(client, promotion, verb, {"reason": "no"})

    assert (answer.status_code, answer.json()["code"]) == (400, "reason_missing")


def test_abort_of_one_that_is_written_says_what_is_left(client, sre):
    promotion = builders.make_promotion(status="VERIFYING")
    client.force_login(sre)

    answer = _post(client, promotion, "abort", {"reason": REASON})

    assert (answer.status_code, answer.json()["code"]) == (409, "past_stopping")
    assert "only a rollback" in answer.json()["message"]
