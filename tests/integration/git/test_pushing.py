"""Pushing into a world that moves: strangers, rewritten history, protections, stale locks, lost answers."""

import pytest

from tests.integration.git.scene import FILES, VALUES, commit, plain_git, write
from updater.integrations import git

NEW = {VALUES: b"image:\n  tag: v2\n"}
MAX_TRIES = 5


def test_push_g14_g32_stranger_changed_our_file_is_seen_and_nothing_is_written(
    host, mirror, origin
):
    tip = mirror.fetch("main")
    sha = commit(mirror, tip, NEW)
    theirs = host.commit("acme/gitops", "main", {VALUES: b"image:\n  tag: v9\n"}, "by hand")

    with pytest.raises(git.PushMovedError):
        mirror.push(sha, "main", expected=tip)

    assert plain_git(origin, "rev-parse", "main") == theirs
    assert mirror.read_file(mirror.fetch("main"), VALUES) == b"image:\n  tag: v9\n"


def test_push_stranger_changed_another_file_is_rebuilt_on_top(host, mirror, origin):
    tip = mirror.fetch("main")
    sha = commit(mirror, tip, NEW)
    theirs = host.commit("acme/gitops", "main", {"README.md": b"other\n"}, "by hand")
    with pytest.raises(git.PushMovedError):
        mirror.push(sha, "main", expected=tip)

    again = write(mirror, NEW)

    assert plain_git(origin, "rev-list", f"{tip}..main").split() == [again, theirs]
    assert plain_git(origin, "show", "main:README.md") == "other"


def test_fetch_g15_rewritten_history_is_recognized(host, mirror, origin):
    base = mirror.fetch("main")
    sha = write(mirror, NEW)
    plain_git(origin, "update-ref", "refs/heads/main", base)
    host.commit("acme/gitops", "main", {"README.md": b"other\n"}, "rewritten")

    tip = mirror.fetch("main")

    assert mirror.is_ancestor(base, tip)
    assert not mirror.is_ancestor(sha, tip)
    assert mirror.find_trailers({"Promotion-Id": ["p1"]}, tip=tip, since=sha)["Promotion-Id"] == {}


def test_is_ancestor_g15_commit_that_is_gone_is_in_no_history(make_mirror, origin):
    sha = write(make_mirror("writer"), NEW)
    plain_git(origin, "update-ref", "refs/heads/main", f"{sha}~1")
    mirror = make_mirror("reader")
    tip = mirror.fetch("main")

    assert not mirror.is_ancestor(sha, tip)
    with pytest.raises(git.CommitNotFoundError):
        mirror.is_ancestor(tip, sha)
    assert mirror.find_trailers({"Promotion-Id": ["p1"]}, tip=tip, since=sha)["Promotion-Id"] == {}


def test_push_g15_branch_reset_under_us_is_not_filled_again(mirror, origin):
    base = mirror.fetch("main")
    tip = write(mirror, NEW)
    sha = commit(mirror, tip, {VALUES: b"v3"}, "p2")
    plain_git(origin, "update-ref", "refs/heads/main", base)

    with pytest.raises(git.PushMovedError):
        mirror.push(sha, "main", expected=tip)

    assert plain_git(origin, "rev-parse", "main") == base


def test_push_g15_branch_deleted_under_us_is_not_made_again(host, mirror, origin):
    host.commit("acme/gitops", "release", FILES, "begin")
    tip = mirror.fetch("release")
    sha = commit(mirror, tip, NEW)
    plain_git(origin, "update-ref", "-d", "refs/heads/release")

    with pytest.raises(git.PushMovedError):
        mirror.push(sha, "release", expected=tip)

    with pytest.raises(git.BranchNotFoundError):
        mirror.fetch("release")


def test_push_g17_stale_lock_on_the_host_ends_in_bounded_tries(mirror, origin):
    lock = origin / "refs" / "heads" / "main.lock"
    lock.touch()
    refused = []

    for _ in range(MAX_TRIES):
        with pytest.raises(git.RefLockedError) as told:
            write(mirror, NEW)
        refused.append(told.value)

    assert len(refused) == MAX_TRIES
    lock.unlink()
    assert write(mirror, NEW) == plain_git(origin, "rev-parse", "main")


def test_push_protected_branch_is_declined_in_the_words_of_the_host(host, mirror):
    host.repositories.protect("acme/gitops", "main")

    with pytest.raises(git.PushDeclinedError, match="GH006: Protected branch update failed"):
        write(mirror, NEW)

    host.repositories.accept("acme/gitops")
    assert write(mirror, NEW)


def test_push_hook_words_are_cleaned_and_cut(host, mirror):
    words = "no \x1b[31mway\x1b[0m\n<script>alert(1)</script>\n" + "x" * 5000
    host.repositories.decline("acme/gitops", words)

    with pytest.raises(git.PushDeclinedError) as told:
        write(mirror, NEW)

    assert told.value.why.startswith("no way; <script>alert(1)</script>; xxx")
    assert len(told.value.why) <= 600


