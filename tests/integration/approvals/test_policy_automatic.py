"""Approval without a person: only where every condition is known and holds, and never for what was open before."""

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals import policy
from approvals.models import PolicyVersion, Promotion
from tests import builders

RULE = "rules: [{name: staging, auto_approve: {bump: patch, strategies: [semver]}}]"


def _promotion(old="v1.2.3", new="v1.2.4", *, application=None, strategy="semver", **changes):
    image = builders.make_tracked_image(application, live_tag=old)
    image.configuration["strategy"] = strategy
    image.save()
    candidate = builders.make_candidate(image, new, is_downgrade=changes.pop("is_downgrade", False))
    return builders.make_promotion(candidate, **changes)


def _automatic(promotion):
    row = Promotion.objects.with_target().get(pk=promotion.pk)
    return policy.auto_approves(row, at=timezone.now())


def test_auto_approves_what_meets_every_condition_and_names_the_rule(stand):
    stand(RULE)

    rule = _automatic(_promotion())

    assert rule == (
        "version rises by patch at most, strategy is semver, no downgrade, the Application is healthy "
        "(rule staging)"
    )


def test_auto_approves_nothing_without_a_policy_file(db):
    assert _automatic(_promotion()) is None


BUMPS = {
    "patch": ("1.2.3", "1.2.4", True),
    "minor": ("1.2.3", "1.3.0", False),
    "major": ("1.2.3", "2.0.0", False),
    "the same": ("1.2.3", "1.2.3", False),
    "other metadata": ("1.2.3+a", "1.2.3+b", False),
    "down": ("1.2.3", "1.2.2", False),
    "pre-release": ("1.2.3", "1.2.4-rc.1", False),
    "from a pre-release": ("1.2.4-rc.1", "1.2.4", True),
    "no version now": ("main-aaaaaaa", "1.2.4", False),
    "no version then": ("1.2.3", "main-aaaaaaa", False),
    "nothing runs": ("", "1.2.4", False),
}


@pytest.mark.parametrize(("old", "new", "expected"), BUMPS.values(), ids=BUMPS)
def test_auto_approves_only_versions_that_rise_by_that_much(old, new, expected, stand):
    stand(RULE)

    assert bool(_automatic(_promotion(old, new))) == expected


def _unhealthy():
    return {"application": builders.make_application(health_status="Degraded")}


def _unseen():
    seen = timezone.now() - timedelta(hours=1)
    return {"application": builders.make_application(seen_at=seen)}


REFUSED = {
    "other strategy": dict,
    "asked for by a person": lambda: {"requested_by": "mei"},
    "rollback": lambda: {"kind": "rollback"},
    "chosen": lambda: {"kind": "chosen"},
    "decided": lambda: {"status": "APPROVED"},
    "expired": lambda: {"expires_at": timezone.now() - timedelta(seconds=1)},
    "unwritable": lambda: {"plan": {"error": "no such file", "edits": []}},
    "downgrade": lambda: {"is_downgrade": True},
    "unhealthy": _unhealthy,
    "not seen lately": _unseen,
}


@pytest.mark.parametrize(("name", "changes"), REFUSED.items(), ids=REFUSED)
def test_auto_approves_not_what_a_person_must_see(name, changes, stand):
    stand(RULE)
    strategy = "newest-build" if name == "other strategy" else "semver"

    assert _automatic(_promotion(strategy=strategy, **changes())) is None


def test_auto_approves_nothing_that_was_open_before_the_policy(stand):
    stand("")
    promotion = _promotion()
    stand(RULE)
    # The database's clock stands still in a test's transaction.
    PolicyVersion.objects.current().update(loaded_at=timezone.now())

    assert _automatic(promotion) is None
    assert _automatic(_promotion())


def test_auto_approves_only_under_the_conditions_of_every_rule(stand):
    stand(RULE[:-1] + ', {name: tags, auto_approve: {tags: ["v1.2.*"]}}]')

    inside, outside = _automatic(_promotion()), _automatic(_promotion("v1.3.0", "v1.3.1"))

    assert inside.endswith("(rule staging, tags)")
    assert outside is None


def test_auto_approves_nothing_where_a_rule_says_never(stand):
    stand(RULE[:-1] + ", {name: payments, auto_approve: never}]")

    assert _automatic(_promotion()) is None


def test_auto_approves_nothing_while_no_policy_can_be_read(stand):
    stand("rules: [")

    assert _automatic(_promotion()) is None


def _judged(promotion):
    row = Promotion.objects.with_target().get(pk=promotion.pk)
    return policy.judge_alone([row], at=timezone.now())[promotion.pk]


OBJECTIONS = {
    "bump": (lambda: _promotion("1.2.3", "1.3.0"), "1.2.3 → 1.3.0 rises by minor, more than by patch."),
    "no version": (lambda: _promotion("1.2.3", "main-1"), "1.2.3 → main-1 is not a version that rises."),
    "strategy": (lambda: _promotion(strategy="alphabetical"), "Its strategy is alphabetical."),
    "health": (lambda: _promotion(**_unhealthy()), "The Application is Degraded."),
    "changed": (lambda: _promotion(revision=2), "It changed since it was proposed."),
    "person": (lambda: _promotion(requested_by="mei"), "A person asked for it."),
}  # fmt: skip


@pytest.mark.parametrize(("make", "objection"), OBJECTIONS.values(), ids=OBJECTIONS)
def test_judge_alone_says_what_speaks_against_it(make, objection, stand):
    stand(RULE)

    assert _judged(make()).objection == objection


def test_judge_alone_says_how_old_the_last_look_is(stand):
    stand(RULE)

    objection = _judged(_promotion(**_unseen())).objection

    assert objection == "The Application was last seen 1h ago, so its health is not known."


BAD_ENDS = {
    "FAILED": {},
    "REJECTED": {"ended_by": "mei"},
    "ABORTED": {},
    "WITHDRAWN": {"ended_by": "mei"},
}


@pytest.mark.parametrize(("status", "changes"), BAD_ENDS.items(), ids=BAD_ENDS)
def test_judge_alone_leaves_a_digest_that_ended_badly_here_to_people(status, changes, stand):
    stand(RULE)
    before = _promotion(status=status, **changes)

    again = builders.make_promotion(before.candidate)

    assert _judged(again).objection == f"The same digest was {status.lower()} here before."


def test_judge_alone_lets_pass_what_we_withdrew_or_let_expire(stand):
    stand(RULE)
    before = _promotion(status="WITHDRAWN")
    builders.make_promotion(before.candidate, status="EXPIRED")

    assert _automatic(builders.make_promotion(before.candidate))


def test_judge_alone_leaves_what_somebody_signed_to_people(stand, person):
    stand(RULE)
    promotion = _promotion()
    builders.make_decision(promotion, person("ana"), voided_at=timezone.now())

    assert _judged(promotion).objection == "It was decided on before."


def test_judge_alone_waits_until_authors_are_known_where_a_rule_refuses(stand):
    stand(RULE[:-1] + ", {name: all, exclude: [commit-authors], when_authors_unknown: refuse}]")

    assert _judged(_promotion()).objection.startswith("It is not known who must not approve this")


def test_judge_alone_of_what_is_left_to_people_says_nothing(stand):
    stand("")
    row = Promotion.objects.with_target().get(pk=_promotion().pk)

    assert policy.judge_alone([row], at=timezone.now()) == {}
