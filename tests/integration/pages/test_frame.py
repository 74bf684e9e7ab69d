"""What stands around every page: headers, error pages, health, banner."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, OperationalError
from django.test import Client
from django.utils import timezone

from approvals.queries import releases
from approvals.views import health
from tests import builders

EVERYWHERE = ["/", "/sign-in/", "/healthz", "/nowhere/", "/api/v1/promotions"]


@pytest.mark.parametrize("address", EVERYWHERE)
def test_w34_answers_carry_the_strict_headers(client: Client, sre: User, address: str):
    client.force_login(sre)

    headers = client.get(address).headers

    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert "no-store" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert len(headers["X-Request-ID"]) == 16


def test_request_id_is_ours_not_the_callers(client: Client, db: None):
    response = client.get("/healthz", headers={"X-Request-ID": "mine"})

    assert response.headers["X-Request-ID"] != "mine"


def test_w37_preflight_from_elsewhere_gets_no_permission(client: Client, sre: User):
    client.force_login(sre)
    headers = {"Origin": "https://evil.example.com", "Access-Control-Request-Method": "POST"}

    answer = client.options("/", headers=headers)

    assert not [name for name in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("host", ["evil.example.com", "localhost,evil.example.com"])
def test_w21_foreign_host_is_refused(client: Client, db: None, host: str):
    assert client.get("/healthz", headers={"Host": host}).status_code == 400


def test_w30_unexpected_failure_shows_a_reference_and_nothing_else(sre: User, monkeypatch):
    client = Client(raise_request_exception=False)
    client.force_login(sre)
    monkeypatch.setattr(releases, "page", _raise(RuntimeError("secret detail")))

    response = client.get("/releases/")

    page = response.content.decode()
    assert response.status_code == 500
    assert response.headers["X-Request-ID"] in page
    assert "secret detail" not in page
    assert "Traceback" not in page


def test_lost_database_is_said_without_asking_it_again(sre: User, monkeypatch):
    client = Client(raise_request_exception=False)
    client.force_login(sre)
    monkeypatch.setattr(releases, "page", _raise(OperationalError("server closed the connection")))

    response = client.get("/releases/")

    assert response.status_code == 503
    assert "The database does not answer" in response.content.decode()


def test_lost_database_is_said_also_when_the_session_cannot_be_read(sre: User, monkeypatch):
    client = Client(raise_request_exception=False)
    client.force_login(sre)
    monkeypatch.setattr(SessionStore, "load", _raise(OperationalError("connection refused")))

    response = client.get("/releases/")

    assert response.status_code == 503


def test_ready_without_a_database_is_not_ready(client: Client, db: None, monkeypatch):
    monkeypatch.setattr(health, "connection", SimpleNamespace(cursor=_raise(DatabaseError())))

    response = client.get("/readyz")

    assert response.status_code == 503


def test_health_answers_strangers(client: Client, db: None):
    assert client.get("/healthz").content == b"alive\n"
    assert client.get("/readyz").content == b"ready\n"


@pytest.mark.parametrize(("minutes", "is_told"), [(1, False), (30, True)])
def test_banner_tells_when_the_cluster_was_not_read_for_long(
    client: Client, sre: User, minutes: int, is_told
):
    builders.make_application(seen_at=timezone.now() - timedelta(minutes=minutes))
    client.force_login(sre)

    page = client.get("/").content.decode()

    assert ("Applications were last read" in page) == is_told


def test_navigation_offers_the_trail_only_to_its_readers(client: Client, viewer: User):
    client.force_login(viewer)

    assert "/audit/" not in client.get("/").content.decode()


def test_htmx_without_a_session_is_told_to_load_the_page_anew(client: Client, db: None):
    response = client.get("/", headers={"HX-Request": "true"})

    assert (response.status_code, response.headers["HX-Refresh"]) == (401, "true")


def _raise(error: Exception):
    def raising(*args, **kwargs):
        raise error

    return raising
