import pytest

from updater.integrations.git import memory, trees
from updater.integrations.git.memory import Memory

COMMIT, TOP, FOLDER, FILE = (letter * 40 for letter in "abcd")
CONTENT = b"image:\n  tag: v1\n"


def held():
    found = Memory()
    found.keep(COMMIT, "commit", b"tree " + TOP.encode() + b"\nauthor x\n\nwords\n")
    found.keep(TOP, "tree", trees.serialize([trees.Entry(b"40000", b"apps", FOLDER)]))
    found.keep(FOLDER, "tree", trees.serialize([trees.Entry(b"100644", b"values.yaml", FILE)]))
    found.keep(FILE, "blob", CONTENT)
    return found


@pytest.mark.parametrize(
    ("path", "expected"),
    [("apps/values.yaml", CONTENT), ("apps/none.yaml", None), ("none/values.yaml", None)],
    ids=["file", "no file", "no folder"],
)
def test_find_in_held_objects_says_what_stands_there(path, expected):
    assert held().find(COMMIT, path) == expected


def test_find_below_a_file_is_nothing():
    assert held().find(COMMIT, "apps/values.yaml/tag") is None


def test_find_top_is_the_tree_of_the_commit():
    assert trees.parse(held().find(COMMIT, ""))[0].name == b"apps"


@pytest.mark.parametrize("kept", [[], [COMMIT], [COMMIT, TOP], [COMMIT, TOP, FOLDER]], ids=len)
def test_find_what_is_not_held_leaves_the_answer_to_git(kept):
    full, part = held(), Memory()
    for sha in kept:
        part.keep(sha, "commit" if sha == COMMIT else "tree", full._objects[sha])

    with pytest.raises(KeyError):
        part.find(COMMIT, "apps/values.yaml")


def test_forget_leaves_nothing():
    found = held()

    found.forget()

    with pytest.raises(KeyError):
        found.find(COMMIT, "apps/values.yaml")


def test_keep_beyond_the_limit_begins_anew(monkeypatch):
    monkeypatch.setattr(memory, "MAX_BYTES", 300)
    found = held()

    found.keep("e" * 40, "blob", bytes(200))

    assert found._size == 200
    with pytest.raises(KeyError):
        found.find(COMMIT, "apps/values.yaml")
