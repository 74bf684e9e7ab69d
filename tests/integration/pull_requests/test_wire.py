"""What a host's API may answer instead: limits, errors, pages, redirects, nonsense; the token stays ours."""

import json
import time

import pytest

from onebox.world.git_host import GitHost
from onebox.world.git_host.api import ApiAnswer
from tests.integration.git.scene import PASSWORD
from tests.integration.pull_requests import hosts
from tests.integration.pull_requests.hosts import BASE, HEAD, NAME, proposal, push_head
from updater.integrations import git
from updater.integrations.git import pull_requests
from updater.integrations.git.pull_requests import gitea, wire

GITHUB_LIMIT = {
    "message": "API rate limit exceeded for installation ID 1.",
    "documentation_url": "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api",
}
SECONDARY = {
    "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
}


def answered(host, client, status, document=None, headers=None):
    """Let the host answer once with this, and ask it something."""
    host.faults.api_answers.append(ApiAnswer(status, document, headers or {}))
    return client.get(1)


@pytest.mark.parametrize(
    ("status", "document", "headers", "seconds"),
    [
        (429, {"message": "Retry later"}, {"Retry-After": "17"}, 17),
        (403, SECONDARY, {"Retry-After": "60"}, 60),
        (403, SECONDARY, {}, 60),
        (403, GITHUB_LIMIT, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, 60),
        (429, b"Retry later\n", {"Retry-After": "9999999"}, 3600),
        (429, b"", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60),
    ],
    ids=["429", "secondary", "secondary-without-header", "odd-reset", "endless", "a-date"],
)
def test_get_when_limited_says_when_to_come_back(host, client, status, document, headers, seconds):
    with pytest.raises(pull_requests.RateLimitedError) as limited:
        answered(host, client, status, document, headers)

    assert limited.value.retry_after_seconds == seconds


def test_get_when_the_hour_is_used_up_waits_for_the_reset(host, client):
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 120)}

    with pytest.raises(pull_requests.RateLimitedError, match="rate limit exceeded") as limited:
        answered(host, client, 403, GITHUB_LIMIT, headers)

    assert 110 < limited.value.retry_after_seconds <= 120


@pytest.mark.parametrize(
    ("status", "document", "error", "words"),
    [
        (401, {"message": "Bad credentials"}, pull_requests.TokenRefusedError, "Bad credentials"),
        (403, {"message": "Resource not accessible by integration"},
         pull_requests.RightsMissingError, "not accessible by integration"),
        (403, {"message": {"base": ["no push"]}}, pull_requests.RightsMissingError, "base no push"),
        (404, {"message": "404 Project Not Found"}, pull_requests.NotFoundError, "404 Project"),
        (404, {"error": "404 Not Found"}, pull_requests.NotFoundError, "404 Not Found"),
        (410, {}, pull_requests.NotFoundError, "answers 410"),
        (422, {"message": "Validation Failed", "errors": [{"message": "base is invalid"}]},
         pull_requests.ProposalRefusedError, "Validation Failed; base is invalid"),
        (422, {"message": "invalid", "errors": ["title: too long"]},
         pull_requests.ProposalRefusedError, "title: too long"),
        (423, {"message": "repo is archived"}, pull_requests.RightsMissingError, "archived"),
        (500, {"message": "oops"}, pull_requests.HostUnavailableError, "oops"),
        (502, b"<html>Bad gateway</html>", pull_requests.HostUnavailableError, "answers 502"),
        (301, {"message": "Moved Permanently", "url": "https://x"},
         pull_requests.HostMovedError, "Moved"),
        (200, b"<html>Sign in</html>", pull_requests.HostUnavailableError, "not answer in JSON"),
        (200, b"[" * 100_000, pull_requests.HostUnavailableError, "not answer in JSON"),
        (451, {}, pull_requests.ProposalRefusedError, "answers 451"),
    ],
    ids=["401", "403", "403-fields", "404", "404-error", "410", "422", "422-texts", "423", "500",
         "502-page", "301", "sign-in-page", "deep", "451"],
)  # fmt: skip
def test_get_of_an_error_keeps_the_hosts_words(host, client, status, document, error, words):
    with pytest.raises(error) as refusal:
        answered(host, client, status, document)

    assert words in str(refusal.value)
    assert NAME in str(refusal.value)


def test_g20_error_words_are_cut_and_hold_neither_token_nor_control_characters(host, client):
    words = f"\x1b[31mno\x1b[0m {PASSWORD} https://me:secret@host/\r\n" + "x" * 5000

    with pytest.raises(pull_requests.RightsMissingError) as refusal:
        answered(host, client, 403, {"message": words})

    told = str(refusal.value)
    assert len(told) < 1000
    assert not any(secret in told for secret in (PASSWORD, "secret", "\x1b", "\n"))


