"""Names of strategies: specification 1.1, A23."""

import pytest

from updater.selection import Strategy, StrategyError, parse_strategy


@pytest.mark.parametrize(
    ("text", "strategy"),
    [
        ("semver", Strategy.SEMVER),
        ("SemVer", Strategy.SEMVER),
        ("newest-build", Strategy.NEWEST_BUILD),
        ("latest", Strategy.NEWEST_BUILD),
        ("LATEST", Strategy.NEWEST_BUILD),
        ("alphabetical", Strategy.ALPHABETICAL),
        ("name", Strategy.ALPHABETICAL),
        ("Digest", Strategy.DIGEST),
    ],
)
def test_parse_strategy_reads_old_and_new_names_in_any_case(text, strategy):
    assert parse_strategy(text) is strategy


@pytest.mark.parametrize(
    "text", ["os.system", "LATEST ", "", "newest_build", "newest", "sem ver", "x" * 10_000]
)
def test_parse_strategy_a23_unknown_is_refused_unless_exact(text):
    with pytest.raises(StrategyError, match="use semver, newest-build") as caught:
        parse_strategy(text)

    assert caught.value.code == "BAD_STRATEGY"
    assert len(str(caught.value)) < 300
    assert parse_strategy(text, exact=True) is Strategy.SEMVER
