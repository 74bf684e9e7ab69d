"""How a text is written: Go's table of specification 3.5, and our safer form of it."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from updater.overrides import scalars
from updater.overrides.go_yaml import reading

CALMLY = settings(deadline=None, max_examples=60)  # a busy machine is no failure
# Written by go.yaml.in/yaml/v3 3.0.6 as the value of a struct's field.
GO_TABLE = [
    ("20240105", '"20240105"'),
    ("0755", '"0755"'),
    ("089", '"089"'),
    ("1_000", '"1_000"'),
    ("0xdead", '"0xdead"'),
    ("1.20", '"1.20"'),
    ("1e3", '"1e3"'),
    ("0e12345", '"0e12345"'),
    (".5", '".5"'),
    ("5.", '"5."'),
    (".inf", '".inf"'),
    (".nan", '".nan"'),
    ("1234e56", '"1234e56"'),
    ("123e456", "123e456"),
    ("true", '"true"'),
    ("True", '"True"'),
    ("null", '"null"'),
    ("~", '"~"'),
    ("y", '"y"'),
    ("Yes", '"Yes"'),
    ("NO", '"NO"'),
    ("on", '"on"'),
    ("OFF", '"OFF"'),
    ("N", '"N"'),
    ("2024-01-05", '"2024-01-05"'),
    ("2024-1-5", '"2024-1-5"'),
    ("2024-13-45", "2024-13-45"),
    ("1:20", '"1:20"'),
    ("190:20:30", '"190:20:30"'),
    ("1.2.3", "1.2.3"),
    ("v1.2", "v1.2"),
    ("2024.01.05", "2024.01.05"),
    ("sha256-abc", "sha256-abc"),
    ("<<", '"<<"'),
    ("0o7", '"0o7"'),
    ("0b1", '"0b1"'),
    ("0b12", "0b12"),
    ("-0b1", '"-0b1"'),
    ("+1", '"+1"'),
    ("-1", '"-1"'),
    ("0x", "0x"),
    ("08", '"08"'),
    ("18446744073709551615", '"18446744073709551615"'),
    ("18446744073709551616", '"18446744073709551616"'),
    ("-9223372036854775809", '"-9223372036854775809"'),
    ("1e400", "1e400"),
    (".1_0", '".1_0"'),
    ("._1", "._1"),
    ("2001-12-14t21:59:43.10-05:00", '"2001-12-14t21:59:43.10-05:00"'),
    ("latest", "latest"),
    ("abc1234", "abc1234"),
    ("7e3a1b2", "7e3a1b2"),
    ("12345678", '"12345678"'),
    ("1234567e8", '"1234567e8"'),
    ("=", "="),
    ("-", "'-'"),
    ("-x", "-x"),
    ("?x", "?x"),
    (":x", ":x"),
    ("", '""'),
    ("2001-12-14 21:59:43", '"2001-12-14 21:59:43"'),
    ("@a", "'@a'"),
    ("*a", "'*a'"),
    ("&a", "'&a'"),
    ("!a", "'!a'"),
    ("%a", "'%a'"),
    ("a: b", "'a: b'"),
    ("a #b", "'a #b'"),
    (" a", "' a'"),
    ("a ", "'a '"),
    ("a\tb", '"a\\tb"'),
    ("- a", "'- a'"),
    ("it's", "it's"),
    ("a,b", "a,b"),
    ("[a", "'[a'"),
    (
        "latest@sha256:abababababababababababababababababababababababababababababababab",
        "latest@sha256:abababababababababababababababababababababababababababababababab",
    ),
    ("#a", "'#a'"),
    ("é", "é"),
    ("🎉", '"\\U0001F389"'),
    ("`a", "'`a'"),
    ("a:", "'a:'"),
    ("?", "'?'"),
]
# What Go leaves plain although a YAML 1.1 or 1.2 reader takes it for something else.
SAFER = [
    ("123e456", '"123e456"'),
    ("1e400", '"1e400"'),
    ("2024-13-45", '"2024-13-45"'),
    ("=", '"="'),
]
# Rows of A26.
HOSTILE_TAGS = ["no", "on", "yes", "off", "1.10", "0123", "1e3", "1234567e8", "null", "0x1F"]
HOSTILE_TAGS += ["2026-01-01", "y", "N", "1:20", "123e456", ".5", "+1", "~", "1_000", "=", "<<"]
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=30)
NUMBERISH = st.text("0123456789.eE+-_:xXobBT aZ", min_size=1, max_size=14)


def read_by_both(written):
    """Return what a YAML 1.1 and a YAML 1.2 reader make of a written scalar."""
    text = f"k: {written}\n"
    return yaml.safe_load(text)["k"], YAML(typ="safe", pure=True).load(text)["k"]


@pytest.mark.parametrize(("text", "written"), GO_TABLE, ids=[repr(text) for text, _ in GO_TABLE])
def test_as_go_table_writes_go_s_bytes(text, written):
    assert scalars.as_go(text) == written


@pytest.mark.parametrize(("text", "written"), SAFER, ids=[text for text, _ in SAFER])
def test_safe_when_a_reader_would_misread_is_quoted(text, written):
    assert scalars.safe(text) == written


@pytest.mark.parametrize("text", HOSTILE_TAGS)
def test_safe_a26_tag_is_double_quoted_and_read_as_text(text):
    written = scalars.safe(text)

    assert written == f'"{text}"'
    assert read_by_both(written) == (text, text)


@pytest.mark.parametrize("text", ["1.2.3", "v1", "main-1a2b3c4", "latest@sha256:" + "ab" * 32])
def test_safe_ordinary_tag_stays_plain(text):
    assert scalars.safe(text) == text


@CALMLY
@given(TEXTS | NUMBERISH)
def test_safe_any_text_is_read_back_by_both_readers(text):
    assert read_by_both(scalars.safe(text)) == (text, text)


@CALMLY
@given(TEXTS | NUMBERISH)
def test_safe_in_flow_any_text_is_read_back_by_both_readers(text):
    written = f"[{scalars.safe(text, is_flow=True)}, x]"

    assert read_by_both(written) == ([text, "x"], [text, "x"])


@CALMLY
@given(TEXTS | NUMBERISH)
def test_as_go_any_text_is_read_back_by_our_reader(text):
    node = reading.read(f"k: {scalars.as_go(text)}\n").root.find("k")

    assert node.value == text


@pytest.mark.parametrize(
    ("text", "present", "written"),
    [
        ("v2", "v1", "v2"),
        ("v2", "'v1'", "'v2'"),
        ("v2", '"v1"', '"v2"'),
        ("it's", "'v1'", "'it''s'"),
        ('a"b', '"v1"', '"a\\"b"'),
        ("1.20", "v1", '"1.20"'),
        ("1.20", "'v1'", "'1.20'"),
        ("a\nb", "'v1'", '"a\\nb"'),
        ("v2", "|\n  v1", "v2"),
    ],
)
def test_like_keeps_the_quotes_where_they_can_hold_the_text(text, present, written):
    node = reading.read(f"k: {present}\n").root.find("k")

    assert scalars.like(node, text, is_flow=False) == written


@pytest.mark.parametrize(
    ("present", "text", "expected"),
    [
        ("v1", "v1", True),
        ("1.20", "1.20", False),
        ("'1.20'", "1.20", True),
        ("!!str 1.20", "1.20", True),
        ("!!float '1.20'", "1.20", False),
        ("123e456", "123e456", False),
        ("v1", "v2", False),
    ],
)
def test_reads_back_tells_whether_every_reader_sees_the_text(present, text, expected):
    node = reading.read(f"k: {present}\n").root.find("k")

    assert scalars.reads_back(node, text) is expected


@pytest.mark.parametrize("text", ["v1.2", "1.2.3", "ghcr.io/acme/app", "1:20", "a:b"])
def test_can_be_patched_in_safe_plain_scalar_is_taken(text):
    assert scalars.can_be_patched_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\tb",
        "a\nb",
        "a: b",
        "a #b",
        " a",
        "a ",
        "a:",
        "1.20",
        "true",
        "null",
        "~",
        "2024-01-05",
    ]
    + [f"{sign}a" for sign in "!&*?|>%@`\"'#,[]{}-"]
    + ["yes", "no", "on", "off", "y", "n"],
)
def test_can_be_patched_in_unsafe_text_is_refused(text):
    assert not scalars.can_be_patched_in(text)
