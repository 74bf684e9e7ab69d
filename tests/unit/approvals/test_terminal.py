"""What commands print of strangers' words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.management.terminal import plain


@given(st.text())
def test_plain_of_any_text_is_one_printable_line(text):
    assert plain(text).isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], include_characters=" ")))
def test_plain_of_a_printable_text_is_the_text(text):
    kept = "".join(sign for sign in text if sign.isprintable())

    assert plain(kept) == kept


@pytest.mark.parametrize(
    ("text", "shown"),
    [("\x1b[2J", "\\x1b[2J"), ("a\nb", "a\\nb"), ("\u202eb", "\\u202eb"), ("é → b", "é → b")],
)
def test_plain_spells_out_what_moves_a_terminal(text, shown):
    assert plain(text) == shown
