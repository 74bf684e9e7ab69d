"""Checks of a history against the database and Git: what a client was told is what has happened.

An operation that was answered `ok` has left its decision and its row in the trail, one that was refused neither, one
whose answer was lost both or neither. Values under one key follow the order in which clients saw them approved.
"""

import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from approvals.models import Decision, Promotion
from tests.faults.fleet import Fleet
from tests.faults.history import Operation, Result
from updater.models import AuditEvent

# What each verb leaves in the trail, one row of these kinds.
KINDS: Mapping[str, frozenset[str]] = {
    "approve": frozenset({"approval.given", "promotion.approved"}),
    "reject": frozenset({"promotion.rejected"}),
    "withdraw_approval": frozenset({"approval.withdrawn"}),
    "abort": frozenset({"promotion.abort_requested", "promotion.withdrawn"}),
    "retry": frozenset({"promotion.retried"}),
    "withdraw": frozenset({"promotion.withdrawn"}),
    "roll_back": frozenset({"promotion.requested"}),
    "hold": frozenset({"hold.set"}),
    "release": frozenset({"hold.released"}),
}
FOLLOWS: Mapping[str, frozenset[str]] = {
    "approve": frozenset({"promotion.superseded"}),
    "withdraw_approval": frozenset({"approval.lapsed"}),
}
VOTES = frozenset({"approve", "reject"})
# Looking anew before a decision may seal anew, whatever comes of the decision.
BESIDE = frozenset({"decision.refused", "promotion.resealed"})
_SEPARATOR = "%x00"


def check(operations: Iterable[Operation], fleet: Fleet) -> list[str]:
    """Return everything in which the history, the database and Git differ."""
    known = [one for one in operations if one.do in KINDS]
    return [*_answers(known), *_order(known, fleet), *_commits(operations, fleet)]


def _answers(operations: list[Operation]) -> Iterator[str]:
    tokens = [one.token for one in operations]
    left: dict[str, list[str]] = defaultdict(list)
    rows = AuditEvent.objects.filter(request_id__in=tokens).order_by("sequence")
    for token, kind in rows.values_list("request_id", "kind"):
        left[token].append(kind)
    votes = set(
        Decision.objects.filter(identity__request_id__in=tokens).values_list(
            "identity__request_id", flat=True
        )
    )
    for one in operations:
        told = sum(kind in KINDS[one.do] for kind in left[one.token])
        yield from _answer(one, told, left[one.token], has_vote=one.token in votes)


def _answer(one: Operation, told: int, kinds: list[str], *, has_vote: bool) -> Iterator[str]:
    name = f"operation {one.number} ({one.do} by {one.who})"
    if strange := [kind for kind in kinds if kind not in KINDS[one.do] | BESIDE | _follows(one)]:
        yield f"{name} left {strange} in the trail"
    if one.result is Result.OK and told != 1:
        yield f"{name} was answered ok and left {told} rows in the trail: {kinds}"
    if one.result is Result.REFUSED and told:
        yield f"{name} was refused ({one.why}) and happened all the same: {kinds}"
    if told > 1:
        yield f"{name} happened {told} times"
    if one.do in VOTES and has_vote != bool(told):
        yield f"{name} happened in part: decision {has_vote}, trail {kinds}"


def _follows(one: Operation) -> frozenset[str]:
    """Return what else the verb records in its own transaction."""
    return FOLLOWS.get(one.do, frozenset())


@dataclass(frozen=True)
class _Approval:
    """When clients can have seen a promotion become approved: not before, not after."""

    not_before: float
    not_after: float


def _order(operations: list[Operation], fleet: Fleet) -> Iterator[str]:
    """Compare the order of the values in Git with the order of the approvals in the history alone."""
    approvals = _approvals(operations)
    rows = {
        str(row.pk): (row.application_id, row.tracked_image_id)
        for row in Promotion.objects.filter(pk__in=approvals)
    }
    for repository in fleet.repositories:
        last: dict[tuple[int, int], tuple[str, _Approval]] = {}
        for sha, promotion in promotions_in(fleet, repository):
            if promotion not in rows:
                yield f"{sha[:10]} in {repository} carries {promotion}, which no client approved"
                continue
            key = rows[promotion]
            before = last.get(key)
            if before and before[1].not_before > approvals[promotion].not_after:
                yield f"{sha[:10]}: {promotion} was approved before {before[0]} and written after it"
            last[key] = promotion, approvals[promotion]


def _approvals(operations: list[Operation]) -> dict[str, _Approval]:
    found: dict[str, _Approval] = {}
    for one in operations:
        if one.do == "approve" and one.result is not Result.REFUSED:
            ended = one.ended if one.result is Result.OK else float("inf")
            before = found.get(one.about["promotion"], _Approval(one.begun, 0.0))
            found[one.about["promotion"]] = _Approval(
                before.not_before, max(before.not_after, ended)
            )
    return found


def promotions_in(fleet: Fleet, repository: str) -> Iterator[tuple[str, str]]:
    """Return commit and promotion for each trailer on main, oldest first."""
    layout = f"--format=%H{_SEPARATOR}%(trailers:key=Promotion-Id,valueonly,separator=%x20)"
    for line in _git(fleet, repository, "log", "--reverse", "--topo-order", layout, "main"):
        sha, _, named = line.partition("\0")
        for promotion in named.split():
            yield sha, promotion


def _commits(operations: Iterable[Operation], fleet: Fleet) -> Iterator[str]:
    """Strangers' commits stand where they were made: nothing of ours was pushed over them."""
    reachable = {
        sha
        for repository in fleet.repositories
        for sha in _git(fleet, repository, "rev-list", "main")
    }
    for one in operations:
        commit = one.about.get("commit")
        if one.do == "commit" and one.result is Result.OK and commit and commit not in reachable:
            yield f"the stranger's commit {commit[:10]} is gone from {one.about['repository']}"


def _git(fleet: Fleet, repository: str, *arguments: str) -> list[str]:
    command = ["git", f"--git-dir={fleet.outside.git.repositories.path(repository)}", *arguments]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return done.stdout.splitlines()
