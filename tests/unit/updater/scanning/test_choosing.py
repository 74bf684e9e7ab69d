"""What is missing, and what is offered: pure decisions for one image."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from updater.configuration.model import ImageConfiguration, KustomizeTarget
from updater.images import ImageReference
from updater.scanning.choosing import decide, missing
from updater.scanning.view import ImageView, StandingRefusal, live_references, tags_fingerprint
from updater.selection import Strategy, TagFacts

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAME = "registry.example/acme/app"


def digest(name):
    return "sha256:" + name.encode().hex().ljust(64, "0")


def fact(name, days=0, **changes):
    """A tag built so many days before now."""
    whole = TagFacts(name, digest(name), NOW - timedelta(days=days), ("linux/amd64",))
    return replace(whole, **changes)


def view(strategy=Strategy.NEWEST_BUILD, live=f"{NAME}:main-0", **changes):
    settings = {
        key: changes.pop(key) for key in list(changes) if key not in ("refusals", "sort_mode")
    }
    configuration = ImageConfiguration(
        alias="app",
        reference=ImageReference("registry.example", "acme/app"),
        strategy=strategy,
        **settings,
    )
    references = live_references([live] if isinstance(live, str) else live)
    return ImageView(1, configuration, "hash", references, **changes)


BUILDS = [fact("main-0", 3), fact("main-2", 1), fact("main-1", 2)]


def test_decide_with_a_newer_build_offers_it():
    decision = decide(view(), BUILDS, at=NOW)

    assert (decision.chosen.name, decision.is_offer, decision.is_downgrade) == (
        "main-2",
        True,
        False,
    )
    assert decision.reason.startswith("newest build")


@pytest.mark.parametrize(
    ("live", "is_offer"),
    [
        pytest.param(f"{NAME}:main-2", False, id="runs"),
        pytest.param(f"{NAME}:main-2@{digest('main-2')}", False, id="runs-pinned"),
        pytest.param(f"{NAME}:main-2@{digest('other')}", True, id="runs-other-digest"),
        pytest.param(f"{NAME}@{digest('main-2')}", False, id="runs-bare-digest"),
        pytest.param([f"{NAME}:main-1", f"{NAME}:main-2"], True, id="roll-out-under-way"),
    ],
)
def test_decide_compares_with_what_runs(live, is_offer):
    assert decide(view(live=live), BUILDS, at=NOW).is_offer is is_offer


def test_decide_with_strategy_digest_compares_with_the_stale_sibling():
    live = [f"{NAME}:latest@{digest('latest')}", f"{NAME}:latest@{digest('old')}"]
    one = view(Strategy.DIGEST, live, constraint="latest")

    assert decide(one, [fact("latest")], at=NOW).is_offer


def test_decide_with_a_kustomize_name_calls_another_image_an_update():
    one = view(live="other.example/app:main-2", kustomize=KustomizeTarget("other.example/app"))

    assert decide(one, BUILDS, at=NOW).is_offer


def test_decide_with_nothing_running_offers_nothing_unless_forced():
    assert not decide(view(live=[]), BUILDS, at=NOW).is_offer
    assert decide(view(live=[], force_update=True), BUILDS, at=NOW).is_offer


def test_decide_marks_a_downgrade_only_if_it_is_an_offer():
    older = [fact("main-0", 1), fact("main-1", 2)]

    assert decide(view(ignore_tags=("main-0",)), older, at=NOW).is_downgrade
    assert not decide(
        view(live=f"{NAME}:main-1", ignore_tags=("main-0",)), older, at=NOW
    ).is_downgrade


@pytest.mark.parametrize(
    ("until_newer", "expected"), [(False, ("main-1", True)), (True, ("main-1", False))]
)
def test_decide_with_the_newest_refused_takes_the_next_or_waits(until_newer, expected):
    refusal = StandingRefusal("main-2", digest("main-2"), until_newer, NOW - timedelta(days=1))

    decision = decide(view(refusals=(refusal,)), BUILDS, at=NOW)

    assert (decision.chosen.name, decision.is_offer) == expected


@pytest.mark.parametrize(
    ("strategy", "refused", "tags", "is_offer"),
    [
        (Strategy.SEMVER, "1.1.0", ["1.0.0", "1.1.0"], False),
        (Strategy.SEMVER, "1.1.0", ["1.0.0", "1.1.0", "1.2.0"], True),
        (Strategy.ALPHABETICAL, "b", ["a", "b"], False),
        (Strategy.ALPHABETICAL, "b", ["a", "b", "c"], True),
    ],
)
def test_decide_with_a_refusal_until_newer_follows_the_order_of_the_strategy(
    strategy, refused, tags, is_offer
):
    refusal = StandingRefusal(refused, digest(refused), until_newer=True)
    one = view(strategy, f"{NAME}:0.9.0", refusals=(refusal,))

    assert decide(one, [fact(tag) for tag in tags], at=NOW).is_offer is is_offer


def test_decide_r21_with_a_build_from_the_future_does_not_hold():
    decision = decide(view(), [*BUILDS, fact("main-9", -2)], at=NOW)

    assert (decision.chosen.name, decision.holds) == ("main-2", False)
    assert decide(view(), BUILDS, at=NOW).holds


def test_decide_with_a_bad_constraint_says_so():
    decision = decide(view(Strategy.SEMVER, constraint="not one"), BUILDS, at=NOW)

    assert (decision.chosen, decision.is_offer) == (None, False)
    assert decision.error


def test_missing_for_newest_build_is_every_unread_tag_that_is_admitted():
    facts = [*BUILDS, TagFacts("main-3"), TagFacts("feature-1")]

    names = missing(view(allow_tags="regexp:^main-"), facts, {"main-3", "feature-1"}, at=NOW)

    assert names == ["main-3"]


@pytest.mark.parametrize(
    ("unread", "live", "names"),
    [
        pytest.param({"1.0.0", "1.2.0"}, "1.0.0", ["1.2.0"], id="chosen"),
        pytest.param({"1.0.0", "1.1.0"}, "1.0.0", [], id="chosen-is-known"),
        pytest.param({"1.0.0", "1.2.0"}, "1.2.0", [], id="chosen-runs"),
    ],
)
def test_missing_for_semver_is_the_chosen_tag_if_it_is_an_update(unread, live, names):
    facts = [TagFacts(one) for one in ("1.0.0", "1.1.0", "1.2.0")]

    assert missing(view(Strategy.SEMVER, f"{NAME}:{live}"), facts, unread, at=NOW) == names


def test_missing_for_digest_is_the_followed_tag():
    one = view(Strategy.DIGEST, f"{NAME}:latest", constraint="latest")

    assert missing(one, [TagFacts("latest"), TagFacts("v1")], {"latest", "v1"}, at=NOW) == [
        "latest"
    ]
    assert missing(one, [TagFacts("v1")], {"v1"}, at=NOW) == []


def test_missing_with_a_sorted_registry_needs_no_dates():
    facts = [TagFacts("main-1", position=0), TagFacts("main-2", position=1)]

    assert missing(view(sort_mode="latest-first"), facts, {"main-1", "main-2"}, at=NOW) == [
        "main-1"
    ]


def test_missing_of_an_image_that_does_not_run_is_nothing():
    assert missing(view(live=[]), [TagFacts("main-1")], {"main-1"}, at=NOW) == []


def test_fingerprint_changes_with_everything_the_choice_hangs_on():
    base = view()
    marks = {
        base.fingerprint("tags"),
        base.fingerprint("other tags"),
        view(live=f"{NAME}:main-1").fingerprint("tags"),
        view(sort_mode="latest-last").fingerprint("tags"),
        view(refusals=(StandingRefusal("a", "b", until_newer=False),)).fingerprint("tags"),
        view(refusals=(StandingRefusal("a", "b", until_newer=True),)).fingerprint("tags"),
        replace(base, configuration_hash="changed").fingerprint("tags"),
    }

    assert len(marks) == 7
    assert view().fingerprint("tags") == base.fingerprint("tags")


def test_tags_fingerprint_looks_at_the_order_only_where_it_means_something():
    one, other = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}

    assert tags_fingerprint(one, is_ordered=False) == tags_fingerprint(other, is_ordered=False)
    assert tags_fingerprint(one, is_ordered=True) != tags_fingerprint(other, is_ordered=True)
    assert tags_fingerprint(one, is_ordered=False) != tags_fingerprint(
        {**one, "b": "3"}, is_ordered=False
    )


def test_live_references_passes_over_what_pods_cannot_mean():
    assert live_references(["a b", "", f"{NAME}:main-0", "x" * 9000]) == (
        ImageReference("registry.example", "acme/app", "main-0", None),
    )
