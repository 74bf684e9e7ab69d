"""What must still hold at the last moment before an attempt starts, judged on the locked row.

Here, too, nothing is used that was read before the lock: the policy is read once for a row, after it.
"""

from datetime import datetime

from approvals import holds, policy
from approvals.execution.batches import Commit
from approvals.lifecycle import TransitionRefusedError
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy import Rules
from updater.errors import PermanentError


class ApprovalLapsedError(PermanentError):
    """Somebody whose approval was counted may not approve any more (design.md 8.3)."""

    code = "approval_lapsed"


def require_due(row: Promotion, at: datetime) -> None:
    """Refuse to start what expired while it waited for its turn."""
    if row.status == Status.APPROVED and at >= row.expires_at:
        raise TransitionRefusedError("The approval expired before it could start.")


def require_as_built(row: Promotion, commit: Commit) -> None:
    """Refuse a commit that names other approvers than stand now: one may have taken theirs back meanwhile."""
    built = next(each for each in commit.promotions if each.pk == row.pk)
    approvals = [{each.pk for each in policy.standing_approvals(of)} for of in (built, row)]
    if approvals[0] != approvals[1] or built.approved_at != row.approved_at:
        raise TransitionRefusedError("Its approvals changed while its commit was built.")


def require_standing(row: Promotion, *, at: datetime) -> None:
    """Refuse to start what the policy, or the people who approved it, would not approve now."""
    if row.status != Status.APPROVED:
        return
    rules = policy.rules_for([row])
    if any(decision.is_automatic for decision in policy.standing_approvals(row)):
        _require_approved_alone(row, rules, at=at)
    else:
        _require_approved_by_people(row, rules)


def require_not_held(row: Promotion, *, at: datetime) -> None:
    """Refuse to start what somebody holds."""
    # The gates were judged a moment ago: after somebody was told that it is held, nothing new starts.
    holds.take_turn(setting=False)
    starts = row.status in (Status.APPROVED, Status.ERRORED) and not row.is_stopping
    if starts and holds.is_held(row, at=at):
        raise TransitionRefusedError("Somebody holds it since its gates were looked at.")


def _require_approved_alone(row: Promotion, rules: Rules, *, at: datetime) -> None:
    if why := policy.lapse_alone(row, at=at, rules=rules):
        message = f"The policy approved this, and its conditions do not hold any more: {why}"
        raise ApprovalLapsedError(f"{message} People decide.")


def _require_approved_by_people(row: Promotion, rules: Rules) -> None:
    lapsed = policy.lapsed_approvers(row, rules=rules)
    if lapsed or not policy.is_satisfied(row, rules=rules):
        names = ", ".join(lapsed) or "somebody"
        raise ApprovalLapsedError(
            f"{names} approved this and may not approve any more; decide again."
        )
