"""A GitHub App's key becomes a token, against a server that answers as GitHub does."""

import base64
import json
import shutil
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.integration.git.scene import run
from updater.integrations import git
from updater.integrations.git import completion

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl on this machine")
URL = "https://github.com/Acme/gitops.git"


class FakeGitHub(BaseHTTPRequestHandler):
    """`server.answers` maps "METHOD path" to (status, headers, body)."""

    def do_GET(self):
        self._answer()

    def do_POST(self):
        self._answer()

    def log_message(self, *arguments):
        pass

    def _answer(self):
        self.server.requests.append((f"{self.command} {self.path}", self.headers["authorization"]))
        missing = (404, {}, b"{}")
        status, headers, body = self.server.answers.get(f"{self.command} {self.path}", missing)
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def private_key(tmp_path_factory):
    path = tmp_path_factory.mktemp("app") / "key.pem"
    run("openssl", "genrsa", "-traditional", "-out", path, "2048")
    return path.read_text()


@pytest.fixture
def github(monkeypatch):
    monkeypatch.setattr(completion, "_TOKENS", completion._Tokens())
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeGitHub) as server:
        server.answers, server.requests = {}, []
        server.url = f"http://127.0.0.1:{server.server_port}/api/v3"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def token(text="ghs_token", seconds=3600, status=201):
    ends = datetime.fromtimestamp(time.time() + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return status, {}, json.dumps({"token": text, "expires_at": ends}).encode()


def answer(body, status=200, **headers):
    return status, headers, json.dumps(body).encode()


def complete(github, key, installation="7"):
    app = git.GitHubAppKey("12", key, installation, github.url)
    found = git.Credentials(github_app=app, source="app")
    return git.complete(found, url=URL, known_hosts="k", allow_http=True)


TOKENS = "POST /api/v3/app/installations/7/access_tokens"
LIST = "GET /api/v3/app/installations?per_page=100"


def test_complete_github_app_gives_a_password(github, private_key):
    github.answers[TOKENS] = token()

    found = complete(github, private_key)

    assert (found.password, found.github_app, found.known_hosts) == ("ghs_token", None, "k")
    assert base64.b64decode(found.authorization.split()[1]) == b"x-access-token:ghs_token"


def test_complete_proves_itself_with_a_token_that_the_public_key_confirms(
    github, private_key, tmp_path
):
    github.answers[TOKENS] = token()

    complete(github, private_key)

    signed, _, signature = github.requests[0][1].removeprefix("Bearer ").rpartition(".")
    for name, content in {
        "key": private_key.encode(),
        "text": signed.encode(),
        "signature": base64.urlsafe_b64decode(signature + "=="),
    }.items():
        (tmp_path / name).write_bytes(content)
    check = ("dgst", "-sha256", "-prverify", "key", "-signature", "signature", "text")
    assert run("openssl", *check, cwd=tmp_path).stdout == b"Verified OK\n"
    head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
    assert head == {"alg": "RS256", "typ": "JWT"}
    assert claims["iss"] == "12"
    assert claims["iat"] < time.time() < claims["exp"] < time.time() + 600


def test_complete_token_is_remembered_until_shortly_before_its_end(github, private_key):
    github.answers[TOKENS] = token()
    complete(github, private_key)
    complete(github, private_key)
    assert len(github.requests) == 1


def test_complete_token_that_ends_soon_is_not_used_again(github, private_key):
    github.answers[TOKENS] = token("short", seconds=100)
    complete(github, private_key)
    github.answers[TOKENS] = token("next")

    assert complete(github, private_key).password == "next"


def test_complete_finds_the_installation_of_the_owner_over_all_pages(github, private_key):
    second = f"{github.url}/app/installations?per_page=100&page=2"
    github.answers[LIST] = answer(
        [{"id": 1, "account": {"login": "other"}}], Link=f'<{second}>; rel="next"'
    )
    github.answers["GET /api/v3/app/installations?per_page=100&page=2"] = answer(
        [{"id": 7, "account": {"login": "aCME"}}]
    )
    github.answers[TOKENS] = token()

    assert complete(github, private_key, installation="").password == "ghs_token"


@pytest.mark.parametrize(
    ("answers", "kind", "why"),
    [
        ({TOKENS: answer({}, 401)}, git.AuthenticationRefusedError, "id and key"),
        ({}, git.AuthenticationRefusedError, "installation 7"),
        ({TOKENS: answer({}, 403)}, git.AuthenticationRefusedError, "may not"),
        ({TOKENS: answer({}, 403, **{"x-ratelimit-remaining": "0"})}, git.RepositoryUnreachableError, "wait"),
        ({TOKENS: answer({}, 429, **{"retry-after": "7"})}, git.RepositoryUnreachableError, "wait"),
        ({TOKENS: answer({}, 500)}, git.RepositoryUnreachableError, "500"),
        ({TOKENS: answer({}, 302, location="http://127.0.0.1:1/")}, git.RepositoryMovedError, "redirects"),
        ({TOKENS: (201, {}, b"<html>")}, git.RepositoryUnreachableError, "JSON"),
        ({TOKENS: (201, {}, b"[" * 100_000)}, git.RepositoryUnreachableError, "JSON"),
        ({TOKENS: answer({"token": "x"}, 201)}, git.RepositoryUnreachableError, "no token"),
        ({TOKENS: answer([], 201)}, git.RepositoryUnreachableError, "no token"),
        ({TOKENS: (201, {}, b" " * 2_000_000)}, git.RepositoryUnreachableError, "too long"),
    ],
    ids=["401", "404", "403", "limit", "429", "500", "302", "html", "deep", "partial", "list", "endless"],
)  # fmt: skip
def test_complete_other_answers_end_in_named_errors(github, private_key, answers, kind, why):
    github.answers |= answers

    with pytest.raises(kind, match=why) as told:
        complete(github, private_key)

    assert "github.com/Acme/gitops" in str(told.value)


def test_complete_rate_limit_says_when(github, private_key):
    github.answers[TOKENS] = answer({}, 429, **{"retry-after": "7"})

    with pytest.raises(git.RepositoryUnreachableError) as told:
        complete(github, private_key)

    assert told.value.retry_after_seconds == 7


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (answer([]), git.AuthenticationRefusedError),
        (answer({"message": "no"}), git.AuthenticationRefusedError),
        (answer([1, {"account": 1}, {"account": {"login": "acme"}, "id": "x"}]), git.AuthenticationRefusedError),
        (answer([], Link='<http://127.0.0.2:1/x>; rel="next"'), git.RepositoryMovedError),
    ],
    ids=["nobody", "no list", "strange", "other host"],
)  # fmt: skip
def test_complete_without_an_installation_is_named(github, private_key, page, kind):
    github.answers[LIST] = page

    with pytest.raises(kind):
        complete(github, private_key, installation="")


@pytest.mark.parametrize("key", ["", "not a key", "-----BEGIN RSA PRIVATE KEY-----\nMII\n"])
def test_complete_unusable_key_is_named(github, key):
    with pytest.raises(git.CredentialsUnusableError, match="not an RSA private key"):
        complete(github, key)


def test_complete_plain_http_base_url_is_refused(github, private_key):
    app = git.GitHubAppKey("12", private_key, "7", github.url)

    with pytest.raises(git.CredentialsUnusableError, match="https://"):
        git.complete(git.Credentials(github_app=app), url=URL)

    assert not github.requests


def test_complete_unreadable_certificate_is_named(private_key):
    app = git.GitHubAppKey("12", private_key, "7", "https://ghe.example/api/v3")

    with pytest.raises(git.CredentialsUnusableError, match="PEM"):
        git.complete(git.Credentials(github_app=app), url=URL, ca_pem="nonsense")


@pytest.mark.parametrize("found", [None, git.Credentials("me", "p")])
def test_complete_other_credentials_only_gain_what_proves_the_host(found):
    completed = git.complete(found, url=URL, known_hosts="k", ca_pem="c")

    assert (completed.known_hosts, completed.ca_pem) == ("k", "c")
    assert completed.password == (found.password if found else "")
