"""Dotted paths: what they lead to, and the words of every refusal (specification 3.6)."""

import pytest

from updater.overrides import key_paths
from updater.overrides.errors import KeyPathError
from updater.overrides.go_yaml import reading

TEXT = """\
image:
  name: nginx
  tag: v1
empty:
list:
- a
- tag: v2
  more: {deep: x}
flow: {a: {b: c}}
anchor: &x {tag: v3}
alias: *x
a.b: literal
both: {c: nested}
both.c: literal
"odd[0]": z
"""


def locate(path, **options):
    """Return where a path leads in the text above."""
    return key_paths.locate(reading.read(TEXT).root, path, **options)


@pytest.mark.parametrize(
    ("path", "value", "way"),
    [
        ("image.tag", "v1", ("image", "tag")),
        ("list[0]", "a", ("list", 0)),
        ("list[1].tag", "v2", ("list", 1, "tag")),
        ("list[1].more.deep", "x", ("list", 1, "more", "deep")),
        ("flow.a.b", "c", ("flow", "a", "b")),
        ("alias.tag", "v3", ("alias", "tag")),
        ("a.b", "literal", ("a.b",)),
        ("both.c", "nested", ("both", "c")),
        ("odd[0]", "z", ("odd[0]",)),
        ("empty", "", ("empty",)),
    ],
)
def test_locate_existing_key_finds_it(path, value, way):
    place = locate(path)

    assert (place.node.value, place.path) == (value, way)


@pytest.mark.parametrize(
    ("path", "way", "missing"),
    [
        ("image.digest", ("image",), ("digest",)),
        ("new", (), ("new",)),
        ("new.a.b", (), ("new", "a", "b")),
        ("list[1].x.y", ("list", 1), ("x", "y")),
        ("empty.a.b", ("empty",), ("a", "b")),
        ("image.list[3]", ("image",), ("list[3]",)),
    ],
)
def test_locate_missing_key_tells_what_to_make(path, way, missing):
    place = locate(path)

    assert (place.node, place.path, place.missing) == (None, way, missing)


def test_locate_literal_first_prefers_the_root_key():
    assert locate("both.c", literal_first=True).node.value == "literal"


@pytest.mark.parametrize(("path", "expected"), [("alias.tag", True), ("anchor.tag", False)])
def test_locate_tells_whether_an_alias_is_on_the_way(path, expected):
    assert locate(path).is_aliased is expected


@pytest.mark.parametrize(("path", "expected"), [("flow.a.b", True), ("list[1].tag", False)])
def test_locate_tells_whether_it_is_in_flow_style(path, expected):
    assert locate(path).is_flow is expected


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("list[2]", "list has 2 items"),
        ("image[0]", "image is not a list"),
        ("list.tag", "list is a list; write an index, list"),
        ("list[x]", "the index 'x' is not a number"),
        ("list[-1]", "the index '-1' is not a number"),
        ("list[]", "the index '' is not a number"),
        ("list[0][1]", "an index stands once"),
        ("image", "line 2 holds a list or mapping"),
        ("list[1]", "line 7 holds a list or mapping"),
        ("image.tag.x", "line 3 holds no mapping for x"),
        ("list[0].x", "line 6 holds no mapping for x"),
        ("", "write keys joined by dots"),
        ("..", "write keys joined by dots"),
        ("a..b", "write keys joined by dots"),
        ("a. b", "write keys joined by dots"),
        ("a: b", "write keys joined by dots"),
        ("a #b", "write keys joined by dots"),
        ("a\nb", "at most 32 keys"),
        (".".join(["a"] * 500), "at most 32 keys"),
        ("a" * 1025, "at most 32 keys"),
        ("list[9999999]", "is not a number"),
    ],
)
def test_locate_a25_unusable_path_is_refused_in_words(path, part):
    with pytest.raises(KeyPathError) as refused:
        locate(path)

    assert part in str(refused.value)
