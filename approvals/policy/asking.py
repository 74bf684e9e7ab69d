"""What others ask the policy: each question gathers its facts and evaluates them.

Questions about many promotions take a sequence and cost as many queries as about one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
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
from approvals.policy.evaluation import Count
from approvals.policy.gating import Gate
from approvals.policy.replaying import Finding
from approvals.policy.standing import Standing
from approvals.policy.store import Policy
from approvals.policy.targets import Target
from updater.models import Application

MIN_REASON_LENGTH = 10  # characters of a rejection, where the policy says nothing else


@dataclass(frozen=True, slots=True)
class _Identity:
    """A document as a cache key: one stored version is one object."""

    document: Document

    def __hash__(self) -> int:
        return id(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self.document is other.document


@lru_cache(maxsize=8192)
def _resolved(identity: _Identity, target: Target) -> Effective:
    return resolving.resolve(identity.document, target)


def effective_for(applications: Iterable[Application], policy: Policy) -> dict[int, Effective]:
    """Return what a policy says for each Application, by its primary key."""
    identity = _Identity(policy.document)
    targets = facts.targets_of(applications)
    return {pk: _resolved(identity, target) for pk, target in targets.items()}


def excluding(what: str, applications: Iterable[Application]) -> list[int]:
    """Return the primary keys of the Applications whose rules exclude this kind of people."""
    policy = store.current()
    rules = policy.document.rules
    if policy.closed or not any(what in rule.exclude for rule in rules):
        return []
    found = effective_for(applications, policy)
    return [pk for pk, effective in found.items() if what in effective.exclude]


def effective_of(application: Application) -> Effective:
    """Return what the policy that stands says for an Application."""
    return effective_for([application], store.current())[application.pk]


def version_of(application: Application, *, mode: str = NORMAL) -> str:
    """Return the version that is sealed: a short hash of what this Application's approvals stand under."""
    return effective_of(application).version(mode)


def policy_for(promotions: Sequence[Promotion]) -> tuple[Policy, Mapping[UUID, Effective]]:
    """Return the policy that stands, and what it says for each promotion."""
    policy = store.current()
    by_application = effective_for((row.application for row in promotions), policy)
    return policy, {row.pk: by_application[row.application_id] for row in promotions}


def explain(promotion: Promotion, person: User, *, at: datetime) -> Standing:
    """Return what this person may do about the promotion, and what happens next."""
    return explain_all([promotion], person, at=at)[promotion.pk]


def explain_all(
    promotions: Sequence[Promotion], person: User | None, *, at: datetime
) -> dict[UUID, Standing]:
    """Return where the person stands towards each promotion."""
    policy, found = policy_for(promotions)
    gathered = facts.gather(promotions, found, policy=policy, viewer=person, at=at)
    return {pk: standing.evaluate(found[pk], item) for pk, item in gathered.items()}


def explain_emergency(
    promotion: Promotion, person: User | None, *, at: datetime
) -> Standing | None:
    """Return where the person would stand if this became an emergency now; None: the policy has none here."""
    policy, found = policy_for([promotion])
    effective = found[promotion.pk]
    if effective.emergency is None:
        return None
    gathered = facts.gather([promotion], found, policy=policy, viewer=person, at=at)[promotion.pk]
    # Approvals of what stands now are void once it is sealed as an emergency.
    return standing.evaluate(effective, replace(gathered, mode=EMERGENCY, approvals=()))


def count_all(promotions: Sequence[Promotion], *, at: datetime) -> dict[UUID, Count]:
    """Return how the approvals of each promotion stand, whoever looks."""
    policy, found = policy_for(promotions)
    gathered = facts.gather(promotions, found, policy=policy, viewer=None, at=at)
    return {pk: evaluation.count(found[pk], item) for pk, item in gathered.items()}


def is_satisfied(promotion: Promotion) -> bool:
    """Whether the standing approvals are enough, by people who may still decide."""
    return _count(promotion).is_satisfied


def missing_approvals(promotion: Promotion) -> int:
    """Return how many people must still approve."""
    return _count(promotion).missing


def unsatisfiable(promotion: Promotion) -> tuple[str, ...]:
    """Return the rules that nobody is left to fulfil, in sentences."""
    return _count(promotion).unsatisfiable


def lapsed_approvers(promotion: Promotion) -> list[str]:
    """Return the names of counted approvers who may not decide any more (design.md 8.3)."""
    return [
        decision.by.get_username()
        for decision in facts.standing_approvals(promotion)
        if decision.by is not None
        and not permissions.may(decision.by, Action.DECIDE, promotion.application)
    ]


def gates(promotion: Promotion, *, at: datetime) -> tuple[Gate, ...]:
    """Return what an approved promotion must pass before it starts; each must be open."""
    return gates_of([promotion], at=at)[promotion.pk]


def gates_of(promotions: Sequence[Promotion], *, at: datetime) -> dict[UUID, tuple[Gate, ...]]:
    """Return the gates of each promotion."""
    policy, found = policy_for(promotions)
    around = surrounding_facts.gather(promotions, found, policy=policy, at=at)
    return {pk: gating.judge(found[pk], item) for pk, item in around.items()}


def replay(
    promotions: Sequence[Promotion], document: Document, *, at: datetime
) -> Iterator[Finding]:
    """Return what a draft policy would have done to past promotions."""
    draft = Policy(document)
    effective = effective_for((row.application for row in promotions), draft)
    one_each = {row.application_id: row for row in promotions}
    by_promotion = {row.pk: effective[row.application_id] for row in one_each.values()}
    people = facts.gather(list(one_each.values()), by_promotion, policy=draft, viewer=None, at=at)
    now = {pk: people[row.pk] for pk, row in one_each.items()}
    return replaying.replay(promotions, effective, now)


def rule_in_words(promotion: Promotion | None = None, *, effective: Effective | None = None) -> str:
    """Return what the policy asks of a promotion, or without one what is built in, as a sentence."""
    if promotion is None:
        return words.approvals_in_words(resolving.built_in(), NORMAL)
    found = effective or effective_of(promotion.application)
    return words.approvals_in_words(found, facts.mode_of(promotion))


def min_reason_length(promotion: Promotion, *, approving: bool) -> int:
    """Return how many characters the reason of a decision must have."""
    for_approval, for_rejection = min_reason_lengths(promotion)
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
    identity = _Identity(store.current().document)
    return _resolved(identity, resolving.NOWHERE).min_reason_reject


def stricter_pin(application: Application, pin: str) -> str:
    """Return how a tag is written: as configured, or by digest where the policy asks for that."""
    return max(pin, effective_of(application).pin, key=PIN.index)


def pending_expiry(application: Application) -> timedelta:
    """Return how long a promotion stays open for decisions."""
    seconds = effective_of(application).pending_seconds or settings.PENDING_EXPIRY_SECONDS
    return timedelta(seconds=seconds)


def approved_expiry(application: Application) -> timedelta:
    """Return how long an approval waits for its start."""
    seconds = effective_of(application).approved_seconds or settings.APPROVED_EXPIRY_SECONDS
    return timedelta(seconds=seconds)


def _count(promotion: Promotion) -> Count:
    # Counting needs no clock: expiry is the lifecycle's business.
    return count_all([promotion], at=promotion.status_at)[promotion.pk]
