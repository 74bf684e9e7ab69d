"""What `diff-tree` prints for many commits, read back."""

from hypothesis import given
from hypothesis import strategies as st

from updater.integrations.git.changes import Line, parse

SHAS = st.integers(0, 16**40 - 1).map(lambda number: f"{number:040x}")
MODES = st.sampled_from(["000000", "100644", "100755", "120000", "160000"])
PATHS = st.one_of(SHAS, st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
LINES = st.builds(Line, path=PATHS, old_mode=MODES, new_mode=MODES, old=SHAS, new=SHAS)


def printed(listed):
    parts = []
    for sha, lines in listed.items():
        parts.append(sha)
        for line in lines:
            modes = f":{line.old_mode} {line.new_mode} {line.old} {line.new} M"
            parts += [modes, line.path]
    return "".join(f"{part}\0" for part in parts).encode()


@given(st.dictionaries(SHAS, st.lists(LINES, max_size=3).map(tuple), max_size=4))
def test_parse_gives_back_what_was_printed_whatever_the_paths(listed):
    assert parse(printed(listed)) == listed


def test_parse_path_that_is_no_utf8_is_read_with_a_mark():
    line = b":000000 100644 " + b"0" * 40 + b" " + b"a" * 40 + b" A\0caf\xe9\0"

    [[found]] = parse(b"b" * 40 + b"\0" + line).values()

    assert found.path == "caf\ufffd"


def test_files_are_the_regular_ones_only():
    old, new = "a" * 40, "b" * 40

    assert Line("x", "100755", "100644", old, new).files == (old, new)
    assert Line("x", "120000", "100644", old, new).files == (new,)
    assert Line("x", "100644", "000000", old, "0" * 40).files == (old,)
    assert Line("x", "160000", "120000", old, new).files == ()
