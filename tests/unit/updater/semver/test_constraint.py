"""The constraint grammar: every row of specification 2.5.2 and what the library does beside it."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.semver import ConstraintError, parse_constraint, parse_version

# constraint, accepted, rejected: the specification's table, row by row
ROWS = [
    ("*", "1.0.0 0.0.1 99.0.0", "1.2.3-alpha 0.0.1-0"),
    ("x", "1.0.0", "1.0.0-alpha"),
    ("X", "1.0.0", "1.0.0-alpha"),
    ("", "1.0.0 0.0.1", "1.0.0-alpha"),
    ("1.2.3", "1.2.3 1.2.3+any v1.2.3", "1.2.4 1.2.2"),
    ("=1.2.3", "1.2.3 1.2.3+any", "1.2.4"),
    ("1.2", "1.2.0 1.2.99", "1.3.0 1.1.9"),
    ("=1.2", "1.2.0 1.2.99", "1.3.0"),
    ("1.2.x", "1.2.0 1.2.99", "1.3.0"),
    ("=2.0", "2.0.1", "2.1.0"),
    ("1", "1.0.0 1.99.99", "2.0.0 0.9.9"),
    ("1.x", "1.0.0 1.99.99", "2.0.0"),
    ("!=1.2.3", "1.2.4 0.1.0 2.0.0", "1.2.3 1.2.3+any"),
    ("!=1.x", "2.0.0 0.9.0", "1.4.0"),
    ("!=1", "2.0.0 0.9.0", "1.4.0"),
    ("!=1.2", "1.3.0 2.2.0", "1.2.0 1.2.9"),
    ("!=4.1-alpha", "4.1.0 4.2.0-alpha", "4.1.0-alpha 4.1.1-alpha"),
    (">11", "12.0.0", "11.0.0 11.1.0"),
    (">11.1", "11.2.0 12.0.0", "11.1.0 11.1.9"),
    (">11.1.0", "11.1.1", "11.1.0"),
    (">=11.1", "11.1.0 12.0.0", "11.0.9"),
    ("<1.1", "1.0.9", "1.1.0"),
    ("<=11", "11.9.9 11.0.0", "12.0.0"),
    ("<=1.1", "1.1.9 0.9.0", "1.2.0 2.0.0"),
    ("<=1.1.1", "1.1.1", "1.1.2"),
    ("~1.2.3", "1.2.3 1.2.99", "1.3.0 1.2.2"),
    ("~1.2", "1.2.0 1.2.9", "1.3.0"),
    ("~1", "1.0.0 1.99.0", "2.0.0"),
    ("~0.0.0", "0.0.0 0.0.1 5.6.7", "1.0.0-alpha"),
    ("~0.0", "0.0.9", "0.1.0"),
    ("^1.2.3", "1.2.3 1.99.0", "2.0.0 1.2.2"),
    ("^0.2.3", "0.2.3 0.2.99", "0.3.0 0.2.2"),
    ("^0.0.3", "0.0.3", "0.0.4 0.0.2"),
    ("^0.0", "0.0.9", "0.1.0"),
    ("^0", "0.9.9", "1.0.0"),
    ("1.1 - 2", "1.1.0 2.0.0 2.9.0", "1.0.9 3.0.0"),
    ("1.1-3", "1.1.0-3 1.1.0", "1.1.0-2 1.5.0 3.0.0"),
    (">=1.0 <2.0 || >=3.0", "1.5.0 3.1.0", "2.1.0"),
    (">=1.1 <2 || >3", "4.1.2", "3.1.2"),
    (">=1.0.0 <=2.0.0-beta || >3", "1.0.1-beta", "3.0.1-beta"),
    ("*-0", "1.2.3-alpha.1 3.4.5-beta.1 1.0.0", ""),
    (">=0.0.0-0", "1.2.3-alpha.1 3.4.5-beta.1 1.0.0", ""),
    ("~1.2.3-beta.2", "1.2.3-beta.4 1.2.4-beta.2", "1.3.4-beta.2 1.2.3-beta.1"),
    (">0-0", "", "0.0.1-alpha"),
    (">0.0-0", "", "0.0.1-alpha"),
    (">=1.2.3-0", "1.9.0-beta", "1.2.2"),
    ("~1.2-0", "1.2.0-rc.1 1.2.5-rc.1", "1.3.0-rc.1"),
    # spelling
    ("=>1", "1.0.0 2.0.0", "0.9.0"),
    ("=<1", "1.9.0", "2.0.0"),
    ("~>1.2", "1.2.3", "1.3.0"),
    ("v1.2", "1.2.3", "1.3.0"),
    (">= 1.0, < 2.0", "1.5.0", "2.0.0 0.9.0"),
    (">=1.0,<2.0", "1.5.0", "2.0.0"),
    (">=1.0 , <2.0", "1.5.0", "2.0.0"),
    (">=1.0\t<2.0", "1.5.0", "2.0.0"),
    ("  1.2.3  ", "1.2.3", "1.2.4"),
    ("1.0||2.0", "1.0.5 2.0.5", "1.1.0"),
    ("1.1 - 2 || 3 - 4", "1.5.0 3.5.0 4.9.0", "1.0.0 5.0.0"),
    ("1.1 - 2, <1.5", "1.4.0", "1.5.0"),
    # beside the table: what the library does with rarities
    ("x.1", "3.2.1", "1.0.0-a"),
    ("1.x.3", "1.0.0 1.9.9", "2.0.0"),
    ("x.1x", "3.2.1", ""),
    ("1-0", "1.2.3-alpha 1.0.0", "2.0.0-alpha"),
    ("^x", "0.0.0", "0.0.1 1.0.0"),
    ("!=*", "1.0.0", "0.0.0"),
    (">x", "0.0.1", "0.0.0"),
    ("1 - x", "", "1.0.0"),
    ("01.2.3", "1.2.3", "1.2.4"),
    ("1.2+b", "1.2.9", "1.3.0"),
]


@pytest.mark.parametrize(("constraint", "accepted", "rejected"), ROWS, ids=[row[0] for row in ROWS])
def test_check_follows_the_table(constraint, accepted, rejected):
    parsed = parse_constraint(constraint)

    verdicts = {
        text: parsed.check(parse_version(text)) for text in f"{accepted} {rejected}".split()
    }

    assert verdicts == {
        **dict.fromkeys(accepted.split(), True),
        **dict.fromkeys(rejected.split(), False),
    }


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("12.3.4.1234", id="four-parts"),
        pytest.param("foo", id="word"),
        pytest.param("latest", id="latest"),
        pytest.param(" ", id="blank"),
        pytest.param("1 || foo", id="bad-alternative"),
        pytest.param("1||", id="empty-alternative"),
        pytest.param("||", id="only-or"),
        pytest.param("1 | 2", id="single-bar"),
        pytest.param("> = 1", id="split-operator"),
        pytest.param("==1", id="two-equals"),
        pytest.param("~=1", id="unknown-operator"),
        pytest.param("!1", id="bare-not"),
        pytest.param(">=1.0<2.0", id="no-separator"),
        pytest.param(">=1,,<2", id="two-commas"),
        pytest.param("1,", id="comma-at-the-end"),
        pytest.param(",1", id="comma-at-the-start"),
        pytest.param("1 -2", id="half-a-hyphen-range"),
        pytest.param("1 - 2 - 3", id="two-hyphens"),
        pytest.param(">=1 - 2", id="operator-in-a-hyphen-range"),
        pytest.param("<5 1 - 2", id="hyphen-range-after-a-blank"),
        pytest.param("1xx", id="wildcard-with-number"),
        pytest.param("xx", id="two-wildcards"),
        pytest.param("V1", id="capital-v"),
        pytest.param("1.2-", id="empty-prerelease"),
        pytest.param("1.2.3-01", id="leading-zero-in-prerelease"),
        pytest.param("18446744073709551616", id="part-too-large"),
        pytest.param("1\u00a02", id="unicode-blank"),
        pytest.param("1\v2", id="vertical-tab"),
        pytest.param("=", id="operator-alone"),
        pytest.param("1" * 1025, id="longer-than-allowed"),
    ],
)
def test_parse_constraint_when_invalid_is_refused_with_the_text(text):
    with pytest.raises(ConstraintError, match="constraint") as caught:
        parse_constraint(text)

    assert repr(text[:20])[1:-1] in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("constraint", "version", "expected"),
    [
        pytest.param("^1.2", "1.3.0-rc.1", True, id="would-satisfy"),
        pytest.param("^1.2", "2.0.0-rc.1", False, id="would-not"),
        pytest.param("^1.2", "1.2.0-rc.1", False, id="below-the-release"),
    ],
)
def test_check_when_prereleases_are_let_in_compares_them(constraint, version, expected):
    assert parse_constraint(constraint).check(parse_version(version), prereleases=True) is expected


@given(
    st.text(alphabet="0123xX*v.-+|<>=~^!, \ta", max_size=60),
    st.sampled_from(["0.0.0", "1.2.3", "1.2.3-0", "3.1.0-alpha.1", "v2"]),
)
def test_check_of_whatever_parses_always_decides(text, version):
    try:
        constraint = parse_constraint(text)
    except ConstraintError:
        return

    assert constraint.check(parse_version(version)) in {True, False}


@given(st.text(max_size=100))
def test_parse_constraint_of_any_text_raises_only_its_own_error(text):
    try:
        constraint = parse_constraint(text)
    except ConstraintError:
        return

    assert constraint.text == text


@pytest.mark.parametrize(
    "text", [" " * 1024, "1 " * 512, "1 - " * 256, "1 - 2 " * 170, "1-" * 512, "x|" * 512]
)
def test_parse_constraint_of_the_greatest_length_takes_bounded_time(text):
    started = time.perf_counter()

    with contextlib.suppress(ConstraintError):
        parse_constraint(text)

    assert time.perf_counter() - started < 0.5
