import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.presenters import diffs
from approvals.presenters.diffs import FileDiff

OLD = "helm:\n  parameters:\n  - name: web.tag\n    value: main-9c07d1a\n    forcestring: true\n"
NEW = OLD.replace("main-9c07d1a", "main-e1f492f")


def _text(diff: FileDiff, *kinds: str) -> list[str]:
    return ["".join(p.text for p in line.parts) for line in diff.lines if line.kind in kinds]


def _marked(diff: FileDiff) -> list[str]:
    return [part.text for line in diff.lines for part in line.parts if part.is_marked]


def test_of_file_one_value_shows_both_lines_with_numbers_and_context():
    diff = diffs.of_file("values.yaml", OLD, NEW)

    shown = [(line.kind, line.number) for line in diff.lines]

    assert shown == [("same", 1), ("same", 2), ("same", 3), ("del", 4), ("ins", 4), ("same", 5)]
    assert (diff.added, diff.removed, diff.is_new) == (1, 1, False)


def test_of_file_one_value_marks_the_whole_value_and_nothing_else():
    diff = diffs.of_file("values.yaml", OLD, NEW)

    assert _marked(diff) == ["main-9c07d1a", "main-e1f492f"]


def test_of_file_new_file_shows_every_line_as_added():
    diff = diffs.of_file(".argocd-source-web.yaml", None, NEW)

    assert diff.is_new
    assert diff.removed == 0
    assert _text(diff, "ins") == NEW.splitlines()


def test_of_file_change_in_the_middle_of_a_long_file_names_the_gap_and_true_numbers():
    old = "".join(f"line {number}\n" for number in range(1, 201))
    new = old.replace("line 100\n", "line one hundred\n")

    diff = diffs.of_file("long.yaml", old, new)

    assert diff.lines[0].kind == "gap"
    assert [line.number for line in diff.lines if line.kind in ("del", "ins")] == [100, 100]
    assert _text(diff, "same") == [f"line {number}" for number in (97, 98, 99, 101, 102, 103)]


def test_of_file_two_changes_far_apart_shows_two_groups():
    old = "".join(f"line {number}\n" for number in range(1, 101))
    new = old.replace("line 10\n", "ten\n").replace("line 90\n", "ninety\n")

    diff = diffs.of_file("long.yaml", old, new)

    assert [line.number for line in diff.lines if line.kind == "ins"] == [10, 90]
    assert sum(line.kind == "gap" for line in diff.lines) == 2


def test_of_file_missing_newline_at_the_end_is_said():
    diff = diffs.of_file("values.yaml", "tag: a\n", "tag: a")

    assert _text(diff, "del", "ins") == ["tag: a", "tag: a  ⟨no newline at the end⟩"]


def test_of_file_other_line_ends_are_seen():
    diff = diffs.of_file("values.yaml", "tag: a\n", "tag: a\r\n")

    assert _text(diff, "ins") == ["tag: a␍"]


def test_of_file_bidirectional_override_is_written_out():
    diff = diffs.of_file("values.yaml", "tag: a\n", "tag: \u202ea\n")

    assert "⟨RIGHT-TO-LEFT OVERRIDE⟩" in _text(diff, "ins")[0]


def test_of_file_huge_rewrite_is_cut_and_says_how_much():
    old, new = "".join(f"a{n}\n" for n in range(9000)), "".join(f"b{n}\n" for n in range(9000))
    start = time.monotonic()

    diff = diffs.of_file("huge.yaml", old, new)

    assert time.monotonic() - start < 2
    assert len(diff.lines) == diffs.MAX_LINES
    assert diff.hidden == 18000 - diffs.MAX_LINES
    assert (diff.added, diff.removed) == (9000, 9000)


def test_of_plan_without_files_shows_parameters():
    edits = [
        {"key": "web.tag", "old": "v1", "new": "v2", "image": "web"},
        {"key": "web.name", "old": None, "new": "registry.example.com/web", "image": "web"},
    ]

    (diff,) = diffs.of_plan({"method": "argocd", "files": [], "edits": edits})

    assert _text(diff, "del") == ["web.tag: v1"]
    assert _text(diff, "ins") == ["web.tag: v2", "web.name: registry.example.com/web"]


def test_of_plan_without_anything_is_empty():
    assert diffs.of_plan({"error": "Git does not answer"}) == ()


@pytest.mark.parametrize(
    ("old", "new"), [("", ""), ("a\n", "a\n"), ("", "\n"), ("\n\n", "\n")], ids=repr
)
def test_of_file_edge_texts_do_not_fail(old: str, new: str):
    diff = diffs.of_file("file", old, new)

    assert diff.hidden == 0


LINES = st.lists(st.text(st.characters(exclude_characters="\n"), max_size=8), max_size=30)


@given(old=LINES, new=LINES)
def test_of_file_property_shown_lines_are_the_change_and_counts_add_up(
    old: list[str], new: list[str]
):
    before, after = ("\n".join([*lines, ""]) for lines in (old, new))

    diff = diffs.of_file("file", before, after)

    assert diff.added - diff.removed == len(new) - len(old)
    assert (diff.added == diff.removed == 0) == (before == after)
