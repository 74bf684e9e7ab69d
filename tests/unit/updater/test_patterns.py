"""Tag expressions, globs and platforms: every row of specification 2.4 and the platform rows of 2.6."""

import contextlib
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater import patterns
from updater.patterns import PatternError


def quickest(call):
    # The best of five: a busy machine must not fail the test.
    return min(timeit.repeat(call, number=1, repeat=5))


@pytest.mark.parametrize("setting", [None, "", "any", "ANY", "Any"])
def test_allow_pattern_when_all_are_allowed_matches_everything(setting):
    pattern = patterns.allow_pattern(setting)

    assert pattern.matches("1.2.3")
    assert pattern.matches("")


@pytest.mark.parametrize(
    ("setting", "matching", "others"),
    [
        pytest.param("regexp:main", "main-1 xmainx", "Main", id="unanchored"),
        pytest.param("regexp:^main-[0-9a-f]{7}$", "main-e1f492f", "main-e1f492f1", id="anchored"),
        pytest.param("REGEXP:^a$", "a", "b", id="word-in-any-case"),
        pytest.param("Regexp:^a$", "a", "A", id="expression-keeps-its-case"),
        pytest.param("regexp:^(?:a|b):?$", "a b", "c", id="expression-with-colon"),
        pytest.param("regexp:", "a 1.2", "", id="empty-expression"),
        pytest.param("regexp:(?i)^MAIN", "main MAIN", "xmain", id="flag-i"),
        pytest.param(r"regexp:^\d+$", "12", "1a", id="digits"),
        pytest.param(r"regexp:^(?P<n>a)(?<m>b)$", "ab", "a", id="both-named-groups"),
        pytest.param(r"regexp:^a\z", "a", "ab", id="end-of-text"),
        pytest.param(r"regexp:a\\C", r"a\C", "aC", id="escaped-backslash-and-c"),
        pytest.param(r"regexp:\Qa.\C\E$", r"a.\C", "axC", id="quoted-c"),
        pytest.param(r"regexp:^\pL+$", "main", "1", id="unicode-class"),
        pytest.param("regexp:^[^/]{1,1000}$", "main", "", id="greatest-repetition"),
    ],
)
def test_allow_pattern_when_regexp_searches_as_go_does(setting, matching, others):
    pattern = patterns.allow_pattern(setting)

    assert [tag for tag in matching.split() if not pattern.matches(tag)] == []
    assert [tag for tag in others.split() if pattern.matches(tag)] == []


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        pytest.param("regexp:(?=a)b", "not valid RE2", id="look-ahead"),
        pytest.param("regexp:(?<!a)b", "not valid RE2", id="look-behind"),
        pytest.param(r"regexp:(a)\1", "not valid RE2", id="back-reference"),
        pytest.param("regexp:x{1001}", "not valid RE2", id="1001-times"),
        pytest.param("regexp:((a{100}){100}){100}", "not valid RE2", id="a-million-times"),
        pytest.param("regexp:(", "not valid RE2", id="open-group"),
        pytest.param("regexp:[a-", "not valid RE2", id="open-class"),
        pytest.param(r"regexp:a\Z", "not valid RE2", id="python-end-of-text"),
        pytest.param("regexp:a**", "not valid RE2", id="double-star"),
        pytest.param("regexp:(?x)a", "not valid RE2", id="flag-x"),
        pytest.param("regexp:" + "a" * 100_000, "longer than 1024 bytes", id="100-kb"),
        pytest.param("regexp:" + "é" * 513, "longer than 1024 bytes", id="1026-bytes"),
        pytest.param(r"regexp:\C", "holds", id="single-byte"),
        pytest.param(r"regexp:^\\\C", "holds", id="single-byte-after-backslash"),
        pytest.param(r"regexp:\Qa\E\C", "holds", id="single-byte-after-quote"),
        pytest.param(r"regexp:\pL{900}", "too large", id="too-much-memory"),
        pytest.param("regexp:\ud800", "not text", id="half-a-character"),
        pytest.param("foo", "write any or regexp:", id="word"),
        pytest.param("glob:x", "write any or regexp:", id="glob"),
        pytest.param(" any", "write any or regexp:", id="blank-before"),
        pytest.param("regex:^a", "write any or regexp:", id="misspelt"),
    ],
)
def test_allow_pattern_a20_when_bad_is_refused_and_never_matches_all(setting, message):
    with pytest.raises(PatternError, match=message) as caught:
        patterns.allow_pattern(setting)

    assert caught.value.code == "BAD_REGEX"
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("expression", "tag"),
    [
        pytest.param("^(a+)+$", "a" * 28 + "!", id="nested-plus"),
        pytest.param("^(a|a)*$", "a" * 127 + "!", id="same-alternatives"),
        pytest.param("(a?){200}a{200}", "a" * 128, id="optional-repetition"),
        pytest.param("(.*a.{400}){2}", "a" * 128, id="many-states"),
        pytest.param("(a*)*" * 200 + "!", "a" * 128, id="nested-star"),
    ],
)
def test_matches_a19_evil_expression_takes_under_ten_milliseconds(expression, tag):
    pattern = patterns.allow_pattern(f"regexp:{expression}")

    seconds = quickest(lambda: pattern.matches(tag))

    assert seconds < 0.01
    assert not pattern.matches(tag)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        pytest.param("*", "a 1.2.3", "a/b", id="star-stops-at-slash"),
        pytest.param("*-rc*", "1.0-rc1 -rc", "1.0-RC1 1.0", id="case-sensitive"),
        pytest.param("latest", "latest", "latest2 xlatest", id="whole-text"),
        pytest.param("v?", "v1", "v v12 v/", id="one-character"),
        pytest.param("[a-c]x", "ax cx", "dx abx", id="class"),
        pytest.param("[^a-c]x", "dx 1x", "ax", id="negated-class"),
        pytest.param("[!a]", "! a", "b", id="exclamation-is-literal"),
        pytest.param("[a^]", "a ^", "b", id="caret-later"),
        pytest.param(r"\*", "*", "a", id="escaped-star"),
        pytest.param(r"[\]a]", "] a", "b", id="escaped-bracket"),
        pytest.param(r"[\-a]", "- a", "b", id="escaped-dash"),
        pytest.param("[z-a]", "", "z a m", id="backward-range"),
        pytest.param("[^z-a]", "z a", "", id="negated-backward-range"),
        pytest.param("[*?]", "* ?", "a", id="wildcards-in-class"),
        pytest.param("**", "a", "a/b", id="double-star-is-a-star"),
        pytest.param("{a,b}", "{a,b}", "a b", id="braces-are-literal"),
        pytest.param("a.c", "a.c", "abc", id="dot-is-literal"),
        pytest.param("a+(b)|$^", "a+(b)|$^", "aab", id="expression-characters-are-literal"),
        pytest.param("regexp:^a", "regexp:^a", "a", id="no-regexp-here"),
        pytest.param("]", "]", "a", id="bracket-alone"),
        pytest.param("é?", "éa", "e", id="characters-not-bytes"),
    ],
)
def test_go_match_follows_filepath_match(pattern, matching, others):
    assert [text for text in matching.split() if not patterns.go_match(pattern, text)] == []
    assert [text for text in others.split() if patterns.go_match(pattern, text)] == []


