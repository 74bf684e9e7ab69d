"""A hold wins over every combination of the other facts, but for a way out whose rule passes holds."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from approvals.policy import EMERGENCY, NORMAL, ROLLBACK, gating, resolving
from approvals.policy.document import Document
from approvals.policy.surroundings import DigestFact, HoldFact, Surroundings, UpstreamFact

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
moments = some.integers(-500, 500).map(lambda hours: NOON + timedelta(hours=hours))
overrides = some.sets(some.sampled_from(["window", "soak", "upstream", "hold"])).map(sorted)
windows = some.sampled_from(
    [
        [],
        [{"name": "w", "cron": "0 0 * * *", "duration": "24h", "zone": "UTC"}],
        [{"name": "w", "cron": "0 9 * * *", "duration": "1h", "zone": "Europe/Berlin"}],
    ]
)
QUORUM = [{"name": "one", "role": "approver"}]


@some.composite
def rules(draw):
    """Return a rule for everything, and what it lets each way out pass."""
    passes = {"emergency": draw(overrides), "rollback": draw(overrides)}
    rule = {
        "name": "all",
        "soak": draw(some.sampled_from(["0s", "2h", "9d"])),
        "upstream": draw(some.sampled_from([[], [{"application": "argocd/staging", "for": "2h"}]])),
        "two_writers": draw(some.sampled_from(["warn", "refuse"])),
        "windows": {"allow": draw(windows), "deny": draw(windows)},
        "emergency": {"approvals": QUORUM, "overrides": passes["emergency"]},
        "rollback": {"approvals": QUORUM, "overrides": passes["rollback"]},
    }
    return rule, passes


@some.composite
def surroundings(draw):
    """Return any facts, with at least one hold that stands."""
    holds = draw(
        some.lists(
            some.builds(
                HoldFact,
                target=some.sampled_from(["everything", "argocd/checkout"]),
                reason=some.text(min_size=1, max_size=20),
                by=some.just("mei"),
                at=moments,
                until=some.none() | some.just(NOON + timedelta(hours=1)),
            ),
            min_size=1,
            max_size=3,
        )
    )
    state = draw(some.sampled_from(["healthy", "unhealthy", "other", "missing"]))
    return Surroundings(
        at=NOON,
        start_by=draw(moments),
        digest=DigestFact(draw(some.sampled_from(["same", "moved", "gone", "unseen"])), at=NOON),
        mode=draw(some.sampled_from([NORMAL, ROLLBACK, EMERGENCY])),
        holds=tuple(holds),
        first_seen_at=draw(some.none() | moments),
        upstream={"argocd/staging": UpstreamFact(state, "runs it", draw(some.none() | moments))},
        writers=tuple(draw(some.sets(some.sampled_from(["Image Updater", "Renovate"])))),
        sealed_version=draw(some.sampled_from(["", "a", "b"])),
        current_version="a",
        closed=draw(some.sampled_from(["", "no policy stands"])),
    )


@given(rules(), surroundings())
def test_hold_wins_over_every_combination_unless_the_way_out_passes_holds(stated, around):
    rule, passes = stated
    document = Document.model_validate({"version": 1, "rules": [rule]}, strict=False)
    effective = resolving.resolve(document, resolving.NOWHERE)

    gates = {gate.key: gate for gate in gating.judge(effective, around)}

    assert gates["hold"].is_open == ("hold" in passes.get(around.mode, []))
    assert gates["hold"].verdict in ("block", "wait", "override")
    if gates["hold"].verdict == "wait":
        assert gates["hold"].changes_at == NOON + timedelta(hours=1)