def test_get_when_redirected_sends_the_token_nowhere_else(host, client, tmp_path):
    other = GitHost(tmp_path / "other").start()
    host.faults.redirect_to = other.url

    with pytest.raises(pull_requests.HostMovedError):
        client.get(1)

    other.stop()
    assert not other.requests


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        "text",
        {"number": "1", "iid": True, "state": 5, "head": [], "sha": {}},
        {
            "number": -1,
            "iid": 2**70,
            "html_url": "javascript:alert(1)",
            "web_url": "https://u:p@x/",
        },
        {"number": 1, "iid": 1, "html_url": 'https://x/"onclick', "head": {"sha": "abc; rm"}},
        {"number": 1, "iid": 1, "merged_by": {"login": "a\nb" * 500}, "merged": "yes"},
    ],
    ids=lambda document: json.dumps(document)[:30],
)
def test_get_of_any_document_is_read_without_harm(host, client, document):
    found = answered(host, client, 200, document)

    assert found.url == ""
    assert found.head_sha == ""
    assert len(found.ended_by) <= 100
    assert "\n" not in found.ended_by


def test_get_of_an_endless_answer_is_given_up(host, client, monkeypatch):
    monkeypatch.setattr(wire, "MAX_BODY_BYTES", 1000)

    with pytest.raises(pull_requests.HostUnavailableError, match="too long"):
        answered(host, client, 200, {"body": "x" * 2000})


def test_get_of_a_drip_is_given_up(host, client, monkeypatch):
    monkeypatch.setattr(wire, "TOTAL_SECONDS", 0.0)

    with pytest.raises(pull_requests.HostUnavailableError, match=r"too long|takes too long"):
        answered(host, client, 200, {"body": "x" * 200_000})


def test_get_when_the_connection_breaks_is_unavailable(host, client):
    host.faults.refuses = True

    with pytest.raises(pull_requests.HostUnavailableError, match=r"RemoteProtocolError|ReadError"):
        client.get(1)


def test_get_when_nobody_listens_is_unavailable(host, client):
    host.stop()

    with pytest.raises(pull_requests.HostUnavailableError, match="ConnectError"):
        client.get(1)

    host.stop = lambda: None


def test_find_on_gitea_reads_all_pages(host, url, monkeypatch):
    monkeypatch.setattr(gitea, "_PAGE", "2")
    hosts.speak(host, "gitea")
    push_head(host)
    client = hosts.client(host, "gitea")
    first = client.open(proposal())
    for number in range(3):
        host.pulls.open(NAME, head=HEAD, base=_branch(host, number), title="x", body="", by="mei")

    found = client.find(HEAD, BASE, only_open=True)

    assert [each.number for each in found] == [first.number]
    assert sum("/pulls?" in line for line in host.requests) == 2


def _branch(host, number):
    name = f"old-{number}"
    tip = host.repositories.tip(host.repositories.path(NAME), "main")
    reference = host.repositories.path(NAME) / "refs" / "heads" / name
    reference.write_text(f"{tip}\n", encoding="ascii")
    return name


def test_find_follows_no_page_of_another_host(host, url):
    hosts.speak(host, "gitea")
    client = hosts.client(host, "gitea")
    link = {"Link": '<https://elsewhere.example/api?page=2>; rel="next"'}
    host.faults.api_answers.append(ApiAnswer(200, [], link))

    with pytest.raises(pull_requests.HostMovedError, match="another host"):
        client.find(HEAD, BASE, only_open=True)


def test_find_of_endless_pages_ends(host, url):
    hosts.speak(host, "gitea")
    client = hosts.client(host, "gitea")
    link = {"Link": f'<{host.url}/api/v1/repos/{NAME}/pulls?page=2>; rel="next"'}
    host.faults.api_answers += [ApiAnswer(200, [], link)] * 50

    assert client.find(HEAD, BASE, only_open=True) == ()
    assert len(host.requests) == wire.MAX_PAGES


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "ftp://x", "not an address"])
def test_get_through_a_proxy_of_another_kind_is_refused(host, url, proxy):
    credentials = git.Credentials("bot", PASSWORD, proxy=proxy)
    remote = git.Remote(f"{host.url}/{NAME}.git", credentials, allow_http=True)

    with pytest.raises((git.CredentialsUnusableError, pull_requests.HostUnavailableError)):
        pull_requests.choose("gitea", remote).get(1)
