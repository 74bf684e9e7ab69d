"""Anonymous, Basic and Bearer; tokens reused; nothing sent where it must not go."""

import pytest

from tests.unit.updater.integrations.registry.scripted import (
    BASIC,
    BEARER,
    ME,
    Endpoint,
    Scripted,
    challenge,
    reply,
)
from updater.integrations.registry import Credentials, NetworkRules
from updater.integrations.registry import errors as registry_errors

TAGS = "/v2/acme/app/tags/list"
TOKEN = "registry.example/token"
OK = reply({"tags": ["a"]})


def tags(client):
    return client.list_tags("acme/app")


def token(value="t1", **more):
    return reply({"token": value, **more})


def test_anonymous_registry_is_asked_once_and_sees_no_credentials():
    registry = Scripted({TAGS: [OK]})

    registry.run(tags, ME)

    assert registry.authorizations(TAGS) == [None]


def test_basic_challenge_sends_the_password_and_remembers_the_scheme():
    registry = Scripted({TAGS: [challenge('Basic realm="x"'), OK]})

    registry.run(tags, ME)
    registry.run(tags, ME)

    assert registry.authorizations(TAGS) == [None, BASIC, BASIC]


def test_bearer_challenge_fetches_a_token_once_for_its_lifetime():
    registry = Scripted({TAGS: [challenge(BEARER), OK], TOKEN: [token(expires_in=300)]})

    for _ in range(3):
        registry.run(tags, ME)

    assert registry.authorizations(TAGS) == [None, "Bearer t1", "Bearer t1", "Bearer t1"]
    assert registry.authorizations("/token") == [BASIC]
    asked = next(request.url for request in registry.sent if request.url.path == "/token")
    assert dict(asked.params) == {"service": "world", "scope": "repository:acme/app:pull"}


def test_tokens_are_kept_apart_by_repository_and_credentials():
    registry = Scripted(
        {TAGS: [challenge(BEARER), OK], "/v2/acme/db/tags/list": [OK], TOKEN: [token("t1"), token("t2"), token("t3")]}
    )  # fmt: skip

    registry.run(tags, ME)
    registry.run(lambda client: client.list_tags("acme/db"), ME)
    registry.run(tags, Credentials("you", "other"))

    assert registry.authorizations(TAGS) == [None, "Bearer t1", "Bearer t3"]
    assert registry.authorizations("/v2/acme/db/tags/list") == ["Bearer t2"]


def test_anonymous_token_is_asked_without_credentials():
    registry = Scripted({TAGS: [challenge(BEARER), OK], TOKEN: [reply({"access_token": "t1"})]})

    registry.run(tags)

    assert registry.authorizations("/token") == [None]


def test_bearer_r31_with_an_expired_token_is_refreshed_once():
    registry = Scripted(
        {TAGS: [challenge(BEARER), OK, challenge(BEARER), OK], TOKEN: [token("t1"), token("t2")]}
    )
    registry.run(tags, ME)

    registry.run(tags, ME)

    assert registry.authorizations(TAGS) == [None, "Bearer t1", "Bearer t1", "Bearer t2"]


def test_bearer_r31_with_401_for_ever_stops_after_one_refresh():
    registry = Scripted({TAGS: [challenge(BEARER)], TOKEN: [token()]})

    with pytest.raises(registry_errors.AuthenticationFailedError):
        registry.run(tags, ME)

    assert len(registry.sent) == 3


def test_token_service_r31_that_refuses_the_password_is_not_asked_again_for_the_next_repository():
    registry = Scripted({TAGS: [challenge(BEARER)], TOKEN: [reply({}, 401)]})

    for repository in ("acme/app", "acme/app", "acme/db"):
        with pytest.raises(registry_errors.AuthenticationFailedError):
            registry.run(lambda client, name=repository: client.list_tags(name), ME)

    assert registry.paths.count("/token") == 1


def test_basic_r31_with_a_wrong_password_is_tried_once():
    registry = Scripted({TAGS: [challenge("Basic realm=x")]})

    for _ in range(5):
        with pytest.raises(registry_errors.AuthenticationFailedError):
            registry.run(tags, ME)

    assert registry.authorizations(TAGS).count(BASIC) == 1


def test_bearer_r31_with_403_is_forbidden_at_once():
    registry = Scripted({TAGS: [challenge(BEARER), reply({}, 403)], TOKEN: [token()]})

    with pytest.raises(registry_errors.ForbiddenError):
        registry.run(tags, ME)

    assert len(registry.sent) == 3


def test_bearer_r09_with_a_strange_realm_sends_nothing_there():
    registry = Scripted({TAGS: [challenge('Bearer realm="https://evil.example/t"')]})

    with pytest.raises(registry_errors.RealmNotAllowedError) as caught:
        registry.run(tags, ME)

    assert caught.value.code == "realm_not_allowed"
    assert "evil.example" in str(caught.value)
    assert {request.url.host for request in registry.sent} == {"registry.example"}


