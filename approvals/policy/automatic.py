"""Approval without a person: only where every condition is known and holds."""

from datetime import datetime, timedelta

from approvals.models import Promotion
from approvals.permissions import any_matches
from approvals.policy import words
from approvals.policy.document import AutoApprove
from approvals.policy.effective import Effective
from approvals.policy.store import Policy
from updater import semver

OLD_AFTER = timedelta(minutes=10)
_BUMPS = ("patch", "minor", "major")


def rule_met(
    promotion: Promotion, effective: Effective, policy: Policy, *, at: datetime
) -> str | None:
    """Return the conditions that approve this promotion, in words; None: people decide.

    A policy decides nothing that was open before it was loaded, however lax it is.
    """
    conditions = effective.auto_approve
    is_new = policy.loaded_at is not None and promotion.created_at >= policy.loaded_at
    may_be_automatic = promotion.is_pending and promotion.kind == Promotion.Kind.FORWARD
    if not conditions or not is_new or not may_be_automatic or policy.closed:
        return None
    if promotion.requested_by or promotion.plan.get("error") or at >= promotion.expires_at:
        return None
    healthy = _is_healthy(promotion, at=at)
    if not all(_hold(item, promotion, is_healthy=healthy) for item in conditions):
        return None
    origins = ", ".join(effective.origins("auto_approve"))
    return f"{words.auto_approve_in_words(conditions)} (rule {origins})"


def would_have(promotion: Promotion, effective: Effective) -> bool:
    """Whether the conditions held when it was proposed, as far as that was stored: health was not."""
    return (
        bool(effective.auto_approve)
        and promotion.kind == Promotion.Kind.FORWARD
        and not promotion.requested_by
        and all(_hold(item, promotion, is_healthy=True) for item in effective.auto_approve)
    )


def _hold(conditions: AutoApprove, promotion: Promotion, *, is_healthy: bool) -> bool:
    return (
        _rises_little(conditions, promotion)
        and _has_tag(conditions, promotion)
        and _has_strategy(conditions, promotion)
        and (conditions.downgrade or not promotion.candidate.is_downgrade)
        and (is_healthy or not conditions.healthy)
    )


def _rises_little(conditions: AutoApprove, promotion: Promotion) -> bool:
    if conditions.bump is None:
        return True
    try:
        old = semver.parse_version(promotion.from_tag)
        new = semver.parse_version(promotion.to_tag)
    except semver.VersionError:
        return False  # not known, so people decide
    if new.prerelease or new.precedence <= old.precedence:
        return False  # the same version pushed again is nothing that a version number vouches for
    bump = "major" if old.major != new.major else "minor" if old.minor != new.minor else "patch"
    return _BUMPS.index(bump) <= _BUMPS.index(conditions.bump)


def _has_tag(conditions: AutoApprove, promotion: Promotion) -> bool:
    return conditions.tags is None or any_matches(conditions.tags, promotion.to_tag)


def _has_strategy(conditions: AutoApprove, promotion: Promotion) -> bool:
    if conditions.strategies is None:
        return True
    return promotion.tracked_image.configuration.get("strategy") in conditions.strategies


def _is_healthy(promotion: Promotion, *, at: datetime) -> bool:
    application = promotion.application
    is_fresh = application.vanished_at is None and at - application.seen_at <= OLD_AFTER
    return is_fresh and application.health_status == "Healthy"
