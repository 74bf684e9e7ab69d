"""Which tags are looked at at all: specification 2.4, A20, R15."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.selection import Rules, Strategy, admit

TAGS = ["1.0", "1.0-rc1", "main-abc", "latest", "MAIN-1"]


@pytest.mark.parametrize(
    ("rules", "admitted"),
    [
        pytest.param(Rules(), TAGS, id="no-rules"),
        pytest.param(Rules(allow_tags=""), TAGS, id="empty-allow"),
        pytest.param(Rules(allow_tags="Any"), TAGS, id="any"),
        pytest.param(Rules(allow_tags="regexp:ain"), ["main-abc"], id="unanchored"),
        pytest.param(Rules(allow_tags="regexp:(?i)^main"), ["main-abc", "MAIN-1"], id="flag"),
        pytest.param(Rules(allow_tags="regexp:("), [], id="bad-expression"),
        pytest.param(Rules(allow_tags="foo"), [], id="no-kind"),
        pytest.param(Rules(allow_tags="glob:*"), [], id="unknown-kind"),
        pytest.param(
            Rules(ignore_tags=("*-rc*", "latest")), ["1.0", "main-abc", "MAIN-1"], id="ignored"
        ),
        pytest.param(Rules(ignore_tags=("main-*",)), TAGS[:2] + TAGS[3:], id="ignore-keeps-case"),
        pytest.param(Rules(ignore_tags=("[", "lat\\")), TAGS, id="malformed-ignores-nothing"),
        pytest.param(Rules(ignore_tags=("[", "latest")), TAGS[:3] + TAGS[4:], id="others-work-on"),
        pytest.param(Rules(ignore_tags=("",)), TAGS, id="empty-ignores-nothing"),
        pytest.param(Rules(ignore_tags=("regexp:.*",)), TAGS, id="no-regexp-in-ignore"),
        pytest.param(
            Rules(allow_tags="regexp:^1", ignore_tags=("*-rc*",)), ["1.0"], id="allow-and-ignore"
        ),
        pytest.param(Rules(Strategy.DIGEST, "latest"), ["latest"], id="digest-follows-one-tag"),
        pytest.param(Rules(Strategy.DIGEST, "Latest"), [], id="digest-keeps-case"),
        pytest.param(
            Rules(Strategy.DIGEST, "latest", ignore_tags=("latest",)), [], id="digest-ignored"
        ),
        pytest.param(Rules(Strategy.DIGEST), [], id="digest-without-tag"),
        pytest.param(Rules(Strategy.SEMVER, "^9"), TAGS, id="constraint-is-no-name-rule"),
    ],
)
def test_admit_keeps_allowed_tags_in_their_order(rules, admitted):
    kept, verdicts = admit(TAGS, rules)

    assert kept == admitted
    assert sorted([*kept, *(verdict.tag for verdict in verdicts)]) == sorted(TAGS)
    assert {verdict.verdict for verdict in verdicts} <= {"rejected"}


@pytest.mark.parametrize(
    ("rules", "tag", "reason"),
    [
        (Rules(allow_tags="regexp:^main"), "1.0", "does not match allow-tags regexp:^main"),
        (Rules(ignore_tags=("*-rc*",)), "1.0-rc1", "ignored by *-rc*"),
        (Rules(Strategy.DIGEST, "latest"), "1.0", "is not the tag to follow, latest"),
        (Rules(Strategy.DIGEST), "1.0", "no tag to follow is given"),
    ],
)
def test_admit_names_the_rule(rules, tag, reason):
    _, verdicts = admit([tag], rules)

    assert [verdict.reason for verdict in verdicts] == [reason]


@pytest.mark.parametrize(
    "setting",
    ["regexp:(?=a)b", r"regexp:(a)\1", "regexp:x{1001}", "regexp:(", "regexp:" + "a" * 100_000],
)
def test_admit_a20_bad_expression_lets_nothing_pass_and_says_why(setting):
    kept, verdicts = admit(["a", "ab", "x"], Rules(allow_tags=setting))

    assert kept == []
    assert all(verdict.reason.startswith("no tag is allowed: expression") for verdict in verdicts)


@pytest.mark.parametrize(
    "tag",
    ["../../x", "-rf", "a" * 129, "a b", "<script>", "v1\u202egnp", "", "v1\n", "1.2.3+build", "é"],
)
def test_admit_r15_invalid_tag_is_dropped_and_shown_harmlessly(tag):
    kept, verdicts = admit([tag, "good"], Rules())

    assert kept == ["good"]
    assert verdicts[0].reason == "is not a valid tag name"
    assert verdicts[0].tag.isascii()
    assert len(verdicts[0].tag) <= 128
    assert "\n" not in verdicts[0].tag


def test_admit_when_exact_takes_names_no_registry_could_hold():
    kept, _ = admit(["1.2.3+build"], Rules(), exact=True)

    assert kept == ["1.2.3+build"]


@given(st.lists(st.text(max_size=20), max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_admit_of_any_text_gives_every_tag_one_fate(tags, allow, ignore):
    rules = Rules(allow_tags=f"regexp:{allow}", ignore_tags=(ignore,))

    kept, verdicts = admit(tags, rules)

    assert len(kept) + len(verdicts) == len(tags)
