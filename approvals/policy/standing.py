"""Where one person stands towards one promotion, with a reason for everything that is off. Pure."""

from dataclasses import dataclass, replace
from typing import Any

from approvals.models.promotion import PromotionStatus as Status
from approvals.policy import evaluation
from approvals.policy.effective import Effective
from approvals.policy.evaluation import Approval, Count, Excluded, Facts, Person, QuorumStanding
from approvals.policy.reasons import Reason

NEXT_STEPS = {
    Status.PENDING: "Waits for an approver.",
    Status.APPROVED: "Approved; the next worker writes it.",
    Status.EXECUTING: "A worker writes it now.",
    Status.VERIFYING: "Written; waits until Argo CD reports it Synced and Healthy.",
    Status.UNKNOWN: "Looks again until it is certain what was written.",
    Status.ERRORED: "Stopped; safe to retry.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person may do about a promotion, and how far its approval is."""

    can_approve: bool
    can_reject: bool
    reasons: tuple[str, ...]  # why not, in full sentences; empty when both are possible
    why: tuple[Reason, ...]  # the same as trees, for machines and for who asks further
    why_not_reject: tuple[Reason, ...]  # what stands against any decision at all
    needed: int  # approvals in all, as things stand
    given: tuple[Any, ...]  # the stored decisions that count
    missing: int  # approvals still needed; the viewer's own is one of them if they can give it
    next_step: str
    quorums: tuple[QuorumStanding, ...]
    satisfies: tuple[str, ...]  # the quorums that the viewer's approval would count for
    completes: bool  # whether the viewer's approval would be the last one
    excluded: tuple[Excluded, ...]
    unsatisfiable: tuple[str, ...]
    unknown: tuple[str, ...]
    is_satisfied: bool


def evaluate(effective: Effective, facts: Facts) -> Standing:
    """Return where the viewer of these facts stands."""
    count = evaluation.count(effective, facts)
    excluded, _ = evaluation.exclusions(effective, facts)
    satisfies = _satisfied_by_viewer(facts.viewer, count)
    general = _against_deciding(facts)
    approving = (*general, *_against_approving(facts, count, excluded, satisfies))
    can_approve = not approving and facts.status == Status.PENDING
    completes = can_approve and _completes(effective, facts)
    missing = count.missing
    if can_approve and not completes:
        missing = max(2, missing)
    given = _counted(facts, count)
    return Standing(
        can_approve=can_approve,
        can_reject=not general,
        reasons=tuple(reason.sentence for reason in approving),
        why=approving,
        why_not_reject=general,
        needed=len(given) + missing,
        given=given,
        missing=missing,
        next_step=_next_step(facts, count, missing, can_approve=can_approve),
        quorums=count.quorums,
        satisfies=satisfies,
        completes=completes,
        excluded=tuple(Excluded(name, why) for name, why in sorted(excluded.items())),
        unsatisfiable=count.unsatisfiable,
        unknown=count.unknown,
        is_satisfied=count.is_satisfied,
    )


def _satisfied_by_viewer(viewer: Person | None, count: Count) -> tuple[str, ...]:
    if viewer is None:
        return ()
    return tuple(quorum.name for quorum in count.wanting if viewer.username in quorum.eligible)


def _completes(effective: Effective, facts: Facts) -> bool:
    if facts.viewer is None:
        return False
    approvals = (*facts.approvals, Approval(facts.viewer.username))
    return evaluation.count(effective, replace(facts, approvals=approvals)).is_satisfied


def _counted(facts: Facts, count: Count) -> tuple[Any, ...]:
    names = {name for quorum in count.quorums for name in quorum.given}
    by_policy = () if facts.automatic is None else (facts.automatic,)
    return (
        *by_policy,
        *(approval.record for approval in facts.approvals if approval.username in names),
    )


def _against_deciding(facts: Facts) -> tuple[Reason, ...]:
    reasons = []
    if facts.viewer is None or not facts.viewer.may_decide:
        reasons.append(
            Reason(
                "not_approver",
                "You are not an approver. Ask an administrator for the role approver.",
                fact=_roles_in_words(facts.viewer),
                fact_at=facts.at,
                who="an administrator, or the roles in the policy file",
            )
        )
    if facts.status not in Status.undecided_or_waiting():
        sentence = f"It {facts.is_what}, so there is nothing to decide."
        reasons.append(Reason("not_open", sentence, fact=facts.status_sentence))
    elif facts.at >= facts.expires_at:
        reasons.append(
            Reason(
                "expired",
                "It expired; the next scan offers what is newest then.",
                fact="Its time was up",
                fact_at=facts.expires_at,
            )
        )
    return tuple(reasons)


def _against_approving(
    facts: Facts, count: Count, excluded: dict[str, str], satisfies: tuple[str, ...]
) -> tuple[Reason, ...]:
    name = facts.viewer.username if facts.viewer else ""
    reasons = []
    if name and name in excluded:
        reasons.append(_excluded(name, excluded[name], facts))
    if any(approval.username == name for approval in facts.approvals):
        reasons.append(
            Reason("already_approved", "You approved it already.", who="you: withdraw it")
        )
    if facts.plan_error:
        sentence = f"What would be written is not known: {facts.plan_error}"
        reasons.append(Reason("plan_unknown", sentence, who="whoever looks after the Application"))
    if count.refusal is not None:
        reasons.append(count.refusal)
    if facts.status == Status.APPROVED:
        reasons.append(Reason("already_decided", "It is approved already; nothing is missing."))
    elif not reasons and not satisfies and facts.viewer and facts.viewer.may_decide:
        reasons.append(_counts_for_nothing(count))
    return tuple(reasons)


def _excluded(name: str, why: str, facts: Facts) -> Reason:
    if name == facts.requested_by:
        sentence = "You asked for this promotion; somebody else must approve it."
        return Reason("own_request", sentence, fact=f"{name} {why}", who="somebody else")
    return Reason(
        "own_change",
        f"You have a hand in what is promoted: {name} {why}. Somebody else must approve it.",
        fact=f"{name} {why}",
        fact_at=facts.commit_authors.at,
        who="somebody else",
    )


def _counts_for_nothing(count: Count) -> Reason:
    open_ones = [quorum for quorum in count.quorums if quorum.missing]
    because = tuple(
        Reason(
            "quorum",
            f"{quorum.name} needs {quorum.missing} more of {quorum.who}.",
            rule=", ".join(quorum.origins),
            who=", ".join(quorum.eligible) or "nobody",
        )
        for quorum in open_ones
    )
    wanted = " and ".join(dict.fromkeys(quorum.who for quorum in open_ones)) or "nobody"
    return Reason(
        "not_in_quorum",
        f"Your approval would count for nothing: what is missing must come from {wanted}.",
        who=", ".join(dict.fromkeys(name for quorum in open_ones for name in quorum.eligible)),
        because=because,
    )


def _roles_in_words(viewer: Person | None) -> str:
    roles = ", ".join(sorted(viewer.roles)) if viewer else ""
    return f"Your roles here: {roles or 'none'}"


def _next_step(facts: Facts, count: Count, missing: int, *, can_approve: bool) -> str:
    if facts.status != Status.PENDING:
        status = Status(facts.status)
        return NEXT_STEPS.get(status, facts.status_sentence)
    if count.unsatisfiable:
        return count.unsatisfiable[0]
    if can_approve:
        many = f"Needs {missing} more."
        return "Your approval completes it; it runs at once." if missing <= 1 else many
    open_ones = [f"{quorum.missing} of {quorum.who}" for quorum in count.quorums if quorum.missing]
    if len(count.quorums) > 1 and open_ones:
        return f"Waits for {' and '.join(open_ones)}."
    return NEXT_STEPS[Status.PENDING]
