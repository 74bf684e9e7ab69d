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
