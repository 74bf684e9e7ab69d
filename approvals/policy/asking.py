"""What others ask the policy: each question gathers its facts and evaluates them.

Questions about many promotions take a sequence and cost as many queries as about one. Who asks several hands the
rules on that it read first; where something is decided under a lock, they are read after it was taken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User

from approvals import permissions
from approvals.models import Promotion
from approvals.permissions import Action
from approvals.policy import (
    evaluation,
    facts,
    gating,
    replaying,
    resolving,
    standing,
    store,
    surrounding_facts,
    words,
)
from approvals.policy.demands import PIN
from approvals.policy.document import Document
from approvals.policy.effective import EMERGENCY, NORMAL, Effective
from approvals.policy.evaluation import Count, Facts
from approvals.policy.gating import Gate
from approvals.policy.replaying import Finding
from approvals.policy.rules import Rules, effective_nowhere, effective_of, rules_for
from approvals.policy.standing import Standing
from approvals.policy.store import Policy
from approvals.policy.surrounding_facts import NOTHING_READ, Read
from updater.models import Application

MIN_REASON_LENGTH = 10  # characters of a rejection, where the policy says nothing else


def explain(promotion: Promotion, person: User, *, at: datetime) -> Standing:
    """Return what this person may do about the promotion, and what happens next."""
    return explain_all([promotion], person, at=at)[promotion.pk]


def explain_all(
    promotions: Sequence[Promotion],
    person: User | None,
    *,
    at: datetime,
    rules: Rules | None = None,
    as_read: bool = False,
) -> dict[UUID, Standing]:
    """Return where the person stands towards each promotion; `as_read` is for pages (`facts.gather`)."""
    rules = rules or rules_for(promotions)
    gathered = facts.gather(promotions, rules, viewer=person, at=at, as_read=as_read)
    return {row.pk: standing.evaluate(rules.of(row), gathered[row.pk]) for row in promotions}


def facts_of(
    promotion: Promotion, person: User | None, *, rules: Rules, at: datetime, as_read: bool = False
) -> Facts:
    """Return what a decision of this person on the promotion depends on; `as_read` is for pages."""
    found = facts.gather([promotion], rules, viewer=person, at=at, as_read=as_read)
    return found[promotion.pk]


def stand(promotion: Promotion, known: Facts, *, rules: Rules) -> Standing:
    """Return where the person of these facts stands."""
    return standing.evaluate(rules.of(promotion), known)


def stand_in_emergency(promotion: Promotion, known: Facts, *, rules: Rules) -> Standing | None:
    """Return where they would stand if this became an emergency now; None: the policy has none here."""
    effective = rules.of(promotion)
    if effective.emergency is None:
        return None
    # Approvals of what stands now are void once it is sealed as an emergency.
    return standing.evaluate(effective, replace(known, mode=EMERGENCY, approvals=()))


def count_all(
    promotions: Sequence[Promotion], *, at: datetime, rules: Rules | None = None
) -> dict[UUID, Count]:
    """Return how the approvals of each promotion stand, whoever looks."""
    rules = rules or rules_for(promotions)
    gathered = facts.gather(promotions, rules, viewer=None, at=at)
    return {row.pk: evaluation.count(rules.of(row), gathered[row.pk]) for row in promotions}


def is_satisfied(promotion: Promotion, *, rules: Rules | None = None) -> bool:
    """Whether the standing approvals are enough, by people who may still decide."""
    return _count(promotion, rules).is_satisfied


def is_satisfied_now(promotion: Promotion, known: Facts, *, rules: Rules) -> bool:
    """Whether they are enough after a decision; `known` was gathered under the same lock, before it."""
    after = facts.after_deciding(known, promotion)
    return evaluation.count(rules.of(promotion), after).is_satisfied


def missing_approvals(promotion: Promotion) -> int:
    """Return how many people must still approve."""
    return _count(promotion).missing


def unsatisfiable(promotion: Promotion, *, rules: Rules | None = None) -> tuple[str, ...]:
    """Return the rules that nobody is left to fulfil, in sentences."""
    return _count(promotion, rules).unsatisfiable


def lapsed_approvers(promotion: Promotion, *, rules: Rules | None = None) -> list[str]:
    """Return the names of counted approvers who may not decide any more (design.md 8.3)."""
    bound = rules.policy.bindings if rules is not None else None
    return [
        decision.by.get_username()
        for decision in facts.standing_approvals(promotion)
        if decision.by is not None
        and not permissions.may(decision.by, Action.DECIDE, promotion.application, bound=bound)
    ]


def gates(promotion: Promotion, *, at: datetime) -> tuple[Gate, ...]:
    """Return what an approved promotion must pass before it starts; each must be open."""
    return gates_of([promotion], at=at)[promotion.pk]


def gates_of(
    promotions: Sequence[Promotion],
    *,
    at: datetime,
    rules: Rules | None = None,
    read: Read = NOTHING_READ,
) -> dict[UUID, tuple[Gate, ...]]:
    """Return the gates of each promotion; `read` is what a page need not read again."""
    rules = rules or rules_for(promotions)
    around = surrounding_facts.gather(promotions, rules, at=at, read=read)
    return {row.pk: gating.judge(rules.of(row), around[row.pk]) for row in promotions}


def replay(
    promotions: Sequence[Promotion], document: Document, *, at: datetime
) -> Iterator[Finding]:
    """Return what a draft policy would have done to past promotions."""
    draft = rules_for(promotions, Policy(document))
    one_each = {row.application_id: row for row in promotions}
    people = facts.gather(list(one_each.values()), draft, viewer=None, at=at)
    now = {pk: people[row.pk] for pk, row in one_each.items()}
    return replaying.replay(promotions, draft.effective, now)


def rule_in_words(promotion: Promotion | None = None, *, effective: Effective | None = None) -> str:
    """Return what the policy asks of a promotion, or without one what is built in, as a sentence."""
    if promotion is None:
        return words.approvals_in_words(resolving.built_in(), NORMAL)
    found = effective or effective_of(promotion.application)
    return words.approvals_in_words(found, facts.mode_of(promotion))


def min_reason_length(
    promotion: Promotion, *, approving: bool, effective: Effective | None = None
) -> int:
    """Return how many characters the reason of a decision must have."""
    for_approval, for_rejection = min_reason_lengths(promotion, effective=effective)
    return for_approval if approving else for_rejection


def min_reason_lengths(
    promotion: Promotion, *, effective: Effective | None = None
) -> tuple[int, int]:
    """Return how many characters the reason of an approval must have, and that of a rejection."""
    found = effective or effective_of(promotion.application)
    way_out = found.way_out(facts.mode_of(promotion))
    for_approval = max(found.min_reason_approve, way_out.min_reason if way_out else 0)
    return for_approval, found.min_reason_reject


def min_reason_to_hold(application: Application | None) -> int:
    """Return how many characters the reason of a hold or release needs; without an Application, on everything."""
    if application is not None:
        return effective_of(application).min_reason_reject
    return effective_nowhere(store.current()).min_reason_reject


def stricter_pin(application: Application, pin: str, *, effective: Effective | None = None) -> str:
    """Return how a tag is written: as configured, or by digest where the policy asks for that."""
    found = effective or effective_of(application)
    return max(pin, found.pin, key=PIN.index)


def pending_expiry(application: Application, *, effective: Effective | None = None) -> timedelta:
    """Return how long a promotion stays open for decisions."""
    found = effective or effective_of(application)
    return timedelta(seconds=found.pending_seconds or settings.PENDING_EXPIRY_SECONDS)


def approved_expiry(application: Application, *, effective: Effective | None = None) -> timedelta:
    """Return how long an approval waits for its start."""
    found = effective or effective_of(application)
    return timedelta(seconds=found.approved_seconds or settings.APPROVED_EXPIRY_SECONDS)


def _count(promotion: Promotion, rules: Rules | None = None) -> Count:
    # Counting needs no clock: expiry is the lifecycle's business.
    return count_all([promotion], at=promotion.status_at, rules=rules)[promotion.pk]
