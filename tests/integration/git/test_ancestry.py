"""Where two branches meet, what a commit was made on, and taking back a branch of ours."""

from datetime import timedelta

import pytest
from django.utils import timezone

from onebox.world.git_host.merging import Merger
from tests.integration.git.scene import VALUES, commit, plain_git
from updater.integrations import git

NEW = {VALUES: b"image:\n  tag: v2\n"}
ABSENT = "0" * 40
SOMEBODY = "Mei <mei@example.com>"


@pytest.fixture
def branched(host, mirror, origin):
    """A branch with one commit of ours, and a main that has moved on; start, ours, main."""
    start = mirror.fetch("main")
    ours = commit(mirror, start, NEW)
    mirror.push(ours, "countersign/x", expected=None)
    main = host.commit("acme/gitops", "main", {"README.md": b"moved\n"}, "by hand")
    mirror.fetch("main")
    return start, ours, main


def test_merge_base_is_where_the_branches_part(mirror, branched):
    start, ours, main = branched

    assert mirror.merge_base(ours, main) == start
    assert mirror.merge_base(ours, ours) == ours


def test_merge_base_of_strangers_is_none(host, mirror, origin, branched):
    root = Merger(origin).commit(f"{branched[0]}^{{tree}}", [], "root", SOMEBODY)
    plain_git(origin, "update-ref", "refs/heads/orphan", root)

    assert mirror.merge_base(mirror.fetch("orphan"), branched[2]) is None


def test_merge_base_of_a_commit_that_is_gone_is_named(mirror, branched):
    with pytest.raises(git.CommitNotFoundError, match=ABSENT):
        mirror.merge_base(ABSENT, branched[2])


def test_parents_begin_with_the_branch_it_was_made_on(mirror, origin, branched):
    start, ours, main = branched
    tree = plain_git(origin, "rev-parse", f"{ours}^{{tree}}")
    merge = Merger(origin).commit(tree, [main, ours], "merge", SOMEBODY)
    plain_git(origin, "update-ref", "refs/heads/main", merge)
    mirror.fetch("main")

    assert mirror.parents(merge) == (main, ours)
    assert mirror.parents(start) == ()


def test_parents_of_a_commit_that_is_gone_are_refused(mirror, branched):
    with pytest.raises(git.CommitNotFoundError, match=ABSENT):
        mirror.parents(ABSENT)


def test_delete_branch_takes_back_what_nobody_touched(mirror, branched):
    mirror.delete_branch("countersign/x", expected=branched[1])

    assert not mirror.branch_exists("countersign/x")
    assert mirror.branch_exists("main")


def test_delete_branch_that_moved_leaves_it(host, mirror, branched):
    host.commit("acme/gitops", "countersign/x", {"README.md": b"theirs\n"}, "by hand")

    with pytest.raises(git.PushMovedError):
        mirror.delete_branch("countersign/x", expected=branched[1])

    assert mirror.branch_exists("countersign/x")


def test_delete_branch_that_is_gone_is_told(mirror, origin, branched):
    plain_git(origin, "update-ref", "-d", "refs/heads/countersign/x")

    with pytest.raises(git.GitError):
        mirror.delete_branch("countersign/x", expected=branched[1])


@pytest.mark.parametrize("branch", ["-f", "a..b", "main\n"])
def test_delete_branch_of_a_strange_name_is_refused(mirror, branched, branch):
    with pytest.raises(git.BranchNotFoundError):
        mirror.delete_branch(branch, expected=branched[1])


def test_log_of_a_path_takes_it_literally_and_ends_at_the_moment(host, mirror, origin, branched):
    now = timezone.now()
    sha = host.commit("acme/gitops", "main", {"[a]*.yaml": b"1\n", "b.yaml": b"2\n"}, "odd name")
    tip = mirror.fetch("main")

    (found,) = mirror.log_of("[a]*.yaml", tip, after=now - timedelta(hours=1))

    assert (found.sha, found.subject) == (sha, "odd name")
    assert mirror.log_of("*.yaml", tip, after=now - timedelta(hours=1)) == ()
    assert mirror.log_of("b.yaml", tip, after=now + timedelta(hours=1)) == ()
