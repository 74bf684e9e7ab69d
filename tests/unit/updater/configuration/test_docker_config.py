"""The login for one registry from a .dockerconfigjson, and hostile ones (case A16)."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.configuration import docker_config
from updater.configuration.credentials import Login
from updater.configuration.docker_config import DockerConfigError

CANARY = "canary-secret"


def encoded(username="user", password=CANARY):
    """Return the `auth` member for a login."""
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def config(**auths):
    """Return the text of a Docker configuration."""
    return json.dumps({"auths": auths})


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("registry.example.com", "registry.example.com"),
        ("https://registry.example.com", "registry.example.com"),
        ("https://registry.example.com/v2/", "registry.example.com"),
        ("http://registry.example.com/v1/", "registry.example.com"),
        ("registry.example.com:5000", "registry.example.com:5000"),
        ("Registry.Example.COM", "registry.example.com"),
        ("registry.example.com:443", "registry.example.com"),
        ("registry.example.com/team", "registry.example.com"),
        ("https://index.docker.io/v1/", "registry-1.docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "registry-1.docker.io"),
    ],
)
def test_find_login_key_of_the_host_matches(key, host):
    assert docker_config.find_login(config(**{key: {"auth": encoded()}}), host=host) == Login(
        "user", CANARY
    )


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("registry.example.com", "registry.example.co"),
        ("registry.example.co", "registry.example.com"),
        ("registry.example.com", "registry.example.com.evil.org"),
        ("https://registry.example.com.evil.org", "registry.example.com"),
        ("https://evil.org/registry.example.com", "registry.example.com"),
        ("https://registry.example.com@evil.org", "registry.example.com"),
        ("registry.example.com:5000", "registry.example.com"),
        ("registry.example.com", "registry.example.com:5000"),
        ("docker.io", "notdocker.io"),
        ("", "registry.example.com"),
    ],
)
def test_find_login_a16_other_host_gets_nothing(key, host):
    with pytest.raises(DockerConfigError, match="no entry for"):
        docker_config.find_login(config(**{key: {"auth": encoded()}}), host=host)


def test_find_login_separate_members_are_read():
    text = config(**{"r.io": {"username": "user", "password": "a:b"}})

    assert docker_config.find_login(text, host="r.io") == Login("user", "a:b")


def test_find_login_exact_reads_auth_only():
    text = config(**{"r.io": {"username": "user", "password": "x"}})

    with pytest.raises(DockerConfigError):
        docker_config.find_login(text, host="r.io", exact=True)


def test_find_login_exact_takes_docker_hubs_names_for_two():
    text = config(**{"https://index.docker.io/v1/": {"auth": encoded()}})

    with pytest.raises(DockerConfigError):
        docker_config.find_login(text, host="registry-1.docker.io", exact=True)


def test_find_login_plainest_key_wins():
    text = config(**{"r.io/team": {"auth": encoded("team")}, "r.io": {"auth": encoded("all")}})

    assert docker_config.find_login(text, host="r.io").username == "all"


def test_find_login_password_with_colons_stays_whole():
    text = config(**{"r.io": {"auth": encoded(password="a:b:c")}})

    assert docker_config.find_login(text, host="r.io").password == "a:b:c"


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"auth": "***"},
        {"auth": base64.b64encode(b"\xff\xfe").decode()},
        {"auth": encoded("", "x")},
        {"auth": encoded("x", "")},
        {"auth": 5},
        {"username": "x"},
        {"identitytoken": "x"},
        None,
        [],
        "x",
    ],
    ids=repr,
)
def test_find_login_entry_without_a_login_is_refused(entry):
    with pytest.raises(DockerConfigError, match=r"r\.io"):
        docker_config.find_login(config(**{"r.io": entry}), host="r.io")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "5",
        '{"auths": []}',
        '{"auths": null}',
        '{"auths": NaN}',
        "[" * 100_000,
        '{"a":' * 100_000,
        "x" * (1024 * 1024 + 1),
        b"\xff\xfe\x00",
        b"\x80abc",
        '{"auths": ' + "1" * 5000 + "}",
    ],
    ids=lambda text: ascii(text[:16]),
)
def test_find_login_hostile_text_is_the_documented_error(text):
    with pytest.raises(DockerConfigError):
        docker_config.find_login(text, host="r.io")


@pytest.mark.parametrize(
    "text", [f'{{"auths": {{"r.io": "{CANARY}"', f'{{"auths": {{"r.io": {{"auth": "{CANARY}"}}}}}}']
)
def test_find_login_error_names_no_secret(text):
    with pytest.raises(DockerConfigError) as caught:
        docker_config.find_login(text, host="r.io")

    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


@given(
    st.text(max_size=80)
    | st.binary(max_size=80)
    | st.text(alphabet='{}[]":,authsr.io', max_size=60)
)
def test_find_login_any_text_raises_only_the_documented_error(text):
    with pytest.raises(DockerConfigError):
        docker_config.find_login(text, host="no.example.com")
