"""What yaml.v3 takes a plain scalar for; the rows were asked of go.yaml.in/yaml/v3 3.0.6."""

import pytest

from updater.overrides.go_yaml import resolving

TAGS = {
    "!!int": ["20240105", "0755", "1_000", "0xdead", "-0b1", "+1", "0o7"],
    "!!float": ["089", "1.20", "1e3", "0e12345", ".5", "5.", ".inf", "-.INF", ".nan", "1234e56", ".1_0"],
    "!!bool": ["true", "True", "FALSE"],
    "!!null": ["", "~", "null", "NULL"],
    "!!timestamp": ["2024-01-05", "2024-1-5", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43"],
    "!!merge": ["<<"],
    "!!str": [
        "1.2.3", "v1.2", "2024.01.05", "yes", "no", "1:20", "123e456", "1e400", "0b12", "0x", "._1",
        "2024-13-45", "sha256-abc", "7e3a1b2", "2001-1-1t1:2:3+25:00", "tRUE", "-", "+",
    ],
}  # fmt: skip
ROWS = [(text, tag) for tag, texts in TAGS.items() for text in texts]
# beyond 64 bits a whole number is a float
ROWS += [("18446744073709551615", "!!int"), ("18446744073709551616", "!!float")]
ROWS += [("-9223372036854775808", "!!int"), ("-9223372036854775809", "!!float")]


@pytest.mark.parametrize(("text", "tag"), ROWS, ids=[repr(text) for text, _ in ROWS])
def test_resolve_table_gives_go_s_tag(text, tag):
    assert resolving.resolve(text) == tag
