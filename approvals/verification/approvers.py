"""I6: who approved could approve then, and they were enough. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from approvals import permissions
from approvals.permissions import Action, Role
from approvals.policy import evaluation
from approvals.policy.effective import Effective
from approvals.policy.evaluation import Approval, Facts, Person
from approvals.verification.facts import STARTED, PromotionFacts
from approvals.verification.findings import Finding, Unchecked


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """A standing approval, with what its giver was at that time."""

    username: str
    seal: str
    roles: frozenset[str]
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Approved:
    """A promotion, its approvals, and the policy it was sealed under (None: no stored version gives it)."""

    promotion: PromotionFacts
    mode: str
    approvals: tuple[ApprovalFacts, ...]
    effective: Effective | None
    is_automatic: bool = False


def check(approved: Iterable[Approved]) -> Iterator[Finding | Unchecked]:
    """Look at every promotion that was started, or may be started now."""
    for item in approved:
        row = item.promotion
        if row.approved_at is not None and (row.status in STARTED or row.is_written):
            yield from _check_people(item)
            yield from _check_enough(item)


def _check_people(item: Approved) -> Iterator[Finding]:
    row, seen = item.promotion, set[str]()
    for approval in item.approvals:
        if approval.username == row.requested_by:
            yield Finding("I6", row.name, f"{approval.username} asked for it and approved it.")
        if approval.username in seen:
            yield Finding("I6", row.name, f"{approval.username} approved it twice.")
        if not _could_decide(approval):
            sentence = f"{approval.username} approved it without a role that may."
            yield Finding("I6", row.name, sentence)
        if approval.seal != row.seal:
            yield Finding("I6", row.name, f"{approval.username} approved another seal.")
        seen.add(approval.username)


def _could_decide(approval: ApprovalFacts) -> bool:
    roles = frozenset(Role(name) for name in approval.roles if name in set(Role))
    return permissions.carries(roles, Action.DECIDE)


def _check_enough(item: Approved) -> Iterator[Finding | Unchecked]:
    row = item.promotion
    if item.effective is None:
        why = "No stored policy gives the version that it was sealed under."
        yield Unchecked("I6", row.name, why)
        return
    if item.is_automatic:
        if not item.effective.auto_approve:
            yield Finding(
                "I6", row.name, "Nobody approved it, and its policy approves nothing itself."
            )
        return
    for quorum in evaluation.count(item.effective, _facts(item)).quorums:
        if quorum.missing:
            sentence = f"{quorum.name} needed {quorum.needed} of {quorum.who}, {len(quorum.given)} approved."
            yield Finding("I6", row.name, sentence)


def _facts(item: Approved) -> Facts:
    row = item.promotion
    never = datetime.max.replace(tzinfo=UTC)
    return Facts(
        at=row.approved_at or never,
        expires_at=never,
        mode=item.mode,
        requested_by=row.requested_by,
        approvals=tuple(Approval(approval.username) for approval in item.approvals),
        people=tuple(
            Person(
                approval.username,
                groups=approval.groups,
                roles=approval.roles,
                may_decide=_could_decide(approval),
            )
            for approval in item.approvals
        ),
    )
