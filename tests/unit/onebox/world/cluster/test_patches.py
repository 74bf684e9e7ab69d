"""Merge patches and JSON patches change what they say and nothing else."""

import contextlib
import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onebox.world.cluster.patches import PatchError, apply_operations, difference, merge

CALMLY = settings(deadline=None, max_examples=60)  # a busy machine is no failure

NAMES = st.sampled_from(["a", "b", "0", ""])
VALUES = st.recursive(
    st.sampled_from([True, 0, 1, "", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=3,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ],
    ids=[f"rfc-7396-{number}" for number in range(9)],
)
def test_merge_follows_the_rfc(target, patch, expected) -> None:
    assert merge(target, patch) == expected


@CALMLY
@given(OBJECTS, OBJECTS)
def test_difference_is_the_merge_patch_between_two_objects(before: dict, after: dict) -> None:
    kept = copy.deepcopy(before)

    assert merge(before, difference(before, after)) == after
    assert before == kept


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/b", "value": 1}, {"a": [1, 2], "b": 1}),
        ({"op": "add", "path": "/a/0", "value": 9}, {"a": [9, 1, 2]}),
        ({"op": "add", "path": "/a/-", "value": 9}, {"a": [1, 2, 9]}),
        ({"op": "replace", "path": "/a/1", "value": 9}, {"a": [1, 9]}),
        ({"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"op": "move", "from": "/a", "path": "/b"}, {"b": [1, 2]}),
        ({"op": "copy", "from": "/a/0", "path": "/b"}, {"a": [1, 2], "b": 1}),
        ({"op": "test", "path": "/a", "value": [1, 2]}, {"a": [1, 2]}),
        ({"op": "add", "path": "/x~1y~0z", "value": 1}, {"a": [1, 2], "x/y~z": 1}),
        ({"op": "replace", "path": "", "value": {}}, {}),
    ],
    ids=["add", "insert", "append", "replace", "remove", "move", "copy", "test", "escapes", "root"],
)
def test_apply_operations_changes_a_copy(operation: dict, expected) -> None:
    target = {"a": [1, 2]}

    assert apply_operations(target, [operation]) == expected
    assert target == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("operation", "is_malformed"),
    [
        ({"op": "test", "path": "/a", "value": 1}, False),
        ({"op": "remove", "path": "/b"}, False),
        ({"op": "replace", "path": "/b", "value": 1}, False),
        ({"op": "add", "path": "/b/c", "value": 1}, False),
        ({"op": "add", "path": "/a/9", "value": 1}, False),
        ({"op": "replace", "path": "/a/x", "value": 1}, False),
        ({"op": "add", "path": "a", "value": 1}, True),
        ({"op": "explode", "path": "/a"}, True),
        ({"op": "add"}, True),
        ("text", True),
    ],
)
def test_apply_operations_that_cannot_be_are_told_apart(operation, is_malformed: bool) -> None:  # noqa: FBT001  a table's column
    with pytest.raises(PatchError) as caught:
        apply_operations({"a": [1, 2]}, [operation])

    assert caught.value.is_malformed is is_malformed


OPERATIONS = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": st.text(alphabet="/ab0-~1", max_size=5),
        "from": st.text(alphabet="/ab0", max_size=4),
        "value": VALUES,
    }
)


@CALMLY
@given(OBJECTS, st.lists(OPERATIONS, max_size=3))
def test_apply_operations_on_anything_work_or_raise_their_error(target, operations) -> None:
    kept = copy.deepcopy(target)

    with contextlib.suppress(PatchError):
        apply_operations(target, operations)

    assert target == kept
