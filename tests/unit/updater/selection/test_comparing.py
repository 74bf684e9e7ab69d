"""Whether what runs must change, and with what it is compared: specification 2.7, 2.8, 2.10."""

from datetime import UTC, datetime, timedelta

import pytest

from updater import images
from updater.selection import (
    Strategy,
    TagFacts,
    is_downgrade,
    is_update,
    live_to_compare,
    needs_digest,
    needs_metadata,
    new_value,
    old_value,
    written_tag,
)

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SEMVER, DIGEST = Strategy.SEMVER, Strategy.DIGEST


def running(text):
    return images.parse(text) if text else None


@pytest.mark.parametrize(
    ("live", "chosen", "strategy", "by_default", "exactly"),
    [
        pytest.param("app:1", TagFacts("1"), SEMVER, False, False, id="same-tag"),
        pytest.param("app:1", TagFacts("2"), SEMVER, True, True, id="other-tag"),
        pytest.param("app:2", TagFacts("1"), SEMVER, True, True, id="lower-tag-is-an-update-too"),
        pytest.param(None, TagFacts("1"), SEMVER, True, True, id="nothing-runs"),
        pytest.param("app", TagFacts("1"), SEMVER, True, True, id="no-tag-runs"),
        pytest.param("app:1", TagFacts("1", A), SEMVER, False, False, id="digest-known-only-here"),
        # a digest runs: upstream has it outdated for ever
        pytest.param(f"app:1@{A}", TagFacts("1", A), SEMVER, False, True, id="same-digest-runs"),
        pytest.param(f"app:1@{A}", TagFacts("1", B), SEMVER, True, True, id="other-digest-runs"),
        pytest.param(f"app:1@{A}", TagFacts("2", A), SEMVER, False, True, id="same-bytes-renamed"),
        pytest.param(f"app:1@{A}", TagFacts("1"), SEMVER, False, True, id="digest-not-known"),
        pytest.param(f"app:1@{A}", TagFacts("2"), SEMVER, True, True, id="other-tag-and-digest"),
        pytest.param(f"app@{A}", TagFacts("1"), SEMVER, True, True, id="only-a-digest-runs"),
        pytest.param(f"app@{A}", TagFacts("1", A), SEMVER, False, True, id="only-that-digest-runs"),
        # strategy digest
        pytest.param("app:latest", TagFacts("latest", A), DIGEST, True, True, id="first-pin"),
        pytest.param(f"app:latest@{A}", TagFacts("latest", A), DIGEST, False, False, id="pinned"),
        pytest.param(f"app:latest@{B}", TagFacts("latest", A), DIGEST, True, True, id="stale"),
        pytest.param(f"app@{A}", TagFacts("latest", A), DIGEST, False, False, id="bare-digest"),
        pytest.param(f"app:other@{A}", TagFacts("latest", A), DIGEST, False, False, id="by-digest"),
    ],
)
def test_is_update_compares_digests_if_there_are_any(live, chosen, strategy, by_default, exactly):
    assert is_update(running(live), chosen, strategy) is by_default
    assert is_update(running(live), chosen, strategy, exact=True) is exactly


@pytest.mark.parametrize(
    ("wanted", "by_default", "exactly"),
    [
        ("nginx", False, False),
        ("docker.io/nginx", False, True),
        ("ghcr.io/org/nginx", True, True),
        ("org/nginx", True, True),
    ],
)
def test_is_update_when_a_kustomize_name_stands_for_another_image(wanted, by_default, exactly):
    live, chosen, image = running("nginx:1"), TagFacts("1"), images.parse(wanted)

    assert is_update(live, chosen, SEMVER, wanted=image) is by_default
    assert is_update(live, chosen, SEMVER, wanted=image, exact=True) is exactly


