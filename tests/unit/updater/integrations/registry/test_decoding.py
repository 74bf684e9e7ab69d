"""JSON from strangers."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.integrations.registry.decoding import decode_object
from updater.integrations.registry.errors import BadAnswerError, TooLargeError


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"tags": ["a"', id="r12-truncated"),
        pytest.param(b"<html>proxy error</html>", id="r12-html"),
        pytest.param(b"null", id="r12-null"),
        pytest.param(b"[]", id="r12-list"),
        pytest.param(b'{"a": 1, "a": 2}', id="r12-doubled-key"),
        pytest.param(b'{"a": {"b": 1, "b": 2}}', id="r12-doubled-key-below"),
        pytest.param(b'{"a": NaN}', id="r12-nan"),
        pytest.param(b'{"a": -Infinity}', id="r12-infinity"),
        pytest.param(b'{"a": ' + b"1" * 5000 + b"}", id="r13-long-integer"),
        pytest.param(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="r13-deep"),
        pytest.param(b'{"a": ' + b"[" * 200_000, id="r13-deeper"),
        pytest.param(b'{"a": "\xff"}', id="not-utf-8"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="utf-16"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', id="byte-order-mark"),
        pytest.param(b"", id="empty"),
    ],
)
def test_decode_object_with_a_bad_body_raises_its_error(body):
    with pytest.raises(BadAnswerError):
        decode_object(body, what="x")


def test_decode_object_with_too_many_values_refuses_before_parsing():
    with pytest.raises(TooLargeError):
        decode_object(b'{"a": [' + b"1," * 1000 + b"1]}", what="x", max_values=1000)


def test_decode_object_with_an_object_returns_it():
    assert decode_object(b'{"a": [1, "\xc3\xa9"]}', what="x") == {"a": [1, "é"]}


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0123ntrealsNaI-. ', max_size=100))
def test_decode_object_with_any_bytes_raises_nothing_but_its_error(body):
    raw = body if isinstance(body, bytes) else body.encode()

    with contextlib.suppress(BadAnswerError):
        assert isinstance(decode_object(raw, what="x"), dict)
