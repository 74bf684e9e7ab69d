"""Names of branches: git's own rules, compared with git's own check."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.integrations.git import BranchNotFoundError, branches


@pytest.mark.parametrize("name", ["main", "release/1.2", "image-updater-foo/bar-1.1", "HEAD", "ä"])
def test_check_branch_name_is_returned(name):
    assert branches.check("r", name) == name


@pytest.mark.parametrize(
    "name",
    ["", "-f", "a..b", "a b", "a~1", "a:b", "a^", "a.lock", "a/.b", "a//b", "/a", "a/", "a.",
     "a\nb", "a\0", "@", "a@{1}", "a[b", "a\\b", "x" * 300, "\ud800", "--force", "+main"[1:] + "*"],
)  # fmt: skip
def test_check_other_text_is_refused(name):
    with pytest.raises(BranchNotFoundError):
        branches.check("r", name)


@given(st.text("ab./-@{}~^:?*[\\ lock", min_size=1, max_size=8))
def test_check_never_accepts_what_git_refuses(name):
    try:
        branches.check("r", name)
    except BranchNotFoundError:
        return
    command = ["git", "check-ref-format", f"refs/heads/{name}"]
    assert subprocess.run(command, check=False).returncode == 0


def test_fetched_branches_that_differ_in_case_or_depth_do_not_collide():
    names = {branches.fetched(name) for name in ("main", "Main", "main/a")}

    assert len(names) == 3
    assert all(name.count("/") == 2 for name in names)
