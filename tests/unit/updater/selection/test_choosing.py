"""What each strategy chooses: every row and trap of specification 2.5 to 2.7, R21."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.selection import Rules, Strategy, TagFacts, select

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SEMVER, NEWEST, ALPHABETICAL, DIGEST = (
    Strategy.SEMVER,
    Strategy.NEWEST_BUILD,
    Strategy.ALPHABETICAL,
    Strategy.DIGEST,
)


def named(text):
    return [TagFacts(name) for name in text.split()]


def built(name, hours=0, **facts):
    return TagFacts(name, created=NOON + timedelta(hours=hours), **facts)


def chosen_name(choice):
    return choice.chosen.name if choice.chosen else None


def reasons(choice):
    return {verdict.tag: verdict.reason for verdict in choice.verdicts}


UPSTREAM = "0.1 0.5.1 0.9 1.0 1.0.1 1.1.2 2.0.3"


@pytest.mark.parametrize(
    ("tags", "constraint", "expected"),
    [
        # the upstream table
        (UPSTREAM, None, "2.0.3"),
        (UPSTREAM, "", "2.0.3"),
        (UPSTREAM, "^1.0", "1.1.2"),
        (UPSTREAM, "~1.0", "1.0.1"),
        ("0.1 0.5.1 0.9 2.0.3", "~1.0", None),
        ("v2.2.0 v2.3.0-rc.0.18.g1abb7b5dd-ppc64le", None, "v2.2.0"),
        # a plain version is a constraint
        ("1.17.9 1.17.10 1.17.11", "1.17.10", "1.17.10"),
        ("1.19.9 1.20.0 1.20.7 1.21.0", "1.20", "1.20.7"),
        ("0.9 1.0 1.99.1 2.0", "1", "1.99.1"),
        # equal precedence: the last in byte order
        ("1.0 1.0.0 v1.0.0", None, "v1.0.0"),
        ("1.0.0 1.0", None, "1.0.0"),
        ("v1.0 v1.0.1 v2.0 v2.0.0 v2.0.2 v2.0.3", None, "v2.0.3"),
        ("v2.0.0 v2.0", None, "v2.0.0"),
        # tags that are no versions, or huge ones
        ("latest main-abc release-1.2 1.2.3.4", None, None),
        ("1.9.0 20240105", None, "20240105"),
        ("1.9.0 1234567 7e3a1b2", None, "1234567"),
        ("1.9.0 20240105-abc123 20221209-update-x 1.2-5", None, "1.9.0"),
        ("1.9.0 20240105", "<2", "1.9.0"),
        ("2024.01.05 2024.1.4", None, "2024.01.05"),
        # pre-releases
        ("1.0.0-rc.1", None, None),
        ("1.0.0-rc.1 1.0.0-rc.2", "*-0", "1.0.0-rc.2"),
        ("1.0.0-rc9 1.0.0-rc10", "*-0", "1.0.0-rc9"),
        ("1.0.0-rc.9 1.0.0-rc.10", "*-0", "1.0.0-rc.10"),
        ("1.0.0-rc.1 1.0.0", "*-0", "1.0.0"),
        ("1.2.0 1.9.0-beta", ">=1.2.3-0", "1.9.0-beta"),
        ("1.2.0 1.9.0-beta", ">=1.2", "1.2.0"),
        # blanks, commas, alternatives
        ("1.5 2.1 3.1", ">=1.0 <2.0 || >=3.0", "3.1"),
        ("1.5 2.1 3.1", ">=1.0, <2.0", "1.5"),
        ("", None, None),
        ("", "^1", None),
    ],
)
def test_select_semver_takes_the_highest_version_that_satisfies(tags, constraint, expected):
    for order in (named(tags), named(tags)[::-1]):
        choice = select(order, Rules(SEMVER, constraint))

        assert chosen_name(choice) == expected
        assert choice.error is None


@pytest.mark.parametrize("running", ["latest", "2.5.0", "main-abc", "", None])
def test_select_semver_running_tag_plays_no_role(running):
    choice = select(named(UPSTREAM), Rules(SEMVER, "^1.0"), running=running)

    assert chosen_name(choice) == "1.1.2"


@pytest.mark.parametrize("constraint", ["latest", "foo", "12.3.4.1234", "5000/app:^1", "^1 ||"])
@pytest.mark.parametrize("tags", [UPSTREAM, ""])
def test_select_semver_when_constraint_is_bad_is_an_error(constraint, tags):
    choice = select(named(tags), Rules(SEMVER, constraint))

    assert choice.chosen is None
    assert constraint in choice.error
    assert {verdict.verdict for verdict in choice.verdicts} <= {"rejected"}
    assert len(choice.verdicts) == len(tags.split())


def test_select_semver_gives_every_tag_the_rule_in_words():
    tags = named("1.0 1.0.0 1.1.0-rc.1 2.0.0 2.0.0-rc.1 latest 0.9 a b")

    choice = select([*tags[:-2], TagFacts("-bad")], Rules(SEMVER, "^1", ignore_tags=("0.*",)))

    assert reasons(choice) == {
        "1.0": "same version as 1.0.0, which is later in byte order",
        "1.0.0": "highest version that satisfies the constraint ^1",
        "1.1.0-rc.1": "pre-release, and the constraint ^1 does not ask for pre-releases",
        "2.0.0": "does not satisfy the constraint ^1",
        "2.0.0-rc.1": "does not satisfy the constraint ^1",
        "latest": "is not a version",
        "0.9": "ignored by 0.*",
        "-bad": "is not a valid tag name",
    }
    assert [verdict.verdict for verdict in choice.verdicts] == [
        "candidate",
        "chosen",
        *["rejected"] * 6,
    ]


def test_select_semver_without_constraint_says_so():
    choice = select(named("1.0 2.0-rc.1 0.9"), Rules())

    assert reasons(choice) == {
        "1.0": "highest release (no constraint is given)",
        "2.0-rc.1": "pre-release, and without a constraint only releases count",
        "0.9": "lower than 1.0",
    }


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("1.9 1.10", "1.9"),
        ("main-2 main-10", "main-2"),
        ("a B", "a"),
        ("2026-01-02 2026-01-10 2025-12-31", "2026-01-10"),
        ("", None),
    ],
)
def test_select_alphabetical_takes_the_last_in_byte_order(tags, expected):
    choice = select(named(tags), Rules(ALPHABETICAL, "^99"))

    assert chosen_name(choice) == expected
    assert choice.error is None


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        pytest.param([built("a", 1), built("b", 3), built("c", 2)], "b", id="latest-date"),
        pytest.param([built("a"), built("c"), built("b")], "c", id="equal-dates-by-text"),
        pytest.param(
            [TagFacts("a", created=datetime(1, 1, 1, tzinfo=UTC)), built("b", -9)],
            "b",
            id="year-1-is-oldest",
        ),
        pytest.param(
            [
                TagFacts("a", created=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
                TagFacts("b", created=datetime(9999, 12, 31, tzinfo=timezone(timedelta(hours=-9)))),
            ],
            "b",
            id="r21-ends-of-time-in-other-zones",
        ),
        pytest.param(
            [TagFacts("a", created=NOON.replace(hour=13, tzinfo=None)), built("b", 0)],
            "a",
            id="r21-no-zone-is-utc",
        ),
        pytest.param(
            [
                TagFacts(
                    "a", created=datetime(2026, 11, 20, 14, tzinfo=timezone(timedelta(hours=5)))
                ),
                built("b", 0),
            ],
            "b",
            id="zones-are-compared",
        ),
        pytest.param([built("1.0", 2), built("9.0", 1)], "1.0", id="constraint-ignored"),
        pytest.param([TagFacts("a"), built("b")], "b", id="unknown-date-not-chosen"),
        pytest.param([TagFacts("a")], None, id="nothing-known"),
        pytest.param([], None, id="empty"),
    ],
)
def test_select_newest_build_takes_the_latest_creation_date(tags, expected):
    for order in (tags, tags[::-1]):
        choice = select(order, Rules(NEWEST, "^9"))

        assert chosen_name(choice) == expected
        assert choice.error is None


def test_select_newest_build_gives_every_tag_the_rule_in_words():
    tags = [
        built("main-e1f492f", -2),
        built("main-e0", -2),
        built("main-a", -3, platforms=("linux/amd64",)),
        built("main-arm", -1, platforms=("linux/arm64", "linux/arm/v7")),
        TagFacts("main-x"),
    ]

    choice = select(tags, Rules(NEWEST, "^1"), running="main-a")

    assert reasons(choice) == {
        "main-e1f492f": (
            "newest build (built 2026-11-20 10:00); newest-build does not look at the constraint ^1"
        ),
        "main-e0": "built at the same time as main-e1f492f, which is later in byte order",
        "main-a": "older than main-e1f492f (built 2026-11-20 10:00); it runs now",
        "main-arm": ("has no image for linux/amd64, the default when no platforms are configured"),
        "main-x": "metadata not known: when it was built",
    }


@pytest.mark.parametrize(
    ("created", "words"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "built 0001-01-01 00:00"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), "built 0001-01-01 00:00"),
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))), "built 2025-12-31 22:00"),
        (NOON.replace(tzinfo=None), "built 2026-11-20 12:00"),
    ],
    ids=["year-1", "before-year-1-in-utc", "in-utc", "no-zone"],
)
def test_select_newest_build_r21_shows_any_date(created, words):
    choice = select([TagFacts("a", created=created)], Rules(NEWEST))

    assert choice.verdicts[0].reason == f"newest build ({words})"


@pytest.mark.parametrize(
    ("platforms", "offered", "expected"),
    [
        pytest.param((), ("linux/amd64",), "chosen", id="default"),
        pytest.param((), ("linux/amd64/v2",), "chosen", id="default-takes-variants"),
        pytest.param((), ("linux/arm64", "linux/amd64"), "chosen", id="default-among-others"),
        pytest.param((), ("linux/arm64",), "rejected", id="default-refuses-others"),
        pytest.param((), (), "rejected", id="default-known-to-have-none"),
        pytest.param((), None, "chosen", id="default-unknown-is-not-asked"),
        pytest.param(("linux/arm64",), ("linux/arm64",), "chosen", id="configured"),
        pytest.param(("linux/arm64",), ("linux/amd64",), "rejected", id="configured-other"),
        pytest.param(("linux/arm64",), None, "rejected", id="configured-unknown"),
        pytest.param(("linux/arm/v7",), ("linux/arm/v6", "linux/arm"), "rejected", id="variant"),
        pytest.param(("linux/arm",), ("linux/arm/v6",), "chosen", id="any-variant"),
        pytest.param(("linux",), ("linux/amd64",), "rejected", id="no-slash-matches-nothing"),
        pytest.param(("linux/arm64", "linux/amd64"), ("linux/amd64",), "chosen", id="one-of-two"),
    ],
)
def test_select_newest_build_wants_an_image_for_the_platform(platforms, offered, expected):
    choice = select([built("a", platforms=offered)], Rules(NEWEST, platforms=platforms))

    assert [verdict.verdict for verdict in choice.verdicts] == [expected]


@pytest.mark.parametrize("strategy", [SEMVER, ALPHABETICAL])
def test_select_without_metadata_strategies_do_not_look_at_platforms(strategy):
    choice = select([TagFacts("1.0", platforms=("linux/s390x",))], Rules(strategy))

    assert chosen_name(choice) == "1.0"


@pytest.mark.parametrize(
    ("minutes", "trusted"),
    [
        pytest.param(5, True, id="within-tolerance"),
        pytest.param(6, False, id="r21-six-minutes"),
        pytest.param(2 * 24 * 60, False, id="r21-two-days"),
    ],
)
def test_select_newest_build_r21_future_is_flagged_and_not_newest(minutes, trusted):
    tags = [TagFacts("new", created=NOON + timedelta(minutes=minutes)), built("old", -1)]

    choice = select(tags, Rules(NEWEST), at=NOON)

    assert chosen_name(choice) == ("new" if trusted else "old")
    assert ("future" in choice.verdicts[0].reason) is not trusted


@pytest.mark.parametrize("options", [{}, {"at": NOON, "exact": True}], ids=["no-clock", "exact"])
def test_select_newest_build_future_is_trusted_without_clock_or_exact(options):
    choice = select([built("new", 48), built("old", -1)], Rules(NEWEST), **options)

    assert chosen_name(choice) == "new"


@pytest.mark.parametrize(
    ("sort_mode", "expected"),
    [
        ("latest-first", "a"),
        ("latest-last", "c"),
        ("", "b"),
        ("none", "b"),
    ],
)
def test_select_newest_build_when_the_list_is_sorted_takes_the_place_as_date(sort_mode, expected):
    tags = [
        built("a", 1, position=0, platforms=("linux/s390x",) if sort_mode[:1] == "l" else None),
        built("b", 3, position=1),
        built("c", 2, position=2),
    ]

    choice = select(tags, Rules(NEWEST), sort_mode=sort_mode)

    assert chosen_name(choice) == expected


def test_select_newest_build_when_the_list_is_sorted_needs_the_place():
    choice = select(
        [TagFacts("a"), TagFacts("b", position=1), TagFacts("c", position=0)],
        Rules(NEWEST),
        sort_mode="latest-first",
    )

    assert reasons(choice) == {
        "a": "metadata not known: its place in the registry's list",
        "b": "older than c by its place in the registry's list (latest-first)",
        "c": "newest by its place in the registry's list (latest-first)",
    }


@pytest.mark.parametrize("sort_mode", ["latest-first", "latest-last"])
@pytest.mark.parametrize("strategy", [SEMVER, ALPHABETICAL])
def test_select_when_no_date_is_looked_at_the_sort_mode_is_of_no_use(strategy, sort_mode):
    tags = [TagFacts(name, position=place) for place, name in enumerate(["1.1", "1.2", "1.0"])]

    assert chosen_name(select(tags, Rules(strategy), sort_mode=sort_mode)) == "1.2"


def test_select_digest_takes_the_tag_to_follow():
    tags = [TagFacts("latest", digest="sha256:aa"), TagFacts("1.0", digest="sha256:bb")]

    choice = select(tags, Rules(DIGEST, "latest"))

    assert choice.chosen == tags[0]
    assert reasons(choice) == {
        "latest": "the tag to follow, now sha256:aa",
        "1.0": "is not the tag to follow, latest",
    }


@pytest.mark.parametrize(
    ("tag", "rules", "reason"),
    [
        pytest.param(
            TagFacts("latest"),
            Rules(DIGEST, "latest"),
            "metadata not known: its digest",
            id="unknown",
        ),
        pytest.param(
            TagFacts("latest", digest="sha256:aa", platforms=("linux/arm64",)),
            Rules(DIGEST, "latest"),
            "has no image for linux/amd64, the default when no platforms are configured",
            id="single-image-for-another-platform",
        ),
        pytest.param(
            TagFacts("latest", digest="sha256:aa"),
            Rules(DIGEST, "latest", ignore_tags=("l*",)),
            "ignored by l*",
            id="ignored",
        ),
        pytest.param(
            TagFacts("latest", digest="sha256:aa"),
            Rules(DIGEST, "latest", allow_tags="regexp:^1"),
            "does not match allow-tags regexp:^1",
            id="not-allowed",
        ),
        pytest.param(
            TagFacts("1.0", digest="sha256:aa"),
            Rules(DIGEST, "latest"),
            "is not the tag to follow, latest",
            id="not-in-the-list",
        ),
    ],
)
def test_select_digest_when_the_tag_cannot_be_used_chooses_nothing(tag, rules, reason):
    choice = select([tag], rules)

    assert choice.chosen is None
    assert choice.error is None
    assert [verdict.reason for verdict in choice.verdicts] == [reason]


def test_select_digest_of_an_index_does_not_look_at_platforms():
    tag = TagFacts("latest", digest="sha256:aa", platforms=("linux/arm64", "linux/s390x"))

    assert chosen_name(select([tag], Rules(DIGEST, "latest"))) == "latest"


@pytest.mark.parametrize("constraint", [None, ""])
def test_select_digest_without_constraint_is_an_error(constraint):
    choice = select([TagFacts("latest", digest="sha256:aa")], Rules(DIGEST, constraint))

    assert choice.chosen is None
    assert "without a version constraint" in choice.error
    assert [verdict.verdict for verdict in choice.verdicts] == ["rejected"]


@pytest.mark.parametrize("strategy", list(Strategy))
def test_select_passes_over_refused_digests_and_says_so(strategy):
    tags = [built("1.0", 1, digest="sha256:aa"), built("2.0", 2, digest="sha256:bb")]
    constraint = "2.0" if strategy is DIGEST else None

    choice = select(tags, Rules(strategy, constraint, refused=frozenset({"sha256:bb"})))

    assert chosen_name(choice) == (None if strategy is DIGEST else "1.0")
    assert choice.verdicts[1].verdict == "rejected"
    assert "refused before: sha256:bb is not offered again" in choice.verdicts[1].reason


@pytest.mark.parametrize(
    ("strategy", "constraint", "running", "is_marked"),
    [
        (SEMVER, "~1.4", "2.5.0", True),
        (SEMVER, "~1.4", "1.4.0", False),
        (SEMVER, "~1.4", "latest", False),
        (ALPHABETICAL, None, "9", True),
        (ALPHABETICAL, None, "1.4.2", False),
        (NEWEST, None, "2.5.0", True),
        (NEWEST, None, "gone", False),
    ],
)
def test_select_marks_a_downgrade(strategy, constraint, running, is_marked):
    tags = [built("1.4.2", 1), built("2.5.0", 2)]
    rules = Rules(strategy, constraint, ignore_tags=("2.*",))

    choice = select(tags, rules, running=running)

    assert chosen_name(choice) == "1.4.2"
    assert ("a downgrade from" in choice.verdicts[0].reason) is is_marked


def test_select_says_which_tag_runs():
    choice = select(named("1.0 1.1"), Rules(), running="1.1")

    assert choice.verdicts[1].reason == "highest release (no constraint is given); it runs now"


def test_select_a20_bad_expression_is_an_error_unless_exact():
    rules = Rules(allow_tags="regexp:(")

    choice, exactly = select(named("1.0"), rules), select(named("1.0"), rules, exact=True)

    assert choice.chosen is exactly.chosen is None
    assert "not valid RE2" in choice.error
    assert exactly.error is None
    assert choice.verdicts == exactly.verdicts


def test_select_when_exact_takes_a_tag_no_registry_could_hold():
    tags = named("1.2.3 1.2.4+build.01")

    assert chosen_name(select(tags, Rules())) == "1.2.3"
    assert chosen_name(select(tags, Rules(), exact=True)) == "1.2.4+build.01"


@pytest.mark.parametrize("strategy", list(Strategy))
def test_select_of_fifty_thousand_tags_takes_bounded_time(strategy):
    tags = [
        built(f"1.{i % 97}.{i}", i % 5000, digest=f"sha256:{i}", platforms=("linux/amd64",))
        for i in range(50_000)
    ]
    rules = Rules(strategy, "1.0.97", "regexp:^1", ("*-rc*",), refused=frozenset({"sha256:5"}))
    started = time.perf_counter()

    choice = select(tags, rules, running="1.0.0", at=NOON)

    assert time.perf_counter() - started < 5  # about half a second on a quiet machine
    assert choice.chosen is not None
    assert len(choice.verdicts) == 50_000


FACTS = st.builds(
    TagFacts,
    st.text(alphabet="01.v-rc+a", max_size=8) | st.text(max_size=5),
    st.none() | st.just("sha256:aa"),
    st.none() | st.datetimes(timezones=st.none() | st.just(UTC)),
    st.none() | st.lists(st.sampled_from(["linux/amd64", "x", ""]), max_size=2).map(tuple),
    st.none() | st.integers(),
)
RULES = st.builds(
    Rules,
    st.sampled_from(Strategy),
    st.none() | st.text(alphabet="01.^~><= *x-a", max_size=6),
    st.none() | st.text(alphabet="ab(", max_size=3).map("regexp:{}".format),
    st.lists(st.text(alphabet="1*?[\\", max_size=3), max_size=2).map(tuple),
)


@given(
    st.lists(FACTS, max_size=6),
    RULES,
    st.none() | st.text(max_size=5),
    st.sampled_from(["", "latest-first", "latest-last"]),
    st.booleans(),
)
def test_select_of_anything_never_raises_and_judges_every_tag(
    tags, rules, running, sort_mode, exact
):
    choice = select(tags, rules, running=running, sort_mode=sort_mode, at=NOON, exact=exact)

    assert len(choice.verdicts) == len(tags)
    assert {verdict.verdict for verdict in choice.verdicts} <= {"chosen", "candidate", "rejected"}
    assert choice.chosen is None or choice.chosen in tags
    assert all(verdict.reason for verdict in choice.verdicts)
    assert (choice.chosen is not None) == any(
        verdict.verdict == "chosen" for verdict in choice.verdicts
    )
