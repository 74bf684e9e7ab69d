"""What an approval needs, and whether this person may give it now: pure evaluation with reasons in words."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from approvals import permissions
from approvals.models import Decision, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action

VERSION = "built-in 1"
NEEDED_APPROVALS = 1
MIN_REASON_LENGTH = 10  # characters of a rejection


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one person stands towards one promotion, and where the promotion stands."""

    can_approve: bool
    can_reject: bool
    reasons: tuple[str, ...]  # why not, in full sentences; empty when both are possible
    needed: int
    given: tuple[Decision, ...]
    next_step: str

    @property
    def missing(self) -> int:
        """How many approvals are still needed."""
        return max(0, self.needed - len(self.given))


def explain(promotion: Promotion, person: User, *, at: datetime) -> Standing:
    """Return what this person may do about the promotion, and what happens next."""
    given = standing_approvals(promotion)
    general = _reasons_against_deciding(promotion, person, at=at)
    approving = [*general, *_reasons_against_approving(promotion, person, given)]
    return Standing(
        can_approve=not approving and promotion.is_pending,
        can_reject=not general,
        reasons=tuple(approving),
        needed=NEEDED_APPROVALS,
        given=given,
        next_step=_next_step(promotion, given=given, can_approve=not approving),
    )


def standing_approvals(promotion: Promotion) -> tuple[Decision, ...]:
    """Return the approvals that count: of this revision, not voided. Uses a prefetch if there is one."""
    return tuple(
        decision
        for decision in promotion.decisions.all()
        if decision.verb == Decision.Verb.APPROVE
        and decision.revision == promotion.revision
        and decision.voided_at is None
    )


def is_satisfied(promotion: Promotion) -> bool:
    """Whether the standing approvals are enough."""
    return len(standing_approvals(promotion)) >= NEEDED_APPROVALS


def lapsed_approvers(promotion: Promotion) -> list[str]:
    """Return the names of counted approvers who may not decide any more (design.md 8.3)."""
    return [
        decision.by.get_username()
        for decision in standing_approvals(promotion)
        if not permissions.may(decision.by, Action.DECIDE)
    ]


def rule_in_words() -> str:
    """Return what the policy asks, as a sentence."""
    return (
        f"{NEEDED_APPROVALS} approval by somebody with the role approver, "
        "not by the person who asked for it."
    )


def _reasons_against_deciding(promotion: Promotion, person: User, *, at: datetime) -> list[str]:
    reasons = []
    if not permissions.may(person, Action.DECIDE):
        reasons.append("You are not an approver. Ask an administrator for the role approver.")
    if promotion.status not in Status.undecided_or_waiting():
        reasons.append(
            f"It is {promotion.get_status_display().lower()}, so there is nothing to decide."
        )
    elif at >= promotion.expires_at:
        reasons.append("It expired; the next scan offers what is newest then.")
    return reasons


def _reasons_against_approving(
    promotion: Promotion, person: User, given: tuple[Decision, ...]
) -> list[str]:
    reasons = []
    if promotion.requested_by and promotion.requested_by == person.get_username():
        reasons.append("You asked for this promotion; somebody else must approve it.")
    if any(decision.by_id == person.pk for decision in given):
        reasons.append("You approved it already.")
    if error := promotion.plan.get("error"):
        reasons.append(f"What would be written is not known: {error}")
    return reasons


def _next_step(promotion: Promotion, *, given: tuple[Decision, ...], can_approve: bool) -> str:
    if promotion.status == Status.PENDING and can_approve:
        missing = NEEDED_APPROVALS - len(given)
        return (
            "Your approval completes it; it runs at once."
            if missing <= 1
            else f"Needs {missing} more."
        )
    return _NEXT.get(Status(promotion.status), promotion.status_reason)


_NEXT = {
    Status.PENDING: "Waits for an approver.",
    Status.APPROVED: "Approved; the next worker writes it.",
    Status.EXECUTING: "A worker writes it now.",
    Status.VERIFYING: "Written; waits until Argo CD reports it Synced and Healthy.",
    Status.UNKNOWN: "Looks again until it is certain what was written.",
    Status.ERRORED: "Stopped; safe to retry.",
}
