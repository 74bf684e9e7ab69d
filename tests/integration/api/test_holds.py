"""Holds and comments through the API: the same verbs, strict input, problem objects, once a key."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from approvals import doorbell
from approvals.models import Comment, Hold
from tests import builders
from updater.audit import AuditKind
from updater.models import AuditEvent

REASON = "incident 4711: checkout is slow"


@pytest.fixture(autouse=True)
def _quiet_bell(monkeypatch):
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)


@pytest.fixture
def promotion(db):
    image = builders.make_tracked_image(builders.make_application("checkout"), "web")
    return builders.make_promotion(builders.make_candidate(image))


@pytest.fixture
def call(sre, client: Client):
    return _caller(sre, client)


def _caller(person, client):
    out = StringIO()
    call_command("create_token", person.username, "--name", "test", stdout=out)
    authorised = {"Authorization": f"Token {out.getvalue().strip()}"}

    def call(address, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is None:
            return client.get(f"/api/v1/{address}", headers=authorised)
        return client.post(
            f"/api/v1/{address}",
            body if isinstance(body, str) else json.dumps(body),
            content_type="application/json",
            headers={**authorised, **named},
        )

    return call


def test_hold_is_set_listed_and_released(call, promotion):
    until = (timezone.now() + timedelta(hours=2)).isoformat()
    body = {"scope": "image", "application": "argocd/checkout", "image": "web"}

    made = call("holds", {**body, "reason": REASON, "until": until})
    listed = call("holds?standing=true").json()["results"]
    released = call(f"holds/{made.json()['id']}/release", {"reason": "incident is over"})

    assert made.status_code == 200
    assert {key: made.json()[key] for key in body} == body
    assert [row["id"] for row in listed] == [made.json()["id"]]
    assert (released.json()["released_by"], released.status_code) == ("mei", 200)
    assert call("holds?standing=true").json()["results"] == []
    assert len(call("holds?standing=false").json()["results"]) == 1
    assert AuditEvent.objects.get(kind=AuditKind.HOLD_RELEASED).via == "api"


def test_hold_with_the_same_key_is_set_once_and_answered_alike(call, db):
    body = {"scope": "everything", "reason": REASON}

    first = call("holds", body, Idempotency_Key="k1")
    second = call("holds", body, Idempotency_Key="k1")
    other = call("holds", {**body, "reason": REASON + "!"}, Idempotency_Key="k1")

    assert first.json() == second.json()
    assert (Hold.objects.count(), other.status_code) == (1, 422)


def test_release_with_the_same_key_is_answered_alike(call, db):
    standing = builders.make_hold()

    answers = [
        call(f"holds/{standing.pk}/release", {"reason": "it is over"}, Idempotency_Key="k2")
        for _ in range(2)
    ]

    assert answers[0].json() == answers[1].json()
    assert [answer.status_code for answer in answers] == [200, 200]


PROBLEMS = {
    "unknown field": ({"scope": "everything", "reason": REASON, "by": "jonas"}, 400, "invalid"),
    "no scope": ({"reason": REASON}, 400, "invalid"),
    "no such scope": ({"scope": "cluster", "reason": REASON}, 400, "invalid"),
    "reason of a number": ({"scope": "everything", "reason": 1_000_000_000}, 400, "invalid"),
    "half of a pair": ('{"scope": "everything", "reason": "\\ud800 is no text"}', 400, "invalid"),
    "NUL": ({"scope": "everything", "reason": "a\x00" + REASON}, 400, "invalid"),
    "no time": ({"scope": "everything", "reason": REASON, "until": "soon"}, 400, "invalid"),
    "end of time": (
        {"scope": "everything", "reason": REASON, "until": "9999-12-31T23:59:59-12:00"},
        400,
        None,
    ),
    "past": (
        {"scope": "everything", "reason": REASON, "until": "2020-01-01T00:00:00Z"},
        400,
        "hold_not_possible",
    ),
    "short reason": ({"scope": "everything", "reason": "why"}, 400, "reason_missing"),
    "scope without its target": (
        {"scope": "image", "application": "argocd/checkout", "reason": REASON},
        400,
        "hold_not_possible",
    ),
    "not there": (
        {"scope": "application", "application": "argocd/nowhere", "reason": REASON},
        404,
        "not_found",
    ),
}


@pytest.mark.parametrize(("body", "status", "code"), PROBLEMS.values(), ids=PROBLEMS)
def test_hold_that_cannot_be_is_a_problem_object(body, status, code, call, promotion):
    answer = call("holds", body)

    assert answer.status_code == status
    assert set(answer.json()) == {"code", "message"}
    assert code is None or answer.json()["code"] == code
    assert not Hold.objects.exists()


def test_hold_of_what_is_held_and_release_of_what_is_released_are_conflicts(call, db):
    standing = call("holds", {"scope": "everything", "reason": REASON}).json()["id"]
    call(f"holds/{standing}/release", {"reason": "it is over"})
    call("holds", {"scope": "everything", "reason": REASON})

    again = call("holds", {"scope": "everything", "reason": REASON})
    twice = call(f"holds/{standing}/release", {"reason": "it is over"})

    assert (again.status_code, again.json()["code"]) == (409, "already_held")
    assert (twice.status_code, twice.json()["code"]) == (409, "not_held")
    assert call("holds/99999/release", {"reason": "it is over"}).status_code == 404


@pytest.mark.parametrize("query", ["standing=maybe", "by=mei", "reason__regex=."])
def test_w27_list_holds_with_another_filter_is_refused(query, call, db):
    assert call(f"holds?{query}").status_code == 400


def test_hold_by_a_viewer_is_refused_but_listed(viewer, client, db):
    call = _caller(viewer, client)
    builders.make_hold()

    assert call("holds", {"scope": "everything", "reason": REASON}).status_code == 403
    assert len(call("holds").json()["results"]) == 1


def test_comment_is_written_and_shown_with_the_promotion(call, promotion):
    answer = call(
        f"promotions/{promotion.pk}/comments", {"text": "Seen\non staging"}, Idempotency_Key="c1"
    )
    call(f"promotions/{promotion.pk}/comments", {"text": "Seen\non staging"}, Idempotency_Key="c1")

    assert (answer.json()["username"], answer.json()["text"]) == ("mei", "Seen\non staging")
    assert Comment.objects.count() == 1
    shown = call(f"promotions/{promotion.pk}").json()["comments"]
    assert [row["id"] for row in shown] == [answer.json()["id"]]


@pytest.mark.parametrize(
    "body",
    [{}, {"text": ""}, {"text": "x" * 4001}, {"text": 7}, {"text": "a", "by": "jonas"}],
)
def test_comment_that_cannot_be_kept_is_a_problem_object(body, call, promotion):
    answer = call(f"promotions/{promotion.pk}/comments", body)

    assert (answer.status_code, set(answer.json())) == (400, {"code", "message"})
    assert not Comment.objects.exists()


def test_comment_by_an_auditor_is_refused(auditor, client, promotion):
    call = _caller(auditor, client)

    assert call(f"promotions/{promotion.pk}/comments", {"text": "let me"}).status_code == 403


def test_promotion_shows_its_gates_with_verdict_age_and_who(call, promotion):
    builders.make_hold(application=promotion.application)

    gates = {gate["gate"]: gate for gate in call(f"promotions/{promotion.pk}").json()["gates"]}

    assert len(gates) == 13
    assert gates["hold"]["verdict"] == "block"
    assert gates["hold"]["sentence"] == "mei holds argocd/checkout: incident 4711."
    assert gates["hold"]["who"] == "somebody who may release holds"
    assert gates["hold"]["fact_at"]


def test_openapi_document_names_the_verbs(call, db):
    text = call("schema").content.decode()

    assert "/api/v1/holds/{id}/release" in text
    assert "/api/v1/promotions/{id}/comments" in text
