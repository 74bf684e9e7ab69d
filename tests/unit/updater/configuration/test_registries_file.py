"""registries.conf, key by key, strictly (specification 1.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.configuration import durations, registries_file
from updater.configuration.durations import DurationError
from updater.configuration.registries_file import RegistriesConfigurationError

BASE = {"name": "A", "api_url": "https://a.io"}


def text(*entries):
    """Return a registries.conf; JSON is YAML."""
    return (
        str({"registries": list(entries)})
        .replace("True", "true")
        .replace("False", "false")
        .replace("None", "null")
    )


def parse(**fields):
    """Return the only entry with these fields."""
    (entry,) = registries_file.parse(text(BASE | fields))
    return entry


@pytest.mark.parametrize("content", ["", "registries:", "registries: []", "# nothing\n", "{}"])
def test_parse_nothing_configured_is_fine(content):
    assert registries_file.parse(content) == ()


def test_parse_entry_has_the_defaults():
    entry = parse()

    assert (entry.name, entry.api_url, entry.prefix) == ("A", "https://a.io", "")
    assert (entry.credentials, entry.credentials_expire_seconds, entry.sort_mode) == (
        None,
        None,
        "",
    )
    assert (entry.insecure, entry.ca_file, entry.ca_pem) == (False, "", None)
    assert (entry.default_namespace, entry.limit, entry.is_default) == ("", 0.0, False)


@pytest.mark.parametrize(
    ("key", "value", "attribute", "expected"),
    [
        ("api_url", "https://a.io/", "api_url", "https://a.io"),
        ("api_url", "http://a.io:5000", "api_url", "http://a.io:5000"),
        ("api_url", "https://a.io/registry/", "api_url", "https://a.io/registry"),
        ("prefix", "a.io/x", "prefix", "a.io/x"),
        ("ping", True, "name", "A"),
        ("credentials", "env:X", "credentials", "env:X"),
        ("credentials", "ext:/x/y", "credentials", "ext:/x/y"),
        ("credentials", "", "credentials", None),
        ("credentials", None, "credentials", None),
        ("credsexpire", "1h30m", "credentials_expire_seconds", 5400.0),
        ("credsexpire", "0s", "credentials_expire_seconds", None),
        ("tagsortmode", "latest-last", "sort_mode", "latest-last"),
        ("tagsortmode", "LATEST-FIRST", "sort_mode", "latest-first"),
        ("tagsortmode", "none", "sort_mode", ""),
        ("tagsortmode", "", "sort_mode", ""),
        ("insecure", True, "insecure", True),
        ("insecure", "yes", "insecure", True),
        ("insecure", "Off", "insecure", False),
        ("ca_file", "/ca.pem", "ca_file", "/ca.pem"),
        ("defaultns", "library", "default_namespace", "library"),
        ("defaultns", "a/b_c", "default_namespace", "a/b_c"),
        ("limit", 0, "limit", 0.0),
        ("limit", 50, "limit", 50.0),
        ("default", True, "is_default", True),
    ],
)
def test_parse_documented_value_is_read(key, value, attribute, expected):
    assert getattr(parse(**{key: value}), attribute) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", ""),
        ("name", 5),
        ("api_url", ""),
        ("api_url", "a.io"),
        ("api_url", "ftp://a.io"),
        ("api_url", "https://"),
        ("api_url", "https://u:p@a.io"),
        ("api_url", "https://a.io?x"),
        ("api_url", "https://a.io#x"),
        ("api_url", "https://a.io:port"),
        ("api_url", "https://a io"),
        ("credentials", "nonsense"),
        ("credentials", "secret:ns/name"),
        ("credsexpire", "13"),
        ("credsexpire", "-1h"),
        ("credsexpire", 12),
        ("tagsortmode", "unsorted"),
        ("tagsortmode", "newest"),
        ("insecure", "maybe"),
        ("insecure", 1),
        ("ca_data", "no certificate"),
        ("defaultns", "Library"),
        ("defaultns", "../x"),
        ("limit", -1),
        ("limit", 10_001),
        ("limit", "20"),
        ("limit", 1.5),
        ("limit", True),
        ("default", "true "),
        ("colour", "red"),
        ("api-url", "https://a.io"),
    ],
)
def test_parse_other_value_is_refused_and_named(key, value):
    with pytest.raises(RegistriesConfigurationError) as caught:
        parse(**{key: value})

    assert key in str(caught.value)
    assert "registries[0]" in str(caught.value)


def test_parse_names_everything_that_is_wrong():
    with pytest.raises(RegistriesConfigurationError) as caught:
        registries_file.parse(text(BASE | {"limit": -1, "x": 1}, {"name": "B"}))

    message = str(caught.value)
    assert all(part in message for part in ("limit", "'x'", "registries[1] (B): api_url"))


@pytest.mark.parametrize(
    "content",
    [
        "registries: x",
        "registries: {a: 1}",
        "registries: [5]",
        "registry: []",
        "registries: []\nother: 1",
        "[]",
        "x",
        "registries: []\n---\nregistries: []",
        "registries: []\nregistries: []",
        "a: [",
        "\t",
        "[" * 5000,
        "? [a]\n: b",
        "!!python/object:os.system x",
        "x" * (1024 * 1024 + 1),
        "a: 2026-99-99",
        "\0",
    ],
    ids=lambda content: ascii(content[:30]),
)
def test_parse_other_document_is_refused(content):
    with pytest.raises(RegistriesConfigurationError, match=r"^registries\.conf: "):
        registries_file.parse(content)


def test_parse_two_defaults_are_refused():
    first, second = (
        BASE | {"default": True, "prefix": "a"},
        BASE | {"name": "B", "default": True, "prefix": "b"},
    )

    with pytest.raises(RegistriesConfigurationError, match="A and B"):
        registries_file.parse(text(first, second))


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_parse_two_empty_prefixes_are_refused(exact):
    with pytest.raises(RegistriesConfigurationError, match="'' is used twice"):
        registries_file.parse(text(BASE, BASE | {"name": "B"}), exact=exact)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("12h", 43_200.0),
        ("30m", 1800.0),
        ("1h30m", 5400.0),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("100ms", 0.1),
        ("", None),
        ("0", None),
    ],
)
def test_parse_seconds_go_duration_is_understood(duration, seconds):
    assert durations.parse_seconds(duration) == seconds


@pytest.mark.parametrize(
    "duration", ["1", "h", "1d", "1 h", "-1h", "+1h", "1h ", "1..5h", ".h", "9" * 400 + "h"]
)
def test_parse_seconds_other_text_is_refused(duration):
    with pytest.raises(DurationError):
        durations.parse_seconds(duration)


@given(st.text(max_size=80) | st.text(alphabet="registapu_ln: []{}-\n'\"&*!|>%@", max_size=60))
def test_parse_any_text_raises_only_the_documented_error(content):
    try:
        registries_file.parse(content)
    except RegistriesConfigurationError:
        return
