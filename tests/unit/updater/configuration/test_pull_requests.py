"""Our own annotation that asks for pull requests, alone and beside an ImageUpdater resource."""

import pytest

from tests.unit.updater.configuration.manifests import (
    GIT,
    IMAGES,
    codes,
    image_updater,
    read,
    reference,
)

KEY = "countersign.dev/pull-request"


def beside(block, value):
    """Read an Application with a pull-request block in its resource and our annotation."""
    config = {"method": "git", "gitConfig": {"pullRequest": block}}
    resource = image_updater(reference(writeBackConfig=config))
    return read({}, own={KEY: value}, resources=[resource])


@pytest.mark.parametrize("host", ["github", "gitlab", "gitea"])
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_annotated_host_is_kept(host, exact):
    configuration = read(GIT, own={KEY: host}, exact=exact)

    assert configuration.write_back.pull_request == host
    assert configuration.problems == ()


def test_annotated_absent_is_none():
    assert read(GIT).write_back.pull_request is None


@pytest.mark.parametrize("value", ["GitHub", "", " github", "bitbucket", 5, True, ["github"]])
def test_annotated_other_word_disables_the_application(value):
    configuration = read(GIT, own={KEY: value})

    assert codes(configuration, fatal=True) == [("BAD_PULL_REQUEST", None)]


def test_annotated_without_git_is_a_warning():
    configuration = read(IMAGES, own={KEY: "github"})

    assert codes(configuration, fatal=True) == []
    assert codes(configuration) == [("IGNORED", None)]


def test_annotated_with_a_write_branch_is_refused():
    annotations = {**GIT, "git-branch": "main:next"}

    configuration = read(annotations, own={KEY: "github"})

    assert codes(configuration, fatal=True) == [("BAD_BRANCH", None)]


def test_annotated_beside_the_same_block_keeps_its_labels():
    configuration = beside({"gitlab": {}, "labels": ["bot"]}, "gitlab")

    assert configuration.write_back.pull_request == "gitlab"
    assert configuration.write_back.pull_request_labels == ("bot",)


def test_annotated_against_another_block_is_refused():
    assert codes(beside({"github": {}}, "gitea"), fatal=True) == [("BAD_PULL_REQUEST", None)]
