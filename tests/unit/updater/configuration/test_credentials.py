"""Credential references and logins (specification 1.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.configuration import credentials
from updater.configuration.credentials import (
    CredentialReference,
    CredentialReferenceError,
    Login,
    LoginError,
)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        (
            "pullsecret:ns/name",
            CredentialReference("pullsecret", "ns", "name", ".dockerconfigjson"),
        ),
        (
            "secret:ns/my.name#user.pass_1",
            CredentialReference("secret", "ns", "my.name", "user.pass_1"),
        ),
        ("env:REGISTRY_LOGIN", CredentialReference("env", "", "REGISTRY_LOGIN", "")),
        ("ext:/scripts/login.sh", CredentialReference("ext", "", "/scripts/login.sh", "")),
        ("ext:/a=b", CredentialReference("ext", "", "/a=b", "")),
        (
            "PullSecret:ns/name",
            CredentialReference("pullsecret", "ns", "name", ".dockerconfigjson"),
        ),
        ("SECRET:ns/name#x", CredentialReference("secret", "ns", "name", "x")),
        ("ghcr.io=secret:ns/name#x", CredentialReference("secret", "ns", "name", "x")),
        ("registry:5000=secret:ns/name#x", CredentialReference("secret", "ns", "name", "x")),
    ],
)
def test_parse_documented_form_is_understood(text, reference):
    assert credentials.parse(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "secret:",
        "secret:name#x",
        "secret:ns/name",
        "secret:ns/name#",
        "secret:ns/name#a#b",
        "secret:ns/a/b#x",
        "secret:../b#x",
        "secret:ns:name#x",
        "secret:Ns/name#x",
        "pullsecret:name",
        "pullsecret:ns/name#x",
        "env:",
        "env:A B",
        "env:A-B",
        "ext:relative",
        "ext:/a:b",
        "ext:/a b",
        "ext:/a\nb",
        "vault:ns/name#x",
        "a=b=secret:ns/name#x",
        "secret:ns/name#x\n",
        "secret:" + "n" * 64 + "/name#x",
        "x" * 2000,
    ],
    ids=lambda text: ascii(text[:24]),
)
def test_parse_other_text_is_refused_with_the_mend(text):
    with pytest.raises(CredentialReferenceError, match=r"use|Use"):
        credentials.parse(text)


@pytest.mark.parametrize(
    ("text", "is_operator_only"), [("env:X", True), ("ext:/x", True), ("secret:a/b#c", False)]
)
def test_parse_marks_what_only_operators_may_write(text, is_operator_only):
    assert credentials.parse(text).is_operator_only is is_operator_only


@pytest.mark.parametrize("text", ["secret:own/b#c", "x=secret:own/b#c", "PULLSECRET:own/b"])
def test_parse_own_in_the_own_namespace_is_accepted(text):
    assert credentials.parse_own(text, namespace="own").namespace == "own"


@pytest.mark.parametrize(
    "text",
    [
        "secret:other/b#c",
        "x=secret:other/b#c",
        "SECRET:other/b#c",
        "env:X",
        "ext:/x",
        "pullsecret:ownx/b",
    ],
)
def test_parse_own_elsewhere_is_refused(text):
    with pytest.raises(CredentialReferenceError):
        credentials.parse_own(text, namespace="own")


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("user:pass", Login("user", "pass")),
        ("user:pa:ss", Login("user", "pa:ss")),
        ("u:p\n", Login("u", "p")),
    ],
)
def test_parse_login_splits_at_the_first_colon(text, login):
    assert credentials.parse_login(text) == login


@pytest.mark.parametrize("text", ["", "user", "user:", ":pass", "\n"])
def test_parse_login_with_a_part_missing_is_refused(text):
    with pytest.raises(LoginError):
        credentials.parse_login(text)


def test_login_shows_no_password():
    assert "hunter2" not in repr(Login("user", "hunter2"))


@given(st.text(max_size=60) | st.text(alphabet="secrtpulxnv:/#=ab", max_size=40))
def test_parse_own_any_text_raises_only_the_documented_error(text):
    try:
        reference = credentials.parse_own(text, namespace="a")
    except CredentialReferenceError:
        return

    assert reference.namespace == "a"
