"""Who had a hand in the commits between two builds, read from a real host: commits only, bounded, never a guess."""

import os

import pytest

from tests.integration.git.scene import PASSWORD, USER, plain_git
from updater.integrations import git

ANA, BEN = "Ana Petrova <ana@example.com>", "Ben Wright <ben@example.com>"


@pytest.fixture
def history(tmp_path, url):
    remote = git.Remote(url, git.Credentials(USER, PASSWORD), allow_http=True)
    return git.SourceHistory(tmp_path / "sources" / "one", remote)


def _commit(host, message="work", author=ANA, branch="main", **files):
    content = {name: text.encode() for name, text in files.items()} or {"a.txt": os.urandom(8)}
    return host.commit("acme/gitops", branch, content, message, author)


def _hands(history, old, new, most=500):
    return [(hand.sha, hand.address) for hand in history.hands(old, new, most=most)]


def test_hands_are_authors_committers_and_co_authors_newest_first(host, origin, history):
    old = plain_git(origin, "rev-parse", "main")
    first = _commit(host)
    second = _commit(host, f"pair\n\nCo-authored-by: {BEN}\nCo-authored-by: cleo\n")

    assert _hands(history, old, second) == [
        (second, "ana@example.com"),
        (second, "ben@example.com"),
        (second, "cleo"),
        (first, "ana@example.com"),
    ]


def test_hands_name_a_committer_who_is_not_the_author(host, origin, history):
    old = plain_git(origin, "rev-parse", "main")
    tree = plain_git(origin, "rev-parse", "main^{tree}")
    who = ("-c", "user.name=Dan", "-c", "user.email=dan@example.com")
    raw = plain_git(origin, *who, "commit-tree", tree, "-p", old, "-m", "x")
    plain_git(origin, "update-ref", "refs/heads/main", raw)

    assert _hands(history, old, raw) == [(raw, "dan@example.com")]


def test_hands_of_the_same_build_are_none(origin, history):
    tip = plain_git(origin, "rev-parse", "main")

    assert _hands(history, tip, tip) == []


def test_hands_take_in_what_a_merge_brought(host, origin, history):
    old = plain_git(origin, "rev-parse", "main")
    plain_git(origin, "update-ref", "refs/heads/side", old)
    side = _commit(host, branch="side", author=BEN)
    tree = plain_git(origin, "rev-parse", "side^{tree}")
    who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.com")
    merged = plain_git(origin, *who, "commit-tree", tree, "-p", old, "-p", side, "-m", "merge")
    plain_git(origin, "update-ref", "refs/heads/main", merged)

    assert set(_hands(history, old, merged)) == {
        (merged, "ana@example.com"),
        (side, "ben@example.com"),
    }


def test_hands_after_a_rewritten_history_are_refused(host, origin, history):
    old = _commit(host)
    plain_git(origin, "update-ref", "refs/heads/main", f"{old}~1")
    new = _commit(host, author=BEN)

    with pytest.raises(git.NotInHistoryError, match="does not follow"):
        history.hands(old, new, most=500)


def test_hands_between_builds_in_the_wrong_order_are_refused(host, origin, history):
    old = plain_git(origin, "rev-parse", "main")
    new = _commit(host)

    with pytest.raises(git.NotInHistoryError):
        history.hands(new, old, most=500)


def test_hands_of_more_commits_than_wanted_are_refused(host, origin, history):
    old = plain_git(origin, "rev-parse", "main")
    _commit(host)
    new = _commit(host)

    with pytest.raises(git.HistoryTooLongError, match="over 1 commits"):
        history.hands(old, new, most=1)
    assert len(_hands(history, old, new, most=2)) == 2


@pytest.mark.parametrize("sha", ["f" * 40, "main", "--output=/tmp/x", "", "abc1234"])
def test_hands_of_a_commit_that_is_none_are_refused(sha, origin, history):
    tip = plain_git(origin, "rev-parse", "main")

    with pytest.raises(git.GitError):
        history.hands(sha, tip, most=500)


def test_hands_fetch_commits_and_no_files(host, origin, history, tmp_path):
    old = plain_git(origin, "rev-parse", "main")
    new = _commit(host, big="x" * 100_000)

    history.hands(old, new, most=500)

    folder = tmp_path / "sources" / "one"
    listed = plain_git(folder, "cat-file", "--batch-all-objects", "--batch-check")
    assert {line.split()[1] for line in listed.splitlines()} == {"commit"}


def test_hands_of_a_repository_that_is_closed_to_us_are_refused(tmp_path, url, origin):
    remote = git.Remote(url, git.Credentials(USER, "wrong"), allow_http=True)
    tip = plain_git(origin, "rev-parse", "main")

    with pytest.raises(git.AuthenticationRefusedError):
        git.SourceHistory(tmp_path / "two", remote).hands(tip, tip, most=500)


def test_hands_are_read_again_without_the_host_when_all_is_here(host, origin, history):
    old = plain_git(origin, "rev-parse", "main")
    new = _commit(host)
    found = _hands(history, old, new)
    host.stop()

    assert _hands(history, old, new) == found


def test_hands_keep_hostile_addresses_as_data(host, origin, history):
    old = plain_git(origin, "rev-parse", "main")
    message = "x\n\nCo-authored-by: " + "y" * 9000 + "\nCo-authored-by: <script>\x07 a\n"
    new = _commit(host, message)

    addresses = [address for _, address in _hands(history, old, new)]

    assert addresses[0] == "ana@example.com"
    assert all(len(address) <= 250 for address in addresses)
