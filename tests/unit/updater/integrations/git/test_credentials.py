"""Which Secret opens which git repository."""

from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.integrations.git import CredentialsUnusableError, credentials_of_secret, match
from updater.integrations.git.credentials import _proxy

URL = "https://git.example/org/app.git"


@dataclass(frozen=True)
class Secret:
    name: str
    kind: str = "repository"
    fields: dict[str, bytes] = field(default_factory=dict)


def secret(name, kind="repository", **fields):
    return Secret(name, kind, {key: value.encode() for key, value in fields.items()})


def source(*secrets, url=URL, project="shop", exact=False):
    found = match(url, project, secrets, exact=exact)
    return found.source if found else None


MINE = secret("mine", url=URL, project="shop", password="p")
EVERYONES = secret("everyones", url=URL, password="p")
OTHERS = secret("others", url=URL, project="other", password="p")
HOST = secret("host", "repo-creds", url="https://git.example", password="p")
ORG = secret("org", "repo-creds", url="https://git.example/org", password="p")
BARE = secret("bare", url=URL, project="shop")


@pytest.mark.parametrize(
    ("secrets", "chosen"),
    [
        ([], None),
        ([EVERYONES, MINE], "mine"),
        ([OTHERS, EVERYONES], "everyones"),
        ([OTHERS], None),
        ([OTHERS, HOST], "host"),
        ([HOST, ORG], "org"),
        ([MINE, ORG], "mine"),
        ([BARE], None),
        ([BARE, ORG], "org"),
        ([secret("named", url=URL, username="u"), ORG], "named"),
        ([secret("gcp", url=URL, gcpServiceAccountKey="{}"), ORG], "org"),
        ([secret("helm", url=URL, type="helm", password="p")], None),
        ([secret("git", url=URL, type="git", password="p")], "git"),
        ([secret("no-url", "repo-creds", password="p")], None),
        ([MINE, secret("write", "repository-write", url=URL, password="p")], "write"),
        ([MINE, secret("write", "repo-write-creds", url="https://git.example", password="p")], "write"),
        ([secret("upper", url="https://GIT.example/Org/App", password="p")], "upper"),
        ([secret("port", url="https://git.example:443/org/app", password="p")], None),
        ([secret("ssh", url="git@git.example:org/app", sshPrivateKey="k")], None),
    ],
    ids=[
        "none", "project first", "everyones", "never another project's", "prefix instead", "longest prefix",
        "own first", "nothing in it", "filled from prefix", "user alone blocks", "gcp does not block", "helm",
        "git", "no url", "write first", "write prefix first", "any case", "port counts", "ssh is another",
    ],
)  # fmt: skip
def test_match_chooses_the_secret_that_argo_cd_would(secrets, chosen):
    assert source(*secrets) == chosen


@pytest.mark.parametrize(
    ("prefix", "url", "safe", "exact"),
    [
        ("https://git.example/org", "https://git.example/organisation/x", False, True),
        ("https://git.example/org/", "https://git.example/org/x", True, True),
        ("https://git.example", "https://git.example.evil.test/x", False, False),
        ("https://git.example", "https://git.example:8443/x", False, False),
        ("https://git.example/org", "https://other.example/org/x", False, False),
        ("git@git.example:org", "git@git.example:org/x", True, True),
        ("git@git.example", "git@git.example.evil.test:org/x", False, False),
    ],
)
def test_match_prefix_ends_at_a_segment_and_always_at_the_host(prefix, url, safe, exact):
    template = secret("t", "repo-creds", url=prefix, password="p", sshPrivateKey="k")

    assert bool(source(template, url=url)) is safe
    assert bool(source(template, url=url, exact=True)) is exact


def test_match_ssh_address_takes_the_key():
    both = secret("both", url="git@git.example:org/app", sshPrivateKey="KEY\n", password="p")

    found = match("git@git.example:org/app.git", "shop", [both])

    assert (found.private_key, found.password) == ("KEY", "")


