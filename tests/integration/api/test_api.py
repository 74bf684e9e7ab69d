"""The API: the same decisions as the pages, problem objects, tokens, idempotency, strict input."""

import json
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from approvals import doorbell
from approvals.models import ApiToken, Decision, IdempotencyRecord, Promotion
from tests import builders
from updater.audit import AuditKind
from updater.models import AuditEvent


@pytest.fixture(autouse=True)
def _quiet_bell(monkeypatch):
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)


@pytest.fixture
def promotion(db):
    return builders.make_promotion()


@pytest.fixture
def token(sre):
    out = StringIO()
    call_command("create_token", sre.username, "--name", "pipeline", stdout=out)
    return out.getvalue().strip()


def _headers(token, **more):
    return {"Authorization": f"Token {token}", **more}


def _post(client, promotion, verb, body, **headers):
    return client.post(
        f"/api/v1/promotions/{promotion.pk}/{verb}",
        json.dumps(body),
        content_type="application/json",
        headers=headers,
    )


def test_create_token_stores_only_a_hash_and_records_it(token):
    row = ApiToken.objects.get()

    assert token.startswith("cs_")
    assert token not in json.dumps(list(ApiToken.objects.values()), default=str)
    assert token not in "".join(AuditEvent.objects.values_list("details", flat=True))
    assert AuditEvent.objects.get().kind == AuditKind.TOKEN_CREATED
    assert row.name == "pipeline"


def test_create_token_for_nobody_is_refused(db):
    with pytest.raises(CommandError, match="no active person"):
        call_command("create_token", "nobody-here")


def test_list_promotions_filters_by_status_application_and_image(client, token, promotion):
    builders.make_promotion(status="REJECTED")
    query = {
        "status": "PENDING",
        "application": promotion.application.full_name,
        "image": promotion.tracked_image.alias,
    }

    answer = client.get("/api/v1/promotions", query, headers=_headers(token))

    rows = answer.json()["results"]
    assert [row["id"] for row in rows] == [str(promotion.pk)]
    assert rows[0]["application"] == promotion.application.full_name
    assert rows[0]["seal"] == promotion.seal


@pytest.mark.parametrize(
    "query",
    [
        "_connector=OR 1=1",
        "approver__password__startswith=p",
        "ordering=approver__password",
        "tag__iregex=(a%2B)%2B$",
        "status=HEALTHY",
        "application=noslash",
        "image=%00",
    ],
)
def test_w27_list_promotions_with_another_filter_is_refused_by_name(
    client, token, promotion, query
):
    answer = client.get(f"/api/v1/promotions?{query}", headers=_headers(token))

    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_request"


@pytest.mark.parametrize("query", ["limit=1000000000", "cursor=9e99", "limit=-1"])
def test_w28_list_promotions_with_silly_paging_stays_small(client, token, promotion, query):
    answer = client.get(f"/api/v1/promotions?{query}", headers=_headers(token))

    assert answer.status_code in (200, 404)
    assert len(answer.json().get("results", [])) <= 200


def test_get_promotion_shows_subject_plan_and_decisions(client, token, promotion):
    answer = client.get(f"/api/v1/promotions/{promotion.pk}", headers=_headers(token)).json()

    assert answer["subject"] == promotion.subject
    assert answer["plan"]["files"][0]["path"] == promotion.plan["files"][0]["path"]
    assert answer["decisions"] == []


def test_get_applications_shows_images_and_problems(client, token, promotion):
    answer = client.get("/api/v1/applications", headers=_headers(token)).json()

    application = answer["results"][0]
    assert application["name"] == promotion.application.name
    assert application["images"][0]["alias"] == promotion.tracked_image.alias


def test_get_audit_events_is_for_those_who_may(client, viewer, token, promotion):
    client.force_login(viewer)

    assert client.get("/api/v1/audit-events").status_code == 403
    assert client.get("/api/v1/audit-events", headers=_headers(token)).status_code == 200


def test_approve_with_the_seal_approves(client, token, promotion):
    answer = _post(client, promotion, "approve", {"seal": promotion.seal}, **_headers(token))

    assert (answer.status_code, answer.json()["status"]) == (200, "APPROVED")
    assert Decision.objects.get().identity["via"] == "api"


def test_approve_with_an_old_seal_is_409_with_the_current_one(client, token, promotion):
    answer = _post(client, promotion, "approve", {"seal": "0" * 64}, **_headers(token))

    assert answer.status_code == 409
    assert answer.json()["code"] == "seal_changed"
    assert answer.json()["seal"] == promotion.seal


