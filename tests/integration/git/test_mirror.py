"""A mirror against git's own HTTP server: what is read, built and pushed."""

import stat

import pytest

from tests.integration.git.scene import AT, FILES, ME, VALUES, commit, plain_git, write
from updater.integrations import git

NEW = {VALUES: b"image:\n  tag: v2\n"}


def test_fetch_returns_the_last_commit_of_the_branch(host, mirror, origin):
    assert mirror.fetch("main") == plain_git(origin, "rev-parse", "main")

    sha = host.commit("acme/gitops", "main", {"README.md": b"other\n"}, "by hand")

    assert mirror.fetch("main") == sha


@pytest.mark.parametrize("branch", ["nope", "-f", "a..b"])
def test_fetch_missing_branch_is_named(mirror, branch):
    with pytest.raises(git.BranchNotFoundError, match="acme/gitops"):
        mirror.fetch(branch)


def test_fetch_branch_that_became_a_folder_of_branches_succeeds(host, mirror, origin):
    host.commit("acme/gitops", "release", {"a": b"1"}, "x")
    mirror.fetch("release")
    plain_git(origin, "branch", "-D", "release")
    sha = host.commit("acme/gitops", "release/1", {"a": b"2"}, "y")

    assert mirror.fetch("release/1") == sha


def test_fetch_leaves_file_contents_on_the_host(mirror, tmp_path):
    tip = mirror.fetch("main")
    folder = tmp_path / "mirrors" / "mirror"

    mirror.read_file(tip, "README.md")

    missing = plain_git(folder, "rev-list", "--objects", "--missing=print", tip)
    assert [line[0] for line in missing.splitlines()].count("?") == len(FILES) - 1


def test_fetch_makes_a_folder_only_its_owner_can_enter(mirror, tmp_path):
    mirror.fetch("main")

    mode = (tmp_path / "mirrors" / "mirror").stat().st_mode
    assert stat.S_IMODE(mode) == 0o700


def test_fetch_after_the_url_changed_keeps_nothing_of_the_old_repository(host, make_mirror, origin):
    old = make_mirror().fetch("main")
    other = host.create_repository("acme/other", {"x": b"1"})

    mirror = make_mirror(address=other)
    mirror.fetch("main")

    with pytest.raises(git.CommitNotFoundError):
        mirror.read_file(old, VALUES)


def test_fetch_many_times_keeps_the_mirror_small(host, mirror, tmp_path, monkeypatch):
    monkeypatch.setattr("updater.integrations.git.host.MANY_PACKS", 2)
    for number in range(4):
        write(mirror, {VALUES: b"%d" % number}, promotion=str(number))
        tip = host.commit("acme/gitops", "main", {"README.md": b"%d" % number}, "by hand")
        assert mirror.fetch("main") == tip
        assert mirror.read_file(tip, "README.md") == b"%d" % number

    packs = list((tmp_path / "mirrors" / "mirror" / "objects" / "pack").glob("*.pack"))
    assert len(packs) <= 4
    assert mirror.read_file(tip, VALUES) == b"3"


def test_default_branch_is_what_head_of_the_host_names(mirror, origin):
    assert mirror.default_branch() == "main"

    plain_git(origin, "symbolic-ref", "HEAD", "refs/heads/trunk")
    plain_git(origin, "branch", "trunk", "main")

    assert mirror.default_branch() == "trunk"


def test_default_branch_of_an_empty_repository_is_missing(host, make_mirror):
    empty = host.create_repository("acme/empty", {})

    with pytest.raises(git.BranchNotFoundError):
        make_mirror(address=empty).default_branch()


def test_branch_exists_is_exact(host, mirror):
    host.commit("acme/gitops", "feature/main", {"a": b"1"}, "x")

    assert mirror.branch_exists("main")
    assert mirror.branch_exists("feature/main")
    assert not mirror.branch_exists("feature")


@pytest.mark.parametrize(
    ("path", "content"), [(VALUES, FILES[VALUES]), ("nope", None), ("apps/nope/values.yaml", None)]
)
def test_read_file_returns_bytes_or_nothing(mirror, path, content):
    tip = mirror.fetch("main")

    assert mirror.read_file(tip, path) == content


def test_read_files_asks_the_host_once_for_all(host, mirror):
    tip = mirror.fetch("main")
    host.requests.clear()

    found = mirror.read_files(tip, [VALUES, "README.md", "nope"])

    assert found == {**FILES, "nope": None}
    assert sum("git-upload-pack" in request for request in host.requests) <= 2


def test_read_file_of_a_commit_that_is_not_there_is_named(mirror):
    mirror.fetch("main")

    with pytest.raises(git.CommitNotFoundError):
        mirror.read_file("ab" * 20, VALUES)


@pytest.mark.parametrize("commit", ["main", "HEAD", "--help", "", "ab" * 19])
def test_read_file_of_anything_but_a_full_sha_is_refused(mirror, commit):
    with pytest.raises(git.CommitNotFoundError):
        mirror.read_file(commit, VALUES)


def test_commit_changes_exactly_the_given_files(mirror, origin):
    tip = mirror.fetch("main")

    sha = commit(mirror, tip, {**NEW, "apps/new/deep/x.yaml": b"a: 1\n"})
    mirror.push(sha, "main", expected=tip)

    changed = plain_git(origin, "diff-tree", "-r", "--name-status", tip, sha)
    assert changed == f"A\tapps/new/deep/x.yaml\nM\t{VALUES}"
    assert plain_git(origin, "show", f"{sha}:{VALUES}") == "image:\n  tag: v2"
    assert plain_git(origin, "fsck", "--strict", "--no-dangling") == ""


