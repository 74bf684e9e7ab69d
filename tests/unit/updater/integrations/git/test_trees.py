"""Tree objects: bytes in, bytes out; paths that could mean another place are refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.integrations.git import trees
from updater.integrations.git.trees import Entry

SHA = "ab" * 20
names = st.binary(min_size=1, max_size=8).filter(lambda name: not set(name) & {0, 47})
entries = st.lists(
    st.builds(
        Entry, st.sampled_from([b"100644", b"100755", b"40000", b"120000"]), names, st.just(SHA)
    ),
    unique_by=lambda entry: entry.name,
    max_size=8,
)


@given(entries)
def test_parse_serialized_entries_gives_them_back(found):
    again = trees.parse(trees.serialize(found))

    assert sorted(again, key=lambda e: e.name) == sorted(found, key=lambda e: e.name)
    assert trees.serialize(again) == trees.serialize(found)


@given(st.binary(max_size=100))
def test_parse_any_bytes_raises_only_value_error(data):
    with suppress(ValueError):
        trees.parse(data)


def test_serialize_folder_sorts_as_if_its_name_ended_in_a_slash():
    data = trees.serialize([Entry(b"40000", b"a", SHA), Entry(b"100644", b"a.b", SHA)])

    assert [entry.name for entry in trees.parse(data)] == [b"a.b", b"a"]


@pytest.mark.parametrize("path", ["a", "a/b.yaml", ".github/x", "äö/ü", "a:b", "git", "a b/c"])
def test_split_path_of_a_file_gives_its_parts(path):
    assert "/".join(trees.split(path)) == path


@pytest.mark.parametrize(
    "path",
    ["", "/a", "a/", "a//b", "./a", "../a", "a/../b", ".git/config", ".GIT/hooks/x", "a/.git", "git~1/x",
     ".git./x", ".git /x", ".git::$INDEX_ALLOCATION/x", ".g\u200cit/x", "a\nb", "a\0b", "x" * 5000,
     "/".join("a" * 100), "\udc80"],
)  # fmt: skip
def test_split_other_text_is_refused(path):
    with pytest.raises(trees.PathRefusedError):
        trees.split(path)


@pytest.mark.parametrize(
    ("mode", "kind", "is_file", "is_folder"),
    [
        (b"100644", "a file", True, False),
        (b"100755", "a file", True, False),
        (b"40000", "a folder", False, True),
        (b"040000", "a folder", False, True),
        (b"120000", "a symbolic link", False, False),
        (b"160000", "a submodule", False, False),
    ],
)
def test_entry_mode_tells_what_it_is(mode, kind, is_file, is_folder):
    entry = Entry(mode, b"x", SHA)

    assert (entry.kind, entry.is_file, entry.is_folder) == (kind, is_file, is_folder)
