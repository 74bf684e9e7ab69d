"""Approval without a person: only where every condition is known and holds. Pure.

A policy decides nothing that was open before it was loaded, however lax it is, nothing that somebody asked for or
decided on, and nothing that changed since it was proposed or was taken away here before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import any_matches
from approvals.policy import durations, words
from approvals.policy.document import AutoApprove
from approvals.policy.effective import Effective
from approvals.policy.store import Policy
from updater import semver

OLD_AFTER = timedelta(minutes=10)
HEALTHY = "Healthy"
_BUMPS = ("patch", "minor", "major")


@dataclass(frozen=True, slots=True)
class Past:
    """What happened before to the promotions and their digests."""

    decided: frozenset[UUID] = frozenset()  # promotions that somebody, or the policy, decided on
    ends: Mapping[tuple[int, str], str] = field(default_factory=dict)  # (image, digest) → bad end


@dataclass(frozen=True, slots=True)
class Automatic:
    """What the policy alone says of one promotion: the rule, what was looked at, what speaks against it."""

    rule: str
    inputs: Mapping[str, Any]
    objection: str  # "": it approves


def judge(
    promotion: Promotion, effective: Effective, policy: Policy, *, past: Past, at: datetime
) -> Automatic | None:
    """Return what the policy alone says; None where it leaves everything to people."""
    if not effective.auto_approve:
        return None
    origins = ", ".join(effective.origins("auto_approve"))
    objections = (
        *_against_deciding(promotion, policy, past, at=at),
        *_unmet(promotion, effective, at=at),
    )
    return Automatic(
        rule=f"{words.auto_approve_in_words(effective.auto_approve)} (rule {origins})",
        inputs=_inputs(promotion, policy, at=at),
        objection=next(iter(objections), ""),
    )


def lapse(promotion: Promotion, effective: Effective, policy: Policy, *, at: datetime) -> str:
    """Return why an approval by the policy does not hold any more, "" while it does."""
    if policy.closed:
        return policy.closed
    if not effective.auto_approve:
        return "The policy leaves this to people now."
    return next(_unmet(promotion, effective, at=at), "")


def would_have(promotion: Promotion, effective: Effective) -> bool:
    """Whether the conditions held when it was proposed, as far as that was stored: health was not."""
    return (
        bool(effective.auto_approve)
        and promotion.kind == Promotion.Kind.FORWARD
        and not promotion.requested_by
        and not any(_objection(item, promotion) for item in effective.auto_approve)
    )


def _against_deciding(
    promotion: Promotion, policy: Policy, past: Past, *, at: datetime
) -> Iterator[str]:
    is_new = policy.loaded_at is not None and promotion.created_at >= policy.loaded_at
    is_asked_for = promotion.kind != Promotion.Kind.FORWARD or bool(promotion.requested_by)
    is_open = promotion.status == Status.PENDING and at < promotion.expires_at
    end = past.ends.get((promotion.tracked_image_id, promotion.to_digest))
    objections = {
        policy.closed: bool(policy.closed),
        "It was open before this policy was loaded.": not is_new,
        "A person asked for it.": is_asked_for,
        "It is not open any more.": not is_open,
        "It was decided on before.": promotion.pk in past.decided,
        "It changed since it was proposed.": promotion.revision > 1,
        f"The same digest was {end} here before.": end is not None,
        "What would be written is not known.": bool(promotion.plan.get("error")),
    }
    return (sentence for sentence, stands in objections.items() if stands)


def _unmet(promotion: Promotion, effective: Effective, *, at: datetime) -> Iterator[str]:
    for item in effective.auto_approve:
        if objection := _objection(item, promotion):
            yield objection
    if any(item.healthy for item in effective.auto_approve):
        yield from _ill(promotion, at=at)


def _objection(conditions: AutoApprove, promotion: Promotion) -> str:
    if conditions.bump is not None and (why := _rises_too_much(conditions.bump, promotion)):
        return why
    if conditions.tags is not None and not any_matches(conditions.tags, promotion.to_tag):
        return f"{promotion.to_tag} does not match {' or '.join(conditions.tags)}."
    strategy = _strategy(promotion)
    if conditions.strategies is not None and strategy not in conditions.strategies:
        return f"Its strategy is {strategy or 'not known'}."
    if not conditions.downgrade and promotion.candidate.is_downgrade:
        return f"{promotion.to_tag} is older than what runs."
    return ""


def _rises_too_much(most: str, promotion: Promotion) -> str:
    bump = bump_of(promotion.from_tag, promotion.to_tag)
    if bump is None:
        # A version that is pushed again, too, is nothing that its number vouches for.
        return (
            f"{promotion.from_tag or 'Nothing'} → {promotion.to_tag} is not a version that rises."
        )
    if _BUMPS.index(bump) > _BUMPS.index(most):
        return f"{promotion.from_tag} → {promotion.to_tag} rises by {bump}, more than by {most}."
    return ""


def bump_of(old_tag: str, new_tag: str) -> str | None:
    """Return by how much the version rises; None where that is not known, or it does not rise."""
    try:
        old, new = semver.parse_version(old_tag), semver.parse_version(new_tag)
    except semver.VersionError:
        return None
    if new.prerelease or new.precedence <= old.precedence:
        return None
    return "major" if old.major != new.major else "minor" if old.minor != new.minor else "patch"


def _strategy(promotion: Promotion) -> str:
    return str(promotion.tracked_image.configuration.get("strategy") or "")


def _ill(promotion: Promotion, *, at: datetime) -> Iterator[str]:
    application = promotion.application
    if application.vanished_at is not None or at - application.seen_at > OLD_AFTER:
        age = durations.about(at - application.seen_at)
        yield f"The Application was last seen {age} ago, so its health is not known."
    elif application.health_status != HEALTHY:
        yield f"The Application is {application.health_status or 'of unknown health'}."


def _inputs(promotion: Promotion, policy: Policy, *, at: datetime) -> dict[str, Any]:
    application = promotion.application
    return {
        "from": promotion.from_tag,
        "tag": promotion.to_tag,
        "bump": bump_of(promotion.from_tag, promotion.to_tag) or "not known",
        "strategy": _strategy(promotion),
        "is_downgrade": promotion.candidate.is_downgrade,
        "health": application.health_status,
        "health_seen_at": application.seen_at.isoformat(),
        "health_age_seconds": int((at - application.seen_at).total_seconds()),
        "policy": policy.hash,
        "policy_loaded_at": policy.loaded_at and policy.loaded_at.isoformat(),
    }
