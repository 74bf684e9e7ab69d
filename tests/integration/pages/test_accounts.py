"""Signing in and out, lockout, the theme."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests import builders
from updater.models import AuditEvent


def _sign_in(client: Client, username: str, password: str = builders.PASSWORD, next_page: str = ""):
    return client.post("/sign-in/", {"username": username, "password": password, "next": next_page})


def test_sign_in_goes_where_one_wanted_and_is_recorded(client: Client, sre: User):
    response = _sign_in(client, "mei", next_page="/releases/")

    assert (response.status_code, response.url) == (302, "/releases/")
    event = AuditEvent.objects.get()
    assert (event.kind, event.actor, event.via) == ("person.signed_in", "mei", "page")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.com/",
        "//evil.example.com",
        "/\\evil.example.com",
        "javascript:alert(1)",
        "http:evil.example.com",
        "",
    ],
)
def test_sign_in_never_sends_elsewhere(client: Client, sre: User, target: str):
    assert _sign_in(client, "mei", next_page=target).url == "/"


def test_w12_sign_in_unknown_person_and_wrong_password_are_answered_alike(
    client: Client, sre: User
):
    wrong = _sign_in(client, "mei", "wrong")
    unknown = _sign_in(client, "nobody-here", "wrong")

    texts = [
        answer.content.decode()
        .replace("nobody-here", "mei")
        .partition("<form")[2]
        .partition("token")[0]
        for answer in (wrong, unknown)
    ]
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert texts[0] == texts[1]
    assert AuditEvent.objects.filter(kind="sign_in.refused").count() == 2


def test_w10_sign_in_changes_the_session_id_and_sign_out_ends_it(client: Client, sre: User):
    client.get("/sign-in/")
    client.session.save()
    before = client.session.session_key
    _sign_in(client, "mei")
    signed_in = client.cookies["sessionid"].value

    client.post("/sign-out/")
    client.cookies["sessionid"] = signed_in

    assert before != signed_in
    assert client.get("/").status_code == 302


def test_sign_in_after_ten_wrong_tries_is_locked_even_with_the_password(client: Client, sre: User):
    for _ in range(10):
        last = _sign_in(client, "mei", "wrong")

    response = _sign_in(client, "mei")

    assert (last.status_code, response.status_code) == (429, 429)
    assert "locked from this address for 15 minutes" in response.content.decode()


def test_sign_in_disabled_account_is_refused(client: Client, sre: User):
    User.objects.update(is_active=False)

    assert _sign_in(client, "mei").status_code == 401


@pytest.mark.parametrize(
    ("username", "password"), [("", "x"), ("mei", ""), ("a" * 151, "x"), ("a\x00", "x")], ids=ascii
)
def test_sign_in_unreadable_form_is_refused(client: Client, db: None, username: str, password: str):
    assert _sign_in(client, username, password).status_code == 401


def test_sign_in_when_signed_in_goes_on(client: Client, sre: User):
    client.force_login(sre)

    assert client.get("/sign-in/?next=/releases/").url == "/releases/"


@pytest.mark.parametrize("method", ["put", "delete"])
def test_sign_in_other_methods_are_refused(client: Client, db: None, method: str):
    assert getattr(client, method)("/sign-in/").status_code == 405


def test_sign_out_ends_the_session_and_is_recorded(client: Client, sre: User):
    client.force_login(sre)

    response = client.post("/sign-out/")

    assert response.url == "/sign-in/"
    assert client.get("/").status_code == 302
    assert AuditEvent.objects.get().kind == "person.signed_out"


def test_sign_out_by_get_is_refused(client: Client, sre: User):
    client.force_login(sre)

    assert client.get("/sign-out/").status_code == 405


@pytest.mark.parametrize(
    ("chosen", "attribute"),
    [("dark", 'data-theme="dark"'), ("light", 'data-theme="light"'), ("system", ""), ("x", "")],
)
def test_theme_is_kept_in_a_cookie_and_written_by_the_server(
    client: Client, sre: User, chosen: str, attribute: str
):
    client.force_login(sre)

    response = client.post("/theme/", {"theme": chosen, "next": "/releases/"})

    assert response.url == "/releases/"
    head = client.get("/releases/").content.decode().partition("<head>")[0]
    assert ("data-theme" in head) == bool(attribute)
    assert attribute in head


def test_theme_strange_cookie_is_the_system(client: Client, sre: User):
    client.force_login(sre)
    client.cookies["theme"] = '"><script>'

    assert "data-theme" not in client.get("/").content.decode()
