"""Emergencies and their reviews through the API."""

import json

import pytest

from approvals import doorbell
from approvals.models import Review
from tests import builders

REASON = "checkout is down for everybody"
RULE = """
rules:
- name: company
  approvals: [{name: two, role: approver, count: 2}]
  emergency: {approvals: [{name: on call, role: approver}], min_reason: 20, review_within: 4h}
"""


@pytest.fixture(autouse=True)
def _quiet_bell(monkeypatch):
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)


def _post(client, path, body, **headers):
    return client.post(
        f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers
    )


def _declare(client, promotion, **changes):
    body = {"seal": promotion.seal, "reason": REASON, "incident": "INC-7", **changes}
    return _post(client, f"promotions/{promotion.pk}/emergency", body)


def test_declare_answers_with_what_is_owed(client, sre, stand):
    stand(RULE)
    promotion = builders.make_promotion()
    client.force_login(sre)

    answer = _declare(client, promotion)

    told = answer.json()
    assert (answer.status_code, told["kind"], told["status"]) == (200, "emergency", "APPROVED")
    assert told["emergency"]["incident"] == "INC-7"
    assert told["emergency"]["due_at"]
    listed = client.get("/api/v1/promotions").json()["results"][0]
    assert listed["emergency"] == told["emergency"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"incident": ""}, 400, "incident_missing"),
        ({"incident": "a\nb"}, 400, "incident_missing"),
        ({"incident": "x" * 201}, 400, "invalid"),
        ({"reason": "short"}, 400, "reason_missing"),
        ({"reason": 5}, 400, "invalid"),
        ({"approvers": 0}, 400, "invalid"),
        ({"seal": "0" * 64}, 409, "seal_changed"),
    ],
    ids=str,
)
def test_declare_with_bad_input_is_refused(client, sre, stand, changes, status, code):
    stand(RULE)
    client.force_login(sre)

    answer = _declare(client, builders.make_promotion(), **changes)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Review.objects.exists()


def test_declare_where_the_policy_has_none_is_409(client, sre):
    client.force_login(sre)

    answer = _declare(client, builders.make_promotion())

    assert answer.status_code == 409
    assert "has no emergencies" in answer.json()["message"]


def test_reviews_are_listed_by_whether_they_are_owed(client, viewer, sre):
    owed, given = builders.make_review(), builders.make_review(incident="INC-8")
    client.force_login(sre)
    _post(client, f"reviews/{given.pk}", {"verdict": "justified", "notes": REASON})
    client.force_login(viewer)

    found = {
        query: [row["id"] for row in client.get(f"/api/v1/reviews{query}").json()["results"]]
        for query in ("", "?owed=true", "?owed=false")
    }

    assert found == {"": [given.pk, owed.pk], "?owed=true": [owed.pk], "?owed=false": [given.pk]}
    assert client.get("/api/v1/reviews?owed=maybe").status_code == 400
    assert client.get("/api/v1/reviews?declared_by__password=x").status_code == 400


def test_review_is_given_once(client, sre):
    owed = builders.make_review()
    client.force_login(sre)
    body = {"verdict": "not justified", "notes": REASON}

    first = _post(client, f"reviews/{owed.pk}", body)
    again = _post(client, f"reviews/{owed.pk}", body)

    assert (first.status_code, first.json()["given_by"]) == (200, "mei")
    assert first.json()["verdict"] == "not justified"
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")


def test_review_with_one_key_twice_has_one_answer(client, sre):
    owed = builders.make_review()
    client.force_login(sre)
    body = {"verdict": "justified", "notes": REASON}

    first, second = (
        _post(client, f"reviews/{owed.pk}", body, **{"Idempotency-Key": "k1"}) for _ in range(2)
    )

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()


@pytest.mark.parametrize(
    "body",
    [
        {"verdict": "fine", "notes": REASON},
        {"notes": REASON},
        {"verdict": "justified"},
        {"verdict": "justified", "notes": "no"},
        {"verdict": "justified", "notes": REASON, "given_by": "ben"},
    ],
    ids=["verdict", "none", "no notes", "short", "unknown"],
)
def test_review_with_bad_input_is_400(client, sre, body):
    owed = builders.make_review()
    client.force_login(sre)

    assert _post(client, f"reviews/{owed.pk}", body).status_code == 400
    assert Review.objects.owed().count() == 1


@pytest.mark.parametrize("number", [4711, 10**30])
def test_review_of_nothing_is_404(client, sre, number):
    client.force_login(sre)

    answer = _post(client, f"reviews/{number}", {"verdict": "justified", "notes": REASON})

    assert answer.status_code == 404
