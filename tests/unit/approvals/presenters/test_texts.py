import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.presenters.texts import visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("main-e1f492f", "main-e1f492f"),
        ("grün ✓ 漢字", "grün ✓ 漢字"),
        ("a\u202eb", "a⟨RIGHT-TO-LEFT OVERRIDE⟩b"),
        ("a\u200bb", "a⟨ZERO WIDTH SPACE⟩b"),
        ("a\x1b[31mb", "a⟨U+001B⟩[31mb"),
        ("a\rb", "a␍b"),
        ("a\tb\nc", "a\tb\nc"),
    ],
    ids=ascii,
)
def test_visible_writes_out_only_what_a_reader_would_not_see(text: str, expected: str):
    assert visible(text) == expected


@given(st.text())
def test_visible_property_nothing_hidden_is_left(text: str):
    shown = visible(text)

    assert not [
        sign for sign in shown if unicodedata.bidirectional(sign) in ("LRO", "RLO", "RLI", "LRI")
    ]
    assert not [sign for sign in shown if unicodedata.category(sign) == "Cc" and sign not in "\t\n"]