def test_push_g24_lost_answer_is_found_by_its_trailer_and_written_once(host, mirror, origin):
    tip = mirror.fetch("main")
    sha = commit(mirror, tip, NEW)
    host.faults.loses_answers = True
    with pytest.raises(git.RepositoryUnreachableError):
        mirror.push(sha, "main", expected=tip)
    host.faults.loses_answers = False

    found = mirror.find_trailers(
        {"Promotion-Id": ["p1", "p2"]}, tip=mirror.fetch("main"), since=tip
    )["Promotion-Id"]

    # The first request of a push is a question: with its answer lost nothing is written, and a second try is.
    if not found:
        mirror.push(sha, "main", expected=tip)
    assert plain_git(origin, "rev-list", f"{tip}..main").split() == [sha]


def test_push_g24_connection_cut_after_the_work_is_found_by_its_trailer(host, mirror, origin):
    tip = mirror.fetch("main")
    sha = commit(mirror, tip, NEW)
    host.faults.loses_pushes = True
    with pytest.raises(git.RepositoryUnreachableError):
        mirror.push(sha, "main", expected=tip)
    host.faults.loses_pushes = False

    found = mirror.find_trailers(
        {"Promotion-Id": ["p1", "p2"]}, tip=mirror.fetch("main"), since=tip
    )["Promotion-Id"]

    assert found == {"p1": sha}
    assert plain_git(origin, "rev-list", f"{tip}..main").split() == [sha]


def test_find_trailers_g26_only_real_trailers_count(host, mirror):
    base = mirror.fetch("main")
    for number, message in enumerate(
        [
            "Promotion-Id: p1",
            "subject\n\nPromotion-Id: p1\n\nmore text",
            "subject\n\nsaid: Promotion-Id: p1",
            'Revert "x"\n\nThis reverts Promotion-Id: p1.',
            "subject\n\nPromotion-Id: p10",
        ]
    ):
        host.commit("acme/gitops", "main", {"n": b"%d" % number}, message)
    tip = mirror.fetch("main")

    assert mirror.find_trailers({"Promotion-Id": ["p1"]}, tip=tip, since=base)["Promotion-Id"] == {}


def test_find_trailers_g26_our_message_yields_exactly_our_trailer(mirror):
    base = mirror.fetch("main")
    message = git.with_trailers(
        "build: x\n\nPromotion-Id: p2\n---\nCo-authored-by: A <a@b>",
        [("Promotion-Id", "p1"), ("Approved-by", "Mei\nPromotion-Id: p3"), ("Seal", "s")],
    )
    sha = commit(mirror, base, NEW, message=message)

    found = mirror.find_trailers({"Promotion-Id": ["p1", "p2", "p3"]}, tip=sha, since=base)[
        "Promotion-Id"
    ]

    assert found == {"p1": sha}


def test_find_trailers_several_in_one_commit_are_all_found(mirror):
    base = mirror.fetch("main")
    message = git.with_trailers("build: x", [("Promotion-Id", "p1"), ("Promotion-Id", "p2")])
    sha = commit(mirror, base, NEW, message=message)

    found = mirror.find_trailers({"Promotion-Id": {"p1", "p2", "p9"}}, tip=sha, since=None)[
        "Promotion-Id"
    ]

    assert found == {"p1": sha, "p2": sha}


@pytest.mark.parametrize("value", ["p[1", "a.*b", "--all", "x y"])
def test_find_trailers_value_is_text_and_no_pattern(mirror, value):
    base = mirror.fetch("main")
    sha = commit(mirror, base, NEW, value)

    found = mirror.find_trailers({"Promotion-Id": [value]}, tip=sha, since=base)["Promotion-Id"]

    assert found == {value: sha}


def test_find_trailers_of_a_copied_commit_gives_the_first(host, mirror):
    base = mirror.fetch("main")
    sha = write(mirror, NEW)
    host.commit("acme/gitops", "main", FILES, "copy\n\nPromotion-Id: p1")

    found = mirror.find_trailers({"Promotion-Id": ["p1"]}, tip=mirror.fetch("main"), since=base)[
        "Promotion-Id"
    ]

    assert found == {"p1": sha}


def test_find_trailers_g29_behind_ten_thousand_foreign_commits(mirror, origin):
    base = mirror.fetch("main")
    sha = write(mirror, NEW)
    stream = [f"reset refs/heads/main\nfrom {sha}\n\n"]
    for number in range(10_000):
        words = f"foreign {number}\n\nPromotion-Id: other-{number}\n"
        stream.append(
            f"commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata {len(words)}\n{words}"
        )
    plain_git(origin, "fast-import", "--quiet", stdin="".join(stream).encode())

    tip = mirror.fetch("main")

    assert mirror.find_trailers({"Promotion-Id": ["p1"]}, tip=tip, since=base)["Promotion-Id"] == {
        "p1": sha
    }
    assert len(mirror.log(tip, base)) == 1000
