"""Commit objects and their messages as pure functions."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from updater.integrations.git import Signature, commits, with_trailers

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ME = Signature("Countersign", "countersign@example.com")
TREE = "ab" * 20


def payload(message="text", author=ME, at=AT):
    return commits.payload(
        tree=TREE, parent=None, author=author, committer=ME, at=at, message=message
    )


@pytest.mark.parametrize(
    ("name", "email", "line"),
    [
        ("Mei Tanaka", "mei@example.com", "Mei Tanaka <mei@example.com>"),
        ("A\nB <x@y>", "a@b", "A B x@y <a@b>"),
        ("\0", "a@b", "a <a@b>"),
        ("", "", "unknown <>"),
        (" .,;<> ", "a b@c", "ab <ab@c>"),
        ("\ud800Zoë", "z@e", "Zoë <z@e>"),
    ],
)
def test_signature_line_g27_is_clean(name, email, line):
    assert Signature(name, email).line(AT) == f"{line} 1795435200 +0000".encode()


def test_signature_line_g27_long_name_is_cut():
    assert len(Signature("n" * 10_000, "a@b").line(AT)) < 300


@given(st.text(), st.text())
def test_signature_line_g27_any_text_stays_on_one_line(name, email):
    line = Signature(name, email).line(AT)

    assert not set(line) & set(b"\n\0")
    assert (line.count(b"<"), line.count(b">")) == (1, 1)


def test_payload_same_moment_in_another_zone_is_the_same_object():
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))

    assert payload(at=elsewhere) == payload()


def test_payload_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        payload(at=AT.replace(tzinfo=None))


@pytest.mark.parametrize("message", ["a", "a\n", "\n\na\n\n\n", "a\r\n", "a\0"])
def test_payload_message_ends_in_one_line_end(message):
    assert payload(message).endswith(b"+0000\n\na\n")


def test_signed_folds_the_signature_into_one_header():
    armored = "-----BEGIN X-----\n\nabc\n-----END X-----\n"

    signed = commits.signed(payload(), armored)

    headers, _, message = signed.partition(b"\n\n")
    assert headers.endswith(b"gpgsig -----BEGIN X-----\n \n abc\n -----END X-----")
    assert message == b"text\n"


@pytest.mark.parametrize(
    "value",
    ["x\nPromotion-Id: other", "x\r\n\r\nSigned-off-by: y", "x\u2028y", "x\x00y", "[skip ci]\n"],
)
def test_with_trailers_g26_value_stays_one_line(value):
    message = with_trailers("subject", [("Promotion-Id", "p1"), ("Approved-by", value)])

    assert len(message.splitlines()) == 4
    assert message.startswith("subject\n\nPromotion-Id: p1\nApproved-by: ")


@given(st.text())
@example("\x1f")  # blank to Python, not to git
def test_with_trailers_g26_any_message_leaves_ours_last(body):
    lines = with_trailers(body, [("Promotion-Id", "p1")]).rstrip("\n").split("\n")

    assert lines[-2:] == ["", "Promotion-Id: p1"]
    assert lines[0].strip()


def test_with_trailers_strange_key_is_refused():
    with pytest.raises(ValueError, match="trailer key"):
        with_trailers("subject", [("Promotion Id", "p1")])
