"""The proof after an edit: only what was intended differs, for our reader and for another one."""

import pytest

from updater.overrides import checking
from updater.overrides.errors import OverrideError, YamlError
from updater.overrides.go_yaml import reading

BEFORE = "a: 1\nb: {c: x, d: [y, z]}\ne: &e q\nf: *e\n"


def check(after, intended):
    """Compare an edited text with the one above."""
    checking.check(reading.read(BEFORE).root, after, intended)


@pytest.mark.parametrize(
    ("after", "intended"),
    [
        (BEFORE, {}),
        (BEFORE.replace("x", "w"), {("b", "c"): "w"}),
        (BEFORE.replace("z", "'1'"), {("b", "d", 1): "1"}),
        (BEFORE + "g: {h: i}\n", {("g", "h"): "i"}),
        (BEFORE.replace("[y, z]", "[n, y, z]"), {("b", "d"): None}),
        (BEFORE.replace("x", "w").replace("[y, z]", "[]"), {("b",): None}),
        (BEFORE.replace("{c: x, d: [y, z]}", "text"), {("b",): None}),
    ],
    ids=repr,
)
def test_check_intended_changes_pass(after, intended):
    check(after, intended)


@pytest.mark.parametrize(
    ("after", "intended", "part"),
    [
        (BEFORE.replace("x", "w"), {}, "would also change b.c"),
        (BEFORE.replace("a: 1", "a: '1'"), {}, "would also change a"),
        (BEFORE.replace("z", "w"), {("b", "c"): "x"}, "would also change b.d.1"),
        (BEFORE.replace("z", "w, v"), {("b", "d", 1): "w"}, "would also change b.d.2"),
        (BEFORE.replace("a: 1\n", ""), {}, "would also change a"),
        (BEFORE.replace("&e q", "&e r"), {("e",): "r"}, "would also change f"),
        (BEFORE.replace("[y, z]", "{y: z}"), {}, "would also change b.d"),
        (BEFORE, {("b", "c"): "w"}, "b.c cannot be written"),
        (BEFORE.replace("x", "1"), {("b", "c"): "1"}, "b.c cannot be written"),
        (BEFORE, {("new",): "w"}, "new cannot be written"),
        (BEFORE, {("a", "b"): "w"}, "a.b cannot be written"),
        ("", {}, "would also change"),
    ],
    ids=repr,
)
def test_check_anything_else_is_refused(after, intended, part):
    with pytest.raises(OverrideError) as refused:
        check(after, intended)

    assert part in str(refused.value)


def test_check_text_that_a_1_2_reader_takes_for_a_number_is_refused():
    after = BEFORE.replace("x", "1e400")

    with pytest.raises(OverrideError, match="would not be read as text by every reader"):
        check(after, {("b", "c"): "1e400"})


def test_check_file_that_another_reader_refuses_is_refused():
    # yaml.v3 takes an escaped apostrophe between double quotes
    text = 'a: "it\\\'s"\n'

    with pytest.raises(YamlError, match=r"YAML 1\.2 reader"):
        checking.check(reading.read(text).root, text, {})


def test_check_file_that_readers_take_differently_is_refused():
    text = "a: &b:c\nd: 1\n"  # an anchor and an empty value, or an anchor with a colon in its name

    with pytest.raises(YamlError, match="readers disagree"):
        checking.check(reading.read(text).root, text, {})


def test_check_empty_file_passes():
    checking.check(None, "# only\n", {})


def test_check_anchor_used_twice_passes():
    text = "a: &x 1\nb: &x 2\nc: *x\n"

    checking.check(reading.read(text).root, text, {})