@pytest.mark.parametrize(
    ("strategy", "live_tag", "live_created", "chosen", "expected"),
    [
        (Strategy.SEMVER, "2.5.0", None, TagFacts("1.4.9"), True),
        (Strategy.SEMVER, "1.4.8", None, TagFacts("1.4.9"), False),
        (Strategy.SEMVER, "v1.4.9", None, TagFacts("1.4.9"), False),
        (Strategy.SEMVER, "latest", None, TagFacts("1.4.9"), False),
        (Strategy.SEMVER, None, None, TagFacts("1.4.9"), False),
        (Strategy.ALPHABETICAL, "b", None, TagFacts("a"), True),
        (Strategy.ALPHABETICAL, "a", None, TagFacts("b"), False),
        (Strategy.ALPHABETICAL, None, None, TagFacts("b"), False),
        (Strategy.NEWEST_BUILD, "b", NOON, TagFacts("a", created=NOON - timedelta(1)), True),
        (Strategy.NEWEST_BUILD, "b", NOON, TagFacts("a", created=NOON), False),
        (Strategy.NEWEST_BUILD, "b", None, TagFacts("a", created=NOON), False),
        (Strategy.NEWEST_BUILD, "b", NOON, TagFacts("a"), False),
        (
            Strategy.NEWEST_BUILD,
            "b",
            NOON,
            TagFacts("a", created=NOON.replace(year=2020, tzinfo=None)),
            True,
        ),
        (Strategy.DIGEST, "a", NOON, TagFacts("a", created=NOON - timedelta(1)), True),
        (Strategy.DIGEST, "a", None, TagFacts("a"), False),
    ],
)
def test_is_downgrade_compares_as_the_strategy_sorts(
    strategy, live_tag, live_created, chosen, expected
):
    assert is_downgrade(live_tag, live_created, chosen, strategy) is expected


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        pytest.param([], None, id="nothing-runs"),
        pytest.param(["app:1"], "app:1", id="one"),
        pytest.param(["app:1", "app:latest"], "app:latest", id="tracked-tag-first"),
        pytest.param(
            [f"app:latest@{A}", f"app:latest@{B}"], f"app:latest@{B}", id="stale-among-tracked"
        ),
        pytest.param(
            [f"app:1@{B}", f"app:latest@{A}"], f"app:latest@{A}", id="tracked-though-current"
        ),
        pytest.param([f"app:1@{A}", f"app:2@{B}"], f"app:2@{B}", id="no-tracked-first-stale"),
        pytest.param([f"app:1@{A}", f"app:2@{A}"], f"app:1@{A}", id="none-stale-first"),
    ],
)
def test_live_to_compare_prefers_the_tracked_tag_then_the_stale_digest(live, expected):
    found = live_to_compare([images.parse(text) for text in live], tag="latest", digest=A)

    assert found == running(expected)


@pytest.mark.parametrize(
    ("live", "expected"),
    [("app:1", "1"), (f"app:1@{A}", A), (f"app@{A}", A), ("app", ""), (None, "")],
)
def test_old_value_names_the_digest_if_there_is_one(live, expected):
    assert old_value(running(live)) == expected


@pytest.mark.parametrize(
    ("strategy", "new", "written"),
    [(SEMVER, "1", "1"), (Strategy.NEWEST_BUILD, "1", "1"), (DIGEST, A, f"1@{A}")],
)
def test_new_value_and_written_tag_name_the_digest_for_strategy_digest(strategy, new, written):
    chosen = TagFacts("1", A)

    assert new_value(chosen, strategy) == new
    assert written_tag(chosen, strategy) == written


@pytest.mark.parametrize(
    ("strategy", "sort_mode", "metadata", "digest"),
    [
        (Strategy.SEMVER, "", False, False),
        (Strategy.ALPHABETICAL, "", False, False),
        (Strategy.NEWEST_BUILD, "", True, False),
        (Strategy.NEWEST_BUILD, "latest-first", False, False),
        (Strategy.NEWEST_BUILD, "latest-last", False, False),
        (Strategy.DIGEST, "", False, True),
        (Strategy.DIGEST, "latest-first", False, True),
    ],
)
def test_needs_metadata_and_digest_follow_the_strategy(strategy, sort_mode, metadata, digest):
    assert needs_metadata(strategy, sort_mode) is metadata
    assert needs_digest(strategy) is digest
