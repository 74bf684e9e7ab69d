"""The same promises from each kind of host: open once, find, talk, close, merge exactly what was seen."""

import pytest

from tests.integration.pull_requests import hosts
from tests.integration.pull_requests.hosts import BASE, HEAD, NAME, proposal, push_head
from updater.integrations.git import pull_requests
from updater.integrations.git.pull_requests import MergeMethod, State


@pytest.fixture
def opened(host, client):
    push_head(host)
    return client.open(proposal())


def test_open_tells_number_address_and_commit(host, client, kind):
    sha = push_head(host)

    found = client.open(proposal(title="build: ünïcode", body="`code`\n\nbody"))

    there = host.pulls.get(NAME, found.number)
    assert (found.state, found.head_sha, found.obstacle) == (State.OPEN, sha, "")
    assert found.name == {"gitlab": "Merge request !1"}.get(kind, "Pull request #1")
    assert found.url.startswith(f"{host.url}/{NAME}/")
    assert (there.title, there.body) == ("build: ünïcode", "`code`\n\nbody")
    assert (there.head, there.base, there.author) == (HEAD, BASE, "bot")
    assert found.merge_shas == ()


def test_open_twice_says_that_there_is_one(client, opened):
    with pytest.raises(pull_requests.ProposalExistsError, match="exists"):
        client.open(proposal())

    assert [each.number for each in client.find(HEAD, BASE, only_open=True)] == [opened.number]


def test_open_without_a_branch_is_refused_in_the_hosts_words(client, url):
    with pytest.raises(pull_requests.ProposalRefusedError) as refusal:
        client.open(proposal(head="countersign/nothing"))

    assert any(word in refusal.value.why for word in ("No commits", "no changes", "source_branch"))


def test_find_looks_only_for_these_branches(host, client, opened):
    push_head(host, head="countersign/shop-other")

    assert client.find("countersign/shop-other", BASE, only_open=False) == ()
    assert client.find(HEAD, "release", only_open=False) == ()


def test_find_of_any_state_has_the_newest_first(host, client, opened):
    host.pulls.close(NAME, opened.number, by="mei")
    again = client.open(proposal())

    assert [each.number for each in client.find(HEAD, BASE, only_open=False)] == [
        again.number,
        opened.number,
    ]
    assert [each.number for each in client.find(HEAD, BASE, only_open=True)] == [again.number]


def test_get_closed_names_who_did_it(host, client, opened):
    host.pulls.close(NAME, opened.number, by="mei")

    found = client.get(opened.number)

    assert (found.state, found.ended_by, found.merge_shas) == (State.CLOSED, "mei", ())


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_get_merged_names_who_and_the_commit(host, client, opened, method):
    sha = host.pulls.merge(NAME, opened.number, by="mei", method=method)

    found = client.get(opened.number)

    assert (found.state, found.ended_by) == (State.MERGED, "mei")
    assert found.head_sha == opened.head_sha
    if method != "rebase":  # GitLab names no commit of a rebase
        assert found.merge_shas[0] == sha


def test_get_conflicting_tells_the_obstacle(host, client, opened):
    host.commit(NAME, "main", {"apps/shop/values.yaml": b"image:\n  tag: v9\n"}, "stranger")

    assert "conflicts" in client.get(opened.number).obstacle


def test_get_unknown_is_not_found(client, url):
    with pytest.raises(pull_requests.NotFoundError, match=r"(?i)not found|couldn't be found"):
        client.get(77)


def test_label_comment_and_close_are_there(host, client, opened):
    client.label(opened.number, ("bot", "promotion"))
    client.comment(opened.number, "superseded")
    client.close(opened.number)

    there = host.pulls.get(NAME, opened.number)
    assert sorted(there.labels) == ["bot", "promotion"]
    assert there.comments == [("bot", "superseded")]
    assert (there.state, there.ended_by) == ("closed", "bot")


def test_label_that_gitea_does_not_have_is_named(host, url):
    hosts.speak(host, "gitea")
    client = hosts.client(host, "gitea")
    push_head(host)
    number = client.open(proposal()).number

    with pytest.raises(pull_requests.ProposalRefusedError, match="no label urgent"):
        client.label(number, ("bot", "urgent"))

    assert host.pulls.get(NAME, number).labels == ["bot"]


def test_merge_brings_exactly_the_head_that_was_seen(host, client, opened):
    client.merge(client.get(opened.number), message="build: update shop\n\nwhy\n")

    found = client.get(opened.number)
    assert (found.state, found.ended_by) == (State.MERGED, "bot")
    assert host.read(NAME, "main", "apps/shop/values.yaml") == b"image:\n  tag: v2\n"


def test_merge_after_a_push_is_refused(host, client, opened):
    seen = client.get(opened.number)
    push_head(host, b"image:\n  tag: evil\n")

    with pytest.raises(
        pull_requests.MergeRefusedError, match=r"modified|does not match|out of date"
    ):
        client.merge(seen, message="x")

    assert host.pulls.get(NAME, opened.number).state == "open"


def test_merge_that_lacks_a_review_is_refused_and_says_why(host, client, kind, opened):
    host.pulls.block(NAME, opened.number, "At least 1 approving review is required.")
    seen = client.get(opened.number)

    with pytest.raises(pull_requests.MergeRefusedError) as refusal:
        client.merge(seen, message="x")

    assert ("review" in refusal.value.why) or kind == "gitlab"
    assert seen.obstacle or kind == "gitea"


@pytest.mark.parametrize("methods", [("squash",), ("rebase", "squash"), ("rebase",)])
def test_merge_on_github_uses_what_the_repository_allows(host, url, methods):
    hosts.speak(host, "github", methods=methods)
    client = hosts.client(host, "github")
    push_head(host)
    opened = client.open(proposal())

    client.merge(client.get(opened.number), message="build: update shop\n\nSeal: abc\n")

    tip = host.log(NAME, "main")[0]
    assert client.get(opened.number).state is State.MERGED
    assert ("Seal: abc" in tip.message) == ("squash" in methods)
    assert client.get(opened.number).methods[0] is MergeMethod(sorted(methods, reverse=True)[0])


@pytest.mark.parametrize("method", ["fast-forward", "squash"])
def test_merge_on_gitlab_goes_as_the_project_has_it(host, url, method):
    hosts.speak(host, "gitlab", method=method)
    client = hosts.client(host, "gitlab")
    sha = push_head(host)
    opened = client.open(proposal())

    client.merge(client.get(opened.number), message="build: update shop\n\nSeal: abc\n")

    tip = host.log(NAME, "main")[0]
    assert client.get(opened.number).merge_shas[0] == tip.sha
    assert (tip.sha == sha) == (method == "fast-forward")
    assert host.repositories.tip(host.repositories.path(NAME), HEAD) is None


def test_wrong_token_is_refused(host, url, kind):
    hosts.speak(host, kind)

    with pytest.raises(pull_requests.TokenRefusedError) as refusal:
        hosts.client(host, kind, password="old-token-canary").find(HEAD, BASE, only_open=True)

    assert "canary" not in str(refusal.value)


def test_unknown_repository_is_not_found(host, kind):
    hosts.speak(host, kind)

    with pytest.raises(pull_requests.NotFoundError, match="acme/nowhere"):
        hosts.client(host, kind, name="acme/nowhere").find(HEAD, BASE, only_open=True)