@pytest.mark.parametrize(
    "header",
    [
        pytest.param('Bearer realm="http://169.254.169.254/"', id="metadata"),
        pytest.param('Bearer realm="http://registry.example/token"', id="plain-http"),
        pytest.param('Bearer realm="https://me:pw@registry.example/token"', id="user-in-realm"),
        pytest.param('Bearer service="x"', id="no-realm"),
        pytest.param('Bearer realm=""', id="empty-realm"),
        pytest.param('Bearer realm="/token"', id="relative-realm"),
        pytest.param('Bearer realm="https://[x"', id="broken-realm"),
        pytest.param('Bearer realm="file:///etc/passwd"', id="file"),
        pytest.param(f"{BEARER}, {BEARER}", id="two-challenges"),
        pytest.param("Basic realm=a, Basic realm=b", id="two-basic"),
        pytest.param("Negotiate", id="unknown-scheme"),
        pytest.param("Bearer realm=<", id="unreadable"),
        pytest.param(
            'Bearer realm="https://registry.example/' + "a" * 65536 + '"', id="64-kilobytes"
        ),
        pytest.param("", id="empty"),
    ],
)
def test_challenge_r10_that_cannot_be_answered_safely_sends_no_credentials(header):
    registry = Scripted({TAGS: [challenge(header)]})

    with pytest.raises((registry_errors.AuthenticationFailedError, registry_errors.BadAnswerError)):
        registry.run(tags, ME)

    assert [request.headers.get("authorization") for request in registry.sent] == [None]


def test_challenge_r10_with_basic_and_bearer_takes_bearer():
    registry = Scripted({TAGS: [challenge(f"Basic realm=x, {BEARER}"), OK], TOKEN: [token()]})

    registry.run(tags, ME)

    assert registry.authorizations(TAGS) == [None, "Bearer t1"]


def test_challenge_r10_with_basic_after_bearer_is_no_downgrade():
    registry = Scripted(
        {TAGS: [challenge(BEARER), OK, challenge('Basic realm="x"')], TOKEN: [token()]}
    )
    registry.run(tags, ME)

    with pytest.raises(registry_errors.AuthenticationFailedError):
        registry.run(tags, ME)

    assert BASIC not in registry.authorizations(TAGS)


def test_challenge_with_basic_and_no_credentials_says_what_is_missing():
    registry = Scripted({TAGS: [challenge('Basic realm="x"')]})

    with pytest.raises(registry_errors.AuthenticationFailedError, match="pull secret"):
        registry.run(tags)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply({}), id="no-token"),
        pytest.param(reply({"token": 5}), id="number"),
        pytest.param(reply({"token": "a b"}), id="space"),
        pytest.param(reply({"token": "a\r\nX-Evil: 1"}), id="header-injection"),
        pytest.param(reply({"token": "é"}), id="not-ascii"),
        pytest.param(reply(b"<html>"), id="html"),
        pytest.param(reply({"token": "t" * 70_000}), id="too-large"),
    ],
)
def test_token_service_with_a_bad_answer_raises_its_error(answer):
    registry = Scripted({TAGS: [challenge(BEARER)], TOKEN: [answer]})

    with pytest.raises(registry_errors.BadAnswerError):
        registry.run(tags, ME)


@pytest.mark.parametrize("lifetime", [True, -1, "300", None, 10**30, 0.5])
def test_token_with_an_odd_lifetime_works(lifetime):
    registry = Scripted({TAGS: [challenge(BEARER), OK], TOKEN: [token(expires_in=lifetime)]})

    assert registry.run(tags, ME).names == ("a",)


def test_registry_that_hides_private_repositories_is_asked_who_it_wants():
    registry = Scripted({TAGS: [reply({}, 404), OK], "/v2/": [challenge(BEARER)], TOKEN: [token()]})

    assert registry.run(tags, ME).names == ("a",)
    assert registry.authorizations(TAGS) == [None, "Bearer t1"]


def test_registry_that_hides_nothing_keeps_its_404():
    registry = Scripted({TAGS: [reply({}, 404)], "/v2/": [reply({})]})

    with pytest.raises(registry_errors.RepositoryNotFoundError):
        registry.run(tags, ME)


def test_azure_is_asked_for_its_own_scope():
    host = "acme.azurecr.io"
    bearer = f'Bearer realm="https://{host}/oauth2/token",service="{host}"'
    registry = Scripted({TAGS: [challenge(bearer), OK], f"{host}/oauth2/token": [token()]})

    registry.run(tags, ME, endpoint=Endpoint(f"https://{host}"))

    asked = next(request.url for request in registry.sent if "token" in request.url.path)
    assert asked.params["scope"] == "repository:acme/app:pull,metadata_read,content_read"


def test_plain_http_is_refused_before_anything_is_sent_unless_listed():
    refused = Scripted({TAGS: [OK]})
    listed = Scripted(
        {TAGS: [OK]}, rules=NetworkRules(allow_insecure_hosts=frozenset({"registry.example"}))
    )
    endpoint = Endpoint("http://registry.example")

    with pytest.raises(registry_errors.InsecureRegistryError, match="ALLOW_INSECURE_REGISTRIES"):
        refused.run(tags, endpoint=endpoint)

    assert refused.sent == []
    assert listed.run(tags, endpoint=endpoint).names == ("a",)


@pytest.mark.parametrize(
    "address",
    ["", "registry.example", "https://", "https://a:b@registry.example", "https://x:port"],
)
def test_endpoint_that_is_no_address_is_refused(address):
    registry = Scripted({})

    with pytest.raises(registry_errors.InsecureRegistryError):
        registry.run(tags, endpoint=Endpoint(address))

    assert registry.sent == []


def test_credentials_never_show_in_text():
    assert "secret-canary" not in repr(ME)
    assert "secret-canary" not in ME.fingerprint
