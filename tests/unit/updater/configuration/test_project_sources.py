"""Which repositories an AppProject lets its Applications write to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.configuration import project_sources, reading
from updater.configuration.project_sources import permits

REPOSITORY = "https://git.example/shop/deploy.git"
ANNOTATION = "argocd-image-updater.argoproj.io/"

PERMITTED = {
    "everything": ["*"],
    "exact": [REPOSITORY],
    "another spelling": ["https://Git.example/Shop/deploy"],
    "one level": ["https://git.example/shop/*"],
    "any depth": ["https://git.example/**"],
    "choice": ["https://git.example/{shop,bank}/*"],
    "class": ["https://git.example/sho[pq]/deploy"],
    "refusal of another": ["*", "!https://git.example/bank/*"],
}
REFUSED = {
    "nothing": [],
    "another team": ["https://git.example/bank/*"],
    "one level is not two": ["https://git.example/*"],
    "refused": ["*", "!https://git.example/shop/*"],
    "refused by a pattern": ["*", "!**deploy"],
    "part of the text": ["shop"],
    "dot is no wildcard": ["https://gitXexample/shop/deploy"],
    "not a text": ["*", 5],
    "malformed": ["https://git.example/[shop"],
}


@pytest.mark.parametrize("patterns", PERMITTED.values(), ids=PERMITTED)
def test_permits_a_matching_repository(patterns):
    assert permits(patterns, REPOSITORY)


@pytest.mark.parametrize("patterns", REFUSED.values(), ids=REFUSED)
def test_permits_refuses_anything_else(patterns):
    assert not permits(patterns, REPOSITORY)


def test_permits_scp_form_of_an_ssh_address():
    assert permits(["ssh://git@git.example/shop/*"], "git@git.example:shop/deploy.git")


@given(st.lists(st.text(max_size=40) | st.none() | st.integers(), max_size=5), st.text(max_size=60))
def test_permits_of_anything_is_an_answer(patterns, repository):
    assert permits(patterns, repository) in (True, False)


@given(st.lists(st.text(max_size=40), max_size=5))
def test_permits_never_with_a_refusal_of_everything(patterns):
    assert not permits([*patterns, "!*"], REPOSITORY)


def _manifest(project, **annotations):
    own = {"image-list": "web=registry.example/shop/web", "write-back-method": "git", **annotations}
    return {
        "metadata": {
            "name": "web",
            "namespace": "argocd",
            "annotations": {ANNOTATION + key: value for key, value in own.items()},
        },
        "spec": {
            "project": project,
            "source": {"repoURL": REPOSITORY, "path": ".", "targetRevision": "main"},
        },
        "status": {"sourceType": "Helm"},
    }


def _codes(manifest, allowed):
    found = reading.read(manifest, source_repositories=allowed)
    return [problem.code for problem in found.problems if problem.fatal]


def test_read_a34_repository_of_another_project_is_refused():
    manifest = _manifest("bank", **{"git-repository": REPOSITORY})
    allowed = {"bank": ["https://git.example/bank/*"], "shop": ["https://git.example/shop/*"]}

    (problem,) = reading.read(manifest, source_repositories=allowed).problems

    assert (problem.code, problem.fatal) == ("REPO_NOT_ALLOWED", True)
    assert problem.key.endswith("git-repository")
    assert problem.value == REPOSITORY
    assert "spec.sourceRepos" in problem.message


def test_read_a34_own_repository_is_used():
    allowed = {"shop": ["https://git.example/shop/*"]}

    assert _codes(_manifest("shop"), allowed) == []


def test_read_a34_project_that_nobody_knows_permits_nothing():
    assert _codes(_manifest("ghost"), {"shop": ["*"]}) == ["REPO_NOT_ALLOWED"]


@pytest.mark.parametrize("allowed", [None, {}], ids=["not-asked", "argo-cd-makes-it"])
def test_read_a34_default_project_permits_everything(allowed):
    assert _codes(_manifest(project_sources.DEFAULT), allowed) == []


def test_read_a34_default_project_that_was_narrowed_is_obeyed():
    assert _codes(_manifest("default"), {"default": []}) == ["REPO_NOT_ALLOWED"]
