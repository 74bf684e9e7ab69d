"""Which style can hold a text, in block and in flow context."""

import pytest

from updater.overrides.go_yaml import styles
from updater.overrides.go_yaml.nodes import Style


@pytest.mark.parametrize(
    ("text", "wanted", "in_block", "in_flow"),
    [
        ("plain", Style.PLAIN, Style.PLAIN, Style.PLAIN),
        ("a,b", Style.PLAIN, Style.PLAIN, Style.SINGLE),
        ("a:b", Style.PLAIN, Style.PLAIN, Style.SINGLE),
        ("?a", Style.PLAIN, Style.PLAIN, Style.SINGLE),
        ("-a", Style.PLAIN, Style.PLAIN, Style.PLAIN),
        ("a #b", Style.PLAIN, Style.SINGLE, Style.SINGLE),
        ("", Style.PLAIN, Style.PLAIN, Style.SINGLE),
        ("a\tb", Style.SINGLE, Style.DOUBLE, Style.DOUBLE),
        ("a\n b", Style.SINGLE, Style.DOUBLE, Style.DOUBLE),
        ("a\nb\n", Style.LITERAL, Style.LITERAL, Style.DOUBLE),
        ("a \nb", Style.LITERAL, Style.DOUBLE, Style.DOUBLE),
        ("a ", Style.FOLDED, Style.DOUBLE, Style.DOUBLE),
        ("", Style.LITERAL, Style.DOUBLE, Style.DOUBLE),
    ],
)
def test_choose_falls_back_to_the_next_style_that_can_hold_the_text(
    text, wanted, in_block, in_flow
):
    assert styles.choose(text, wanted, is_flow=False, is_key=False) is in_block
    assert styles.choose(text, wanted, is_flow=True, is_key=False) is in_flow


@pytest.mark.parametrize(
    ("text", "style"),
    [("a\nb", Style.DOUBLE), ("", Style.SINGLE), ("a", Style.PLAIN)],
    ids=repr,
)
def test_choose_for_a_key_takes_one_line(text, style):
    assert styles.choose(text, Style.PLAIN, is_flow=False, is_key=True) is style
