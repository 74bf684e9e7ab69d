"""Which address of a repository leads to which API, and which credentials open it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.integrations.git import Credentials, Remote, UrlRefusedError
from updater.integrations.git.pull_requests import choose, errors

TOKEN = Credentials("bot", "token-canary")


def entry(kind, url, **options):
    """Return where the API is and what is sent there."""
    return choose(kind, Remote(url, TOKEN, **options))._wire._entry


@pytest.mark.parametrize(
    ("kind", "url", "base", "place"),
    [
        ("github", "https://github.com/acme/shop.git", "https://api.github.com", "/repos/acme/shop"),
        ("github", "https://GitHub.com/acme/shop/", "https://api.github.com", "/repos/acme/shop"),
        ("github", "https://acme.ghe.com/a/b", "https://api.acme.ghe.com", "/repos/a/b"),
        ("github", "https://git.acme.example:8443/a/b.git",
         "https://git.acme.example:8443/api/v3", "/repos/a/b"),
        ("gitlab", "https://gitlab.com/acme/team/shop.git",
         "https://gitlab.com/api/v4", "/projects/acme%2Fteam%2Fshop/merge_requests"),
        ("gitlab", "https://gitlab.acme.example/a/b.c.git",
         "https://gitlab.acme.example/api/v4", "/projects/a%2Fb.c/merge_requests"),
        ("gitea", "https://codeberg.org/acme/shop", "https://codeberg.org/api/v1", "/repos/acme/shop"),
        ("gitea", "https://acme.example/git/acme/shop.git",
         "https://acme.example/git/api/v1", "/repos/acme/shop"),
        ("gitea", "https://acme.example/a/with%20space", "https://acme.example/api/v1",
         "/repos/a/with%20space"),
    ],
    ids=["github", "slash", "data-residency", "enterprise", "gitlab-groups", "gitlab-dots", "gitea",
         "gitea-below-a-path", "encoded"],
)  # fmt: skip
def test_choose_derives_the_api_from_the_address(kind, url, base, place):
    client = choose(kind, Remote(url, TOKEN))

    assert client._wire._entry.base == base
    assert client._place == place


@pytest.mark.parametrize(
    ("credentials", "kind", "header"),
    [
        (TOKEN, "github", "Bearer token-canary"),
        (TOKEN, "gitlab", "Bearer token-canary"),
        (Credentials(bearer_token="b-canary"), "github", "Bearer b-canary"),
        (Credentials("bot", "pw"), "gitea", "Basic Ym90OnB3"),
    ],
    ids=["github", "gitlab", "bearer", "gitea"],
)
def test_choose_sends_the_token_as_the_host_takes_it(credentials, kind, header):
    client = choose(kind, Remote("https://host.example/a/b", credentials))

    assert client._wire._entry.authorization == header
    assert "canary" not in repr(client._wire._entry)


@pytest.mark.parametrize(
    ("url", "credentials"),
    [
        ("git@github.com:acme/shop.git", Credentials(private_key="key")),
        ("ssh://git@github.com/acme/shop", Credentials(private_key="key")),
        ("https://github.com/acme/shop", Credentials()),
        ("https://github.com/acme/shop", Credentials("bot", client_certificate="pem")),
    ],
    ids=["scp", "ssh", "nothing", "certificate"],
)
def test_choose_without_a_token_says_what_to_use(url, credentials):
    with pytest.raises(errors.TokenMissingError, match="access token"):
        choose("github", Remote(url, credentials))


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("github", "https://github.com/acme"),
        ("github", "https://github.com/acme/team/shop"),
        ("gitlab", "https://gitlab.com//"),
        ("gitea", "https://codeberg.org/.git"),
        ("bitbucket", "https://bitbucket.org/a/b"),
    ],
    ids=lambda value: value[-20:],
)
def test_choose_of_another_address_is_refused(kind, url):
    with pytest.raises(errors.AddressUnsuitableError):
        choose(kind, Remote(url, TOKEN))


@pytest.mark.parametrize("url", ["http://git.example/a/b", "https://u:p@h/a/b", ""])
def test_choose_speaks_no_plain_http_unless_allowed(url):
    with pytest.raises(UrlRefusedError):
        choose("gitea", Remote(url, TOKEN))


def test_choose_speaks_plain_http_where_the_operator_allows_it():
    assert entry("gitea", "http://git.example/a/b", allow_http=True).base.startswith("http://")


def test_choose_git_scheme_leads_to_no_api():
    with pytest.raises(errors.AddressUnsuitableError, match="git alone"):
        choose("gitea", Remote("git://git.example/a/b", TOKEN, allow_http=True))


@given(path=st.text(max_size=60), kind=st.sampled_from(["github", "gitlab", "gitea"]))
def test_choose_of_any_path_raises_only_its_errors_and_stays_on_the_host(path, kind):
    try:
        client = choose(kind, Remote(f"https://host.example/{path}", TOKEN))
    except (errors.PullRequestError, UrlRefusedError):
        return

    assert client._wire._entry.base.startswith("https://host.example/")
    assert "/../" not in f"{client._wire._entry.base}{client._place}/"