@pytest.mark.parametrize(
    ("fields", "header"),
    [
        ({"password": "p\n"}, "Basic eC1hY2Nlc3MtdG9rZW46cA=="),
        ({"username": "u", "password": "p"}, "Basic dTpw"),
        ({"bearerToken": "t"}, "Bearer t"),
        ({"password": "p", "sshPrivateKey": "k", "githubAppID": "1"}, "Basic eC1hY2Nlc3MtdG9rZW46cA=="),
    ],
    ids=["password", "user and password", "token", "several"],
)  # fmt: skip
def test_match_https_address_takes_password_or_token(fields, header):
    assert match(URL, "shop", [secret("s", url=URL, **fields)]).authorization == header


def test_match_github_app_is_handed_on_for_exchange():
    app = secret("app", url=URL, githubAppID="12", githubAppPrivateKey="KEY",
                 githubAppEnterpriseBaseUrl="https://ghe.example/api/v3/")  # fmt: skip

    found = match(URL, "shop", [app]).github_app

    assert (found.app_id, found.installation_id) == ("12", "")
    assert found.base_url == "https://ghe.example/api/v3"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"insecure": "maybe", "password": "p"}, "insecure is not true or false"),
        ({"githubAppID": "x1", "githubAppPrivateKey": "k"}, "githubAppID is not a whole number"),
        ({"gcpServiceAccountKey": "{}"}, "gcpServiceAccountKey is not supported"),
        ({"sshPrivateKey": "k"}, "nothing in it opens an HTTPS address"),
    ],
    ids=["boolean", "number", "gcp", "ssh"],
)
def test_match_secret_that_cannot_be_used_is_named(fields, why):
    with pytest.raises(CredentialsUnusableError, match=f"broken.*{why}"):
        match(URL, "shop", [secret("broken", url=URL, **fields)])


def test_match_broken_secret_does_not_stop_a_sound_one():
    broken = secret("broken", url=URL, password="p", enableLfs="maybe")

    assert source(broken, ORG) == "org"


@pytest.mark.parametrize("key", ["insecure", "insecureIgnoreHostKey"])
def test_match_switched_off_verification_is_ignored_and_told(key):
    found = match(URL, "shop", [secret("lax", url=URL, password="p", **{key: "true"})])

    assert found.warnings == (
        f"lax: {key} is ignored; certificates and host keys are always checked",
    )


def test_credentials_of_secret_asks_a_github_app_first():
    data = {"githubAppID": b"1", "githubAppPrivateKey": b"k", "username": b"u", "password": b"p"}

    found = credentials_of_secret(URL, data)

    assert found.github_app is not None
    assert found.password == ""


@pytest.mark.parametrize("url", [URL, "git@git.example:org/app"])
def test_credentials_of_secret_empty_is_unusable(url):
    with pytest.raises(CredentialsUnusableError):
        credentials_of_secret(url, {})


@pytest.mark.parametrize(
    ("no_proxy", "proxy"),
    [
        ("", "http://p"),
        ("git.example", ""),
        ("example", ""),
        (".example", ""),
        ("*", ""),
        ("*.example, other", ""),
        ("it.example other.test", "http://p"),
    ],
)
def test_proxy_is_left_out_where_no_proxy_says_so(no_proxy, proxy):
    assert _proxy(URL, {"proxy": "http://p", "noProxy": no_proxy}) == proxy


keys = st.sampled_from(
    ["url", "type", "project", "username", "password", "bearerToken", "sshPrivateKey", "insecure",
     "githubAppID", "githubAppPrivateKey", "gcpServiceAccountKey", "proxy", "noProxy", "depth"]
)  # fmt: skip
values = st.one_of(st.binary(max_size=20), st.just(URL.encode()), st.just(b"true"))


@given(
    st.text(max_size=40) | st.just(URL),
    st.lists(
        st.builds(
            Secret,
            st.just("s"),
            st.sampled_from(["repository", "repo-creds", "repository-write", "?"]),
            st.dictionaries(keys, values),
        ),
        max_size=3,
    ),
)
def test_match_any_secrets_raise_only_the_documented_error(url, secrets):
    with suppress(CredentialsUnusableError):
        match(url, "shop", secrets)
