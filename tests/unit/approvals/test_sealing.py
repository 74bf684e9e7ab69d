"""A seal stands for exactly one subject: any other value, any other seal."""

import copy
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import sealing

SUBJECT = {
    "cluster": "in-cluster",
    "application": {"namespace": "argocd", "name": "example", "uid": "u1", "project": "default"},
    "image": "backend",
    "image_repository": "registry.example/acme/backend",
    "tag": "main-e1f492f",
    "digest": "sha256:" + "a" * 64,
    "method": "git",
    "git_repository": "https://git.example/acme/chart.git",
    "branch": "main",
    "paths": [".argocd-source-example.yaml"],
    "edits": [["helm.parameters.backend.tag", None, "main-e1f492f"]],
    "pin": "tag",
    "policy": "built-in 1",
    "kind": "forward",
}


def test_seal_of_the_same_subject_in_another_order_is_the_same():
    reordered = dict(reversed(list(SUBJECT.items())))

    assert sealing.seal(reordered) == sealing.seal(SUBJECT)


def test_seal_is_pinned_so_that_no_release_changes_it_unseen():
    assert (
        sealing.seal(SUBJECT) == "10514f394672c81bb47534377af722b80596483e7806e3b64fd00595a44faf24"
    )


@pytest.mark.parametrize("field", list(SUBJECT))
def test_seal_of_a_subject_with_another_value_is_another(field):
    changed = copy.deepcopy(SUBJECT)
    changed[field] = "something else"

    assert sealing.seal(changed) != sealing.seal(SUBJECT)
    assert [item.field for item in sealing.differences(SUBJECT, changed)] == [
        sealing.FIELD_NAMES[field]
    ]


@given(st.lists(st.text(), min_size=2, max_size=5, unique=True))
def test_authenticate_parts_its_fields_unambiguously(words):
    codes = [sealing.authenticate("id", word, []) for word in words]

    assert all(first != second for first, second in itertools.combinations(codes, 2))


def test_authenticate_depends_on_every_argument():
    base = sealing.authenticate("id", "seal", ["a", "b"])

    others = [
        sealing.authenticate("other", "seal", ["a", "b"]),
        sealing.authenticate("id", "other", ["a", "b"]),
        sealing.authenticate("id", "seal", ["a"]),
    ]

    assert base not in others


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        ([], "none"),
        ([["backend.tag", None, "1"]], "backend.tag: nothing → 1"),
        ({"name": "x", "uid": "y"}, "name x, uid y"),
    ],
    ids=["none", "empty", "edit", "mapping"],
)
def test_readable_says_values_in_words(value, text):
    assert sealing.readable(value) == text