def test_go_match_of_the_empty_pattern_matches_only_the_empty_text():
    assert patterns.go_match("", "")
    assert not patterns.go_match("", "a")


@pytest.mark.parametrize(
    "pattern",
    [
        "[",
        "[]",
        "[^]",
        "[a",
        "[a-",
        "[a-]",
        "[-a]",
        "[]a]",
        "\\",
        "a\\",
        "[\\",
        "a*[",
        pytest.param("a" * 1025, id="longer-than-allowed"),
        pytest.param("\ud800", id="half-a-character"),
    ],
)
def test_go_match_when_malformed_raises_whatever_the_text(pattern):
    with pytest.raises(PatternError, match="glob"):
        patterns.go_match(pattern, "z")


@pytest.mark.parametrize(
    "pattern", ["*a*a*a*a*a*a*a*b", "*a" * 500 + "b", "*" * 1000 + "b", "*?" * 500 + "b"]
)
def test_go_match_a22_many_stars_take_under_ten_milliseconds(pattern):
    compiled = patterns.glob(pattern)

    seconds = quickest(lambda: compiled.matches("a" * 128))

    assert seconds < 0.01
    assert not compiled.matches("a" * 128)


@pytest.mark.parametrize(
    ("wanted", "accepted", "rejected"),
    [
        pytest.param(
            ("linux/arm/v7", "linux/arm/v8"),
            "linux/arm/v7 linux/arm/v8",
            "linux/arm/v6 linux/arm linux/amd64 darwin/amd64",
            id="two-variants",
        ),
        pytest.param(
            ("linux/arm",),
            "linux/arm linux/arm/v7 linux/arm/v8",
            "linux/arm64 linux/amd64",
            id="any-variant",
        ),
        pytest.param((), "linux/arm windows/amd64 x", "", id="nothing-wanted"),
        pytest.param(("linux",), "", "linux linux/amd64", id="no-slash"),
        pytest.param(("",), "", "linux/amd64 linux/", id="empty"),
        pytest.param(("linux", "linux/amd64"), "linux/amd64", "linux/arm64", id="one-bad-one-good"),
        pytest.param(("a/b/c/d",), "", "a/b a/b/c a/b/c/d", id="four-parts"),
    ],
)
def test_platform_matches_follows_the_table(wanted, accepted, rejected):
    assert [text for text in accepted.split() if not patterns.platform_matches(wanted, text)] == []
    assert [text for text in rejected.split() if patterns.platform_matches(wanted, text)] == []


@given(st.text(alphabet=r"ab()[]{}*+?.^$|\-1,:Pi<>QEC", max_size=40) | st.text(), st.text())
def test_allow_pattern_of_any_expression_raises_only_its_own_error(expression, tag):
    try:
        pattern = patterns.allow_pattern(f"regexp:{expression}")
    except PatternError:
        return

    assert pattern.matches(tag) in {True, False}


@given(st.text(alphabet=r"ab*?[]^-\/", max_size=20) | st.text(max_size=40), st.text(max_size=20))
def test_go_match_of_any_pattern_raises_only_its_own_error(pattern, text):
    with contextlib.suppress(PatternError):
        assert patterns.go_match(pattern, text) in {True, False}


@given(st.text(alphabet="ab.-_1", min_size=1, max_size=128))
def test_go_match_of_a_text_without_special_characters_matches_itself_only(text):
    assert patterns.go_match(text, text)
    assert not patterns.go_match(text, f"{text}a")
    assert patterns.go_match(f"{text[:1]}*", text)
