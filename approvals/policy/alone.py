"""What the policy decides without a person: which promotions, by which rule, and whether that still holds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from approvals.models import Promotion
from approvals.policy import asking, automatic, automatic_facts, store
from approvals.policy.automatic import Automatic
from approvals.policy.document import NEVER
from approvals.policy.rules import Rules, effective_for, rules_for
from approvals.policy.store import Policy
from updater.models import Application


def waiting(at: datetime) -> Q | None:
    """Return which pending promotions the policy may approve by itself; None when it approves none."""
    policy = store.current()
    if policy.closed or policy.loaded_at is None or not _ever(policy):
        return None
    pending = Promotion.objects.pending().values("application")
    rows = Application.objects.filter(pk__in=pending)
    found = effective_for(rows.only("cluster", "project", "namespace", "name"), policy)
    return Q(
        application__in=[pk for pk, effective in found.items() if effective.auto_approve],
        kind=Promotion.Kind.FORWARD,
        requested_by="",
        revision=1,
        decisions=None,
        created_at__gte=policy.loaded_at,
        expires_at__gt=at,
    )


def judge_alone(
    promotions: Sequence[Promotion], *, at: datetime, rules: Rules | None = None
) -> dict[UUID, Automatic]:
    """Return what the policy alone says of each promotion; those that it leaves to people are left out."""
    rules = rules or rules_for(promotions)
    concerned = [row for row in promotions if rules.of(row).auto_approve]
    if not concerned:
        return {}
    past = automatic_facts.gather(concerned)
    refusals = {
        pk: count.refusal.sentence
        for pk, count in asking.count_all(concerned, at=at, rules=rules).items()
        if count.refusal is not None
    }
    judged = {
        row.pk: automatic.judge(row, rules.of(row), rules.policy, past=past, at=at)
        for row in concerned
    }
    return {
        pk: replace(item, objection=item.objection or refusals.get(pk, ""))
        for pk, item in judged.items()
        if item is not None
    }


def auto_approves(promotion: Promotion, *, at: datetime) -> str | None:
    """Return the rule that approves this promotion without a person, in words; None: people decide."""
    found = judge_alone([promotion], at=at).get(promotion.pk)
    return found.rule if found is not None and not found.objection else None


def lapse_alone(promotion: Promotion, *, at: datetime, rules: Rules | None = None) -> str:
    """Return why an approval that the policy gave does not hold any more, "" while it does."""
    rules = rules or rules_for([promotion])
    refusal = asking.count_all([promotion], at=at, rules=rules)[promotion.pk].refusal
    why = automatic.lapse(promotion, rules.of(promotion), rules.policy, at=at)
    return why or (refusal.sentence if refusal is not None else "")


def _ever(policy: Policy) -> bool:
    several = (policy.document.defaults, *policy.document.rules)
    return any(item.auto_approve not in (None, NEVER) for item in several)
