"""The version grammar and precedence: every row of specification 2.5.1."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.semver import VersionError, parse_version

LARGEST = 18446744073709551615


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1", (1, 0, 0, "", ""), id="major-alone"),
        pytest.param("1.2", (1, 2, 0, "", ""), id="no-patch"),
        pytest.param("v1.2.3", (1, 2, 3, "", ""), id="leading-v"),
        pytest.param("1.2.3-rc.1+build.5", (1, 2, 3, "rc.1", "build.5"), id="everything"),
        pytest.param("2024.01.05", (2024, 1, 5, "", ""), id="leading-zeros-dropped"),
        pytest.param("20240105", (20240105, 0, 0, "", ""), id="date-is-a-huge-major"),
        pytest.param("20240105123000", (20240105123000, 0, 0, "", ""), id="time-is-a-huge-major"),
        pytest.param("1234567", (1234567, 0, 0, "", ""), id="all-digit-commit"),
        pytest.param("20240105-abc123", (20240105, 0, 0, "abc123", ""), id="date-with-commit"),
        pytest.param("20221209-update-x", (20221209, 0, 0, "update-x", ""), id="date-with-words"),
        pytest.param("1.2-5", (1, 2, 0, "5", ""), id="dash-number"),
        pytest.param("1.2.3+build.01", (1, 2, 3, "", "build.01"), id="zeros-in-metadata"),
        pytest.param(f"{LARGEST}.0.0", (LARGEST, 0, 0, "", ""), id="largest-part"),
        pytest.param("1." + "0" * 100, (1, 0, 0, "", ""), id="many-zeros"),
        pytest.param("1.2.3--", (1, 2, 3, "-", ""), id="dash-as-identifier"),
        pytest.param("1.2.3-0a", (1, 2, 3, "0a", ""), id="zero-before-letter"),
        pytest.param("1.2.3-0", (1, 2, 3, "0", ""), id="zero-alone"),
    ],
)
def test_parse_version_when_valid_gives_parts(text, expected):
    version = parse_version(text)

    assert (
        version.major,
        version.minor,
        version.patch,
        version.prerelease,
        version.metadata,
    ) == expected
    assert version.original == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("V1.2.3", id="capital-v"),
        pytest.param("vv1", id="two-v"),
        pytest.param("release-1.2", id="word-before"),
        pytest.param("1.2.3.4", id="four-parts"),
        pytest.param("latest", id="word"),
        pytest.param("1.2.3-01", id="leading-zero-in-prerelease"),
        pytest.param("1.2.3-rc.00", id="double-zero-in-prerelease"),
        pytest.param("7e3a1b2", id="commit"),
        pytest.param("1.0.0-alpha_beta", id="underscore"),
        pytest.param("1.2.beta", id="word-as-patch"),
        pytest.param("1.0.0-alpha..1", id="empty-identifier"),
        pytest.param("1.2.3-", id="empty-prerelease"),
        pytest.param("1.2.3+", id="empty-metadata"),
        pytest.param(f"{LARGEST + 1}", id="part-too-large"),
        pytest.param(f"1.{LARGEST + 1}.0", id="minor-too-large"),
        pytest.param(f"1.0.{LARGEST + 1}", id="patch-too-large"),
        pytest.param("9" * 200, id="part-of-200-digits"),
        pytest.param("1" + "0" * 300, id="longer-than-allowed"),
        pytest.param("", id="empty"),
        pytest.param("v", id="only-v"),
        pytest.param(" 1.2", id="blank-before"),
        pytest.param("1.2\n", id="newline-after"),
        pytest.param("1..2", id="empty-part"),
        pytest.param("\u0661.\u0662", id="arabic-digits"),
    ],
)
def test_parse_version_when_invalid_is_refused_with_the_text(text):
    with pytest.raises(VersionError, match="is not a version") as caught:
        parse_version(text)

    assert repr(text)[:40] in str(caught.value)


@pytest.mark.parametrize(
    "ascending",
    [
        pytest.param(["1.0.0-alpha", "1.0.0"], id="prerelease-below-release"),
        pytest.param(["1.0.0-9", "1.0.0-10", "1.0.0-a"], id="number-below-word"),
        pytest.param(["1.0.0-rc10", "1.0.0-rc9"], id="rc10-below-rc9-as-text"),
        pytest.param(["1.0.0-rc.9", "1.0.0-rc.10"], id="rc-dot-9-below-rc-dot-10"),
        pytest.param(["1.0.0-alpha", "1.0.0-alpha.1"], id="fewer-identifiers-lower"),
        pytest.param(["1.0.0-A", "1.0.0-a"], id="ascii-order"),
        pytest.param(["1.9", "1.10", "2", "20240105"], id="by-value"),
        pytest.param(
            ["1-100000000000000000000", "1-99999999999999999999", "1-a"],
            id="above-64-bits-is-text",
        ),
        pytest.param(["1-5", "1-18446744073709551615", "1--"], id="number-up-to-64-bits"),
    ],
)
def test_precedence_orders_versions(ascending):
    precedences = [parse_version(text).precedence for text in ascending]

    assert precedences == sorted(precedences)
    assert len(set(precedences)) == len(precedences)


@pytest.mark.parametrize("other", ["1.0.0", "v1.0.0", "1.0", "1", "1.0.0+a", "1.0.0+b"])
def test_precedence_ignores_spelling_and_metadata(other):
    assert parse_version("1.0.0").precedence == parse_version(other).precedence


@given(st.text(alphabet="v0123456789.-+aZ_ \n", max_size=300) | st.text(max_size=300))
def test_parse_version_raises_only_its_own_error_in_bounded_time(text):
    started = time.perf_counter()

    try:
        version = parse_version(text)
    except VersionError:
        version = None

    assert time.perf_counter() - started < 0.5
    assert version is None or version.original == text