@pytest.mark.parametrize(
    "extra",
    [{"state": "x"}, {"approved_by": "x"}, {"voter": "x"}, {"digest": "x"}, {"created_at": "x"}],
    ids=lambda value: next(iter(value)),
)
def test_w07_approve_with_an_unknown_field_is_refused(client, token, promotion, extra):
    body = {"seal": promotion.seal, **extra}

    answer = _post(client, promotion, "approve", body, **_headers(token))

    assert answer.status_code == 400
    assert "Unknown field" in answer.json()["message"]
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    "body", ["[]", "null", "1", '"x"', "{", '{"seal": {}}', '{"seal": "' + "a" * 64 + '", "reason": 5.5e999}'],
    ids=["list", "null", "number", "text", "broken", "object", "infinity"],
)  # fmt: skip
def test_approve_with_a_body_of_another_shape_is_400(client, token, promotion, body):
    answer = client.post(
        f"/api/v1/promotions/{promotion.pk}/approve",
        body,
        content_type="application/json",
        headers=_headers(token),
    )

    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message"}


def test_reject_without_reason_is_400(client, token, promotion):
    answer = _post(
        client, promotion, "reject", {"seal": promotion.seal, "reason": "no"}, **_headers(token)
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "reason_missing")


def test_reject_with_reason_rejects(client, token, promotion):
    body = {"seal": promotion.seal, "reason": "breaks the checkout", "scope": "UNTIL_NEWER"}

    answer = _post(client, promotion, "reject", body, **_headers(token))

    assert (answer.status_code, answer.json()["status"]) == (200, "REJECTED")


def test_w16_same_key_twice_has_one_effect_and_one_answer(client, token, promotion):
    headers = _headers(token, **{"Idempotency-Key": "k1"})

    first = _post(client, promotion, "approve", {"seal": promotion.seal}, **headers)
    second = _post(client, promotion, "approve", {"seal": promotion.seal}, **headers)

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert Decision.objects.count() == 1


def test_w16_same_key_with_another_body_is_422(client, token, promotion):
    headers = _headers(token, **{"Idempotency-Key": "k1"})
    _post(client, promotion, "approve", {"seal": promotion.seal}, **headers)

    other = _post(client, promotion, "approve", {"seal": "0" * 64}, **headers)

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_w16_a_key_after_24_hours_is_a_new_one(client, token, promotion):
    headers = _headers(token, **{"Idempotency-Key": "k1"})
    _post(client, promotion, "approve", {"seal": promotion.seal}, **headers)
    IdempotencyRecord.objects.update(at=timezone.now() - timezone.timedelta(hours=25))

    again = _post(client, promotion, "approve", {"seal": promotion.seal}, **headers)

    assert (again.status_code, again.json()["code"]) == (409, "already_decided")


def test_refused_decision_with_a_key_keeps_its_audit_row(client, token, promotion):
    headers = _headers(token, **{"Idempotency-Key": "k1"})

    _post(client, promotion, "approve", {"seal": "0" * 64}, **headers)

    assert AuditEvent.objects.filter(kind=AuditKind.DECISION_REFUSED).count() == 1


def test_w01_session_without_csrf_token_is_refused(promotion, sre):
    client = Client(enforce_csrf_checks=True)
    client.force_login(sre)

    answer = _post(client, promotion, "approve", {"seal": promotion.seal})

    assert answer.status_code == 403
    assert Promotion.objects.get().status == "PENDING"


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete"])
def test_w03_other_methods_on_a_decision_change_nothing(client, token, promotion, method):
    answer = getattr(client, method)(
        f"/api/v1/promotions/{promotion.pk}/approve", headers=_headers(token)
    )

    assert answer.status_code == 405
    assert Promotion.objects.get().status == "PENDING"


@pytest.mark.parametrize("value", ["Token", "Token a b", "Token wrong", "Token é", "Bearer x"])
def test_wrong_tokens_are_401_with_a_problem(client, db, value):
    answer = client.get(
        "/api/v1/promotions", headers={"Authorization": value.encode("utf-8").decode("latin-1")}
    )

    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "message"}


def test_revoked_expired_and_disabled_tokens_are_refused(client, token, sre):
    ApiToken.objects.update(revoked_at=timezone.now())
    assert client.get("/api/v1/promotions", headers=_headers(token)).status_code == 401
    past = timezone.now() - timezone.timedelta(hours=1)
    ApiToken.objects.update(revoked_at=None, expires_at=past)
    assert client.get("/api/v1/promotions", headers=_headers(token)).status_code == 401
    ApiToken.objects.update(expires_at=None)
    sre.is_active = False
    sre.save()
    assert client.get("/api/v1/promotions", headers=_headers(token)).status_code == 401


def test_unknown_promotion_is_404(client, token, db):
    answer = client.get(f"/api/v1/promotions/{uuid4()}", headers=_headers(token))

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_w37_other_origins_get_no_cors_headers(client, token, promotion):
    answer = client.options(
        "/api/v1/promotions", headers=_headers(token, Origin="https://evil.example")
    )

    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_schema_is_valid_and_for_those_who_may(client, token, db):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")

    assert client.get("/api/v1/schema").status_code in (401, 403)
    assert client.get("/api/v1/schema", headers=_headers(token)).status_code == 200