def test_commit_same_input_on_another_worker_gives_the_same_sha(make_mirror):
    here, there = make_mirror("a"), make_mirror("b")

    shas = {commit(mirror, mirror.fetch("main"), NEW) for mirror in (here, there)}

    assert len(shas) == 1


def test_commit_on_a_commit_of_ours_builds_a_chain(mirror, origin):
    tip = mirror.fetch("main")

    first = commit(mirror, tip, NEW, "p1")
    second = commit(mirror, first, {VALUES: b"image:\n  tag: v3\n"}, "p2")
    mirror.push(second, "main", expected=tip)

    assert plain_git(origin, "rev-list", f"{tip}..main").split() == [second, first]


def test_commit_keeps_mode_and_neighbors_as_they_are(mirror, origin, host):
    blob = plain_git(origin, "hash-object", "-w", "--stdin", stdin=b"x")
    listing = f"100755 blob {blob}\trun.sh\n100644 blob {blob}\t\udcff\n120000 blob {blob}\tlink\n"
    tree = plain_git(origin, "mktree", stdin=listing.encode("utf-8", "surrogateescape"))
    base = plain_git(
        origin, "-c", "user.name=a", "-c", "user.email=a", "commit-tree", tree, "-m", "x"
    )
    plain_git(origin, "update-ref", "refs/heads/main", base)
    tip = mirror.fetch("main")

    sha = commit(mirror, tip, {"run.sh": b"y"})
    mirror.push(sha, "main", expected=tip)

    before = plain_git(origin, "ls-tree", "-z", tip).split("\0")
    after = plain_git(origin, "ls-tree", "-z", sha).split("\0")
    assert [line for line in after if line not in before] == [
        "100755 blob " + plain_git(origin, "hash-object", "--stdin", stdin=b"y") + "\trun.sh"
    ]


def test_commit_that_changes_nothing_is_refused(mirror):
    tip = mirror.fetch("main")

    with pytest.raises(git.NothingToCommitError):
        commit(mirror, tip, {VALUES: FILES[VALUES]})


def test_commit_file_that_is_also_a_folder_is_refused(mirror):
    tip = mirror.fetch("main")

    with pytest.raises(git.TargetNotAFileError):
        commit(mirror, tip, {"new": b"1", "new/x": b"2"})


def test_commit_holds_author_committer_and_time_in_utc(mirror, origin):
    author = git.Signature("Mei Tanaka", "mei@example.com")
    tip = mirror.fetch("main")

    sha = commit(mirror, tip, NEW, author=author)
    mirror.push(sha, "main", expected=tip)

    shown = plain_git(origin, "show", "-s", "--format=%an <%ae> %aI, %cn %cI", sha)
    moment = AT.isoformat()
    assert shown == f"Mei Tanaka <mei@example.com> {moment}, {ME.name} {moment}"


def test_push_new_branch_is_made_once(mirror, origin):
    sha = commit(mirror, mirror.fetch("main"), NEW)

    mirror.push(sha, "promote/shop", expected=None)

    assert plain_git(origin, "rev-parse", "promote/shop") == sha
    other = commit(mirror, sha, {VALUES: b"x"}, "p2")
    with pytest.raises(git.PushMovedError):
        mirror.push(other, "promote/shop", expected=None)
    assert plain_git(origin, "rev-parse", "promote/shop") == sha


def test_push_twice_is_once(mirror, origin):
    tip = mirror.fetch("main")
    sha = commit(mirror, tip, NEW)

    mirror.push(sha, "main", expected=tip)
    mirror.push(sha, "main", expected=tip)

    assert plain_git(origin, "rev-list", f"{tip}..main").split() == [sha]


def test_push_what_does_not_follow_never_rewrites_history(host, mirror, origin):
    tip = mirror.fetch("main")
    ours = commit(mirror, tip, NEW)
    theirs = host.commit("acme/gitops", "main", {"README.md": b"other"}, "by hand")
    mirror.fetch("main")

    with pytest.raises(git.PushMovedError):
        mirror.push(ours, "main", expected=theirs)

    assert plain_git(origin, "rev-parse", "main") == theirs


def test_diff_names_lists_what_differs(mirror):
    tip = mirror.fetch("main")
    sha = commit(mirror, tip, {**NEW, "new.yaml": b"1"})

    assert mirror.diff_names(tip, sha) == (VALUES, "new.yaml")
    assert mirror.diff_names(sha, sha) == ()


def test_log_lists_commits_since(mirror):
    tip = mirror.fetch("main")
    first = commit(mirror, tip, NEW, "p1")
    second = commit(mirror, first, {VALUES: b"x"}, "p2", message="two\n\nbody")

    found = mirror.log(second, tip)

    assert [each.sha for each in found] == [second, first]
    assert (found[0].subject, found[0].author_email, found[0].committed_at) == ("two", ME.email, AT)
    assert len(mirror.log(second)) == 3
    assert len(mirror.log(second, limit=1)) == 1


def test_locked_keeps_another_process_out_and_lets_its_holder_in(make_mirror):
    mirror, other = make_mirror(), make_mirror(lock_wait_seconds=0.1)

    with mirror.locked():
        mirror.fetch("main")
        with pytest.raises(git.MirrorBusyError):
            other.fetch("main")

    assert other.fetch("main")
