"""Which pending promotions want a person's approval, as a condition for lists: what `explain` says one by one.

Most is told by the Application alone: whether the person belongs to a quorum at all. Only where several quorums
stand side by side, or authors are excluded, each promotion is looked at, up to a limit; beyond it a promotion
stays in the list and its page says the rest.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q
from django.db.models.fields.json import KT

from approvals import permissions
from approvals.models import Promotion
from approvals.policy import asking, resolving, store
from approvals.policy.effective import MODES, Effective
from approvals.policy.evaluation import Count
from approvals.policy.people import bindings_of
from approvals.policy.rules import Rules, effective_for
from approvals.policy.store import Policy
from updater.models import Application

MAX_LOOKED_AT = 500


def wants(person: User, *, at: datetime, policy: Policy | None = None) -> Q:
    """Return the promotions whose quorums want this person, of those that are open and theirs to decide."""
    policy = policy or store.current()
    if policy.closed:
        return Q(pk=None)
    if not policy.document.rules:
        return _without_rules(person, policy, at=at)
    applications = _with_pending()
    rules = Rules(policy, effective_for(applications.values(), policy))
    groups = {group.name for group in person.groups.all()}
    bound = bindings_of(policy.document)
    mine = [
        row
        for row in applications.values()
        if _belongs(
            rules.effective[row.pk],
            username=person.username,
            groups=groups,
            roles=permissions.roles_by(person.username, groups, bound, row),
        )
    ]
    unclear = {row.pk: row for row in mine if _is_unclear(rules.effective[row.pk])}
    refused = _refused(unclear, person, rules, at=at) if unclear else []
    return Q(application__in=[row.pk for row in mine]) & ~Q(pk__in=refused)


def _without_rules(person: User, policy: Policy, *, at: datetime) -> Q:
    effective = resolving.resolve(policy.document, resolving.NOWHERE)
    if not _is_unclear(effective):
        return Q()
    applications = _with_pending()
    rules = Rules(policy, dict.fromkeys(applications, effective))
    return ~Q(pk__in=_refused(applications, person, rules, at=at))


def _with_pending() -> dict[int, Application]:
    pending = Promotion.objects.pending().values("application")
    rows = Application.objects.filter(pk__in=pending)
    return {row.pk: row for row in rows.only("cluster", "project", "namespace", "name")}


def _belongs(
    effective: Effective, *, username: str, groups: Collection[str], roles: Collection[str]
) -> bool:
    return any(
        rule.who.includes(username=username, groups=groups, roles=roles)
        for mode in MODES
        for rule in effective.quorums_for(mode)
    )


def _is_unclear(effective: Effective) -> bool:
    """Whether a member of a quorum may still not be wanted."""
    ways_out = effective.rollback is not None or effective.emergency is not None
    return ways_out or bool(effective.exclude) or len(effective.quorums) > 1


def _refused(
    applications: Mapping[int, Application], person: User, rules: Rules, *, at: datetime
) -> list[UUID]:
    rows = (
        Promotion.objects.pending()
        .filter(application__in=applications, expires_at__gt=at)
        .only("application", "kind", "status", "status_reason", "expires_at", "requested_by")
        .annotate(plan_error=KT("plan__error"))
        .order_by("-created_at")[:MAX_LOOKED_AT]
    )
    found = list(rows)
    for row in found:
        row.application = applications[row.application_id]
        # Nothing but its error is asked of the plan, and many plans are megabytes.
        error = getattr(row, "plan_error", None)
        row.plan = {"error": error} if error else {}
    counts = asking.count_all(found, at=at, rules=rules)
    return [row.pk for row in found if not _is_wanted(counts[row.pk], person.username)]


def _is_wanted(count: Count, username: str) -> bool:
    return count.refusal is None and any(username in item.eligible for item in count.wanting)
