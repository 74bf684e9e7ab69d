"""The demo's git host as git and a browser see it."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from onebox.world.git_host import repositories
from tests.integration.git.scene import FILES, PASSWORD, USER, VALUES, plain_git, run


def get(url):
    with urllib.request.urlopen(url) as answer:  # noqa: S310  our own server
        return answer.read().decode()


def clone(url, folder):
    environment = {**repositories.environment(), "GIT_TERMINAL_PROMPT": "0"}
    return run("git", "clone", "--quiet", url, folder, env=environment, check=False)


def with_login(url):
    return url.replace("http://", f"http://{USER}:{PASSWORD}@")


def test_clone_and_push_with_plain_git_work(host, url, tmp_path):
    folder = tmp_path / "clone"
    assert clone(with_login(url), folder).returncode == 0
    (folder / "README.md").write_bytes(b"x" * 3_000_000)  # large enough for a chunked body

    for command in (
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "change"],
        ["-c", "http.postBuffer=65536", "push", "-q", "origin", "main"],
    ):
        run("git", "-C", folder, *command, env=repositories.environment())

    assert host.read("acme/gitops", "main", "README.md") == b"x" * 3_000_000


def test_clone_without_login_is_refused(url, tmp_path):
    assert b"could not read Username" in clone(url, tmp_path / "clone").stderr


def test_commit_writes_deletes_and_branches(host, url, origin):
    first = host.commit("acme/gitops", "main", {"new dir/ü.yaml": b"1", "README.md": None}, "one")
    host.commit("acme/gitops", "other", {"a": b"1"}, "two", "Zoë <z@example.com>")

    assert plain_git(
        origin, "-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", first
    ).split("\n") == [
        VALUES,
        "new dir/ü.yaml",
    ]
    assert [each.subject for each in host.log("acme/gitops", "main")] == ["one", "Begin"]
    assert host.log("acme/gitops", "other")[0].author == "Zoë <z@example.com>"


def test_create_repository_again_keeps_its_history(host, url):
    sha = host.commit("acme/gitops", "main", {"a": b"1"}, "one")

    assert host.create_repository("acme/gitops", FILES) == url
    assert host.log("acme/gitops", "main")[0].sha == sha


@pytest.mark.parametrize("name", ["../x", "a/../b", "/a", "a//b", "", "A b"])
def test_create_repository_strange_name_is_refused(host, name):
    with pytest.raises(ValueError, match="not the name"):
        host.create_repository(name, {})


def test_commits_page_shows_message_and_diff_escaped(host, url):
    host.commit("acme/gitops", "main", {VALUES: b"<b>\n"}, "<script>")

    page = get(f"{host.url}/acme/gitops/commits/main")

    assert "&lt;script&gt;" in page
    assert "<ins>+&lt;b&gt;</ins>" in page
    assert "<del>-  tag: v1</del>" in page
    assert "<script>" not in page


def test_commits_as_json_hold_the_same(host, url):
    sha = host.commit("acme/gitops", "main", {"a": b"1"}, "subject\n\nbody")

    found = json.loads(get(f"{host.url}/acme/gitops/commits/main?format=json"))

    assert (found[0]["sha"], found[0]["message"]) == (sha, "subject\n\nbody")
    assert get(f"{host.url}/acme/gitops/commit/{sha}")
    assert "acme/gitops" in get(f"{host.url}/")


@pytest.mark.parametrize(
    "path",
    ["/nope", "/acme/gitops/commits/nope", "/acme/gitops/commit/zz", "/acme/gitops/commit/" + "0" * 40,
     "/acme/nope/commits/main", "/acme/gitops/commits/--help", "/../../etc/passwd/commits/main"],
)  # fmt: skip
def test_page_of_nothing_is_not_found(host, url, path):
    with pytest.raises(urllib.error.HTTPError) as told:
        get(f"{host.url}{path}")

    assert told.value.code == 404
    told.value.close()


def test_main_serves_until_it_is_asked_to_end(tmp_path):
    (tmp_path / "accounts").write_text(f"{USER}:{PASSWORD}\n")
    command = [sys.executable, "-m", "onebox.world.git_host", "--state", tmp_path / "state",
               "--accounts", tmp_path / "accounts"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        assert "Git repositories" in get(f"{url}/")
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == -signal.SIGTERM
