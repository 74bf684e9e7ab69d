"""Carries out promotions of one Application by pull requests.

New ones: look and build → claim with the intended branch and commit → push the branch → open the pull request → wait.
Those that wait: look at the host → merged: check the base branch, record, refresh Argo CD; closed: stop; else wait on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from approvals.execution import batches, orphans, proposals, refreshing
from approvals.execution import pull_request_checks as checks
from approvals.execution.batches import Commit
from approvals.execution.ledger import Ledger
from approvals.execution.proposals import Record, Standing
from approvals.execution.pull_request_endings import Endings
from approvals.execution.pull_request_facts import Facts
from approvals.execution.pull_request_reasons import unwanted
from approvals.execution.pull_request_watch import watch
from approvals.models import Promotion
from updater import clock
from updater.connections import Connections
from updater.errors import PermanentError, TransientError, UpdaterError
from updater.integrations import git
from updater.integrations.git import pull_requests
from updater.integrations.git.pull_requests import PullRequest, PullRequestHost


class BranchTakenError(PermanentError):
    """A branch of the name that our pull request must have holds something else."""

    code = "pull_request_branch_taken"


class ProposalUnseenError(TransientError):
    """The host says that there is a pull request already, and shows none."""

    code = "pull_request_unseen"


@dataclass(frozen=True, slots=True)
class _Draft:
    """A pull request that is to be: what the branch must be now, or that it stands at our commit already."""

    record: Record
    expected: str | None
    is_pushed: bool


def carry_out(promotions: Sequence[Promotion], *, ledger: Ledger, world: Connections) -> None:
    """Propose what is new and look at what waits; every promotion ends in a recorded state."""
    new = []
    for row in promotions:
        if row.pushed_at is not None:
            _refresh(row, ledger=ledger, world=world)
        elif not proposals.waits_on_host(row):
            new.append(row)
    for waiting in _by_branch(promotions):
        new += watch(waiting, ledger=ledger, world=world)
    if new:
        _propose(new, ledger=ledger, world=world)


def _refresh(row: Promotion, *, ledger: Ledger, world: Connections) -> None:
    """Go on after the merge: only Argo CD was not told yet."""
    if (record := proposals.record_of(row)) is not None:
        Facts(ledger).resume([row], record)
    refreshing.refresh(row, ledger=ledger, world=world)


def _by_branch(promotions: Sequence[Promotion]) -> list[list[Promotion]]:
    groups: dict[str, list[Promotion]] = {}
    for row in promotions:
        if proposals.waits_on_host(row):
            groups.setdefault(row.pull_request["head"], []).append(row)
    return list(groups.values())


def _propose(promotions: list[Promotion], *, ledger: Ledger, world: Connections) -> None:
    plan, project = promotions[0].plan, promotions[0].application.project
    kind = plan["pull_request"]["host"]
    try:
        host = world.pull_requests(kind, plan["repository"], project, plan["secret"])
        mirror = world.mirror(plan["repository"], project, plan["secret"])
        found = _build_and_open(promotions, host=host, mirror=mirror, ledger=ledger, world=world)
    except UpdaterError as error:
        ledger.not_ready(promotions, error)
        return
    for row in found:
        refreshing.refresh(row, ledger=ledger, world=world)


def _build_and_open(
    promotions: list[Promotion],
    *,
    host: PullRequestHost,
    mirror: git.GitMirror,
    ledger: Ledger,
    world: Connections,
) -> list[Promotion]:
    """Propose all that can go along; return those found on the base branch already."""
    left, written, facts = promotions, [], Facts(ledger)
    begun: set[UUID] = set()
    while left:
        base = promotions[0].plan["base_branch"]
        cursor = orphans.before_fetch(promotions[0].plan["repository"], base)
        batch = batches.build(left, branch=base, mirror=mirror, world=world)
        orphans.look(ledger.grant, cursor, tip=batch.base, mirror=mirror, by=ledger.by)
        written += ledger.settle(batch)
        if not batch.commits:
            break
        commit = batch.commits[0]  # one Application, one commit
        draft = _draft(commit, base=base, mirror=mirror, world=world)
        left = _claim(commit, draft.record, begun, facts=facts)
        if len(left) == len(commit.promotions):
            _push_and_open(commit, draft, host=host, mirror=mirror, facts=facts)
            break
    return written


def _claim(commit: Commit, record: Record, begun: set[UUID], *, facts: Facts) -> list[Promotion]:
    """Claim the commit if all of it may still go; return the promotions that may."""
    # Building took its time: a hold or the end of a window may have come in between.
    waiting = [row for row in commit.promotions if row.pk not in begun]
    open_ones = {row.pk for row in facts.ledger.without_waiting(waiting)}
    if len(open_ones) < len(waiting):
        return [row for row in commit.promotions if row.pk in begun | open_ones]
    claimed = _without_stopped(facts.claim(commit, record), record, facts)
    begun |= {row.pk for row in claimed}
    return claimed


def _without_stopped(rows: list[Promotion], record: Record, facts: Facts) -> list[Promotion]:
    """End those that a person asked to stop before anything is on the host; return the others."""
    fresh = list(Promotion.objects.stopping().with_target().filter(pk__in=[row.pk for row in rows]))
    Endings(facts.ledger).never_opened(fresh, record, unwanted(fresh))
    return [row for row in rows if row not in fresh]


def _draft(commit: Commit, *, base: str, mirror: git.GitMirror, world: Connections) -> _Draft:
    """Say what is to be pushed where; a branch of an earlier attempt is used as it stands.

    Raises:
        BranchTakenError: somebody's branch has the name of ours.
    """
    rows = commit.promotions
    head = proposals.head_branch(rows)
    record = Record(
        host=rows[0].plan["pull_request"]["host"],
        head=head,
        base=base,
        head_sha=commit.sha,
        state=Standing.PROPOSED,
        message=commit.message,
    )
    tip = mirror.fetch(head) if mirror.branch_exists(head) else None
    if tip is None or mirror.is_ancestor(tip, commit.base):
        return _Draft(record, expected=tip, is_pushed=False)
    is_ours = tip in checks.own_commits(rows, record) or checks.brings_the_same(
        rows, tip, base=commit.base, mirror=mirror, world=world
    )
    if not is_ours:
        raise BranchTakenError(
            f"The branch {head} exists already and holds something else ({tip[:10]}). Delete it, then retry."
        )
    return _Draft(record.at_commit(tip), expected=tip, is_pushed=True)


def _push_and_open(
    commit: Commit,
    draft: _Draft,
    *,
    host: PullRequestHost,
    mirror: git.GitMirror,
    facts: Facts,
) -> None:
    rows, record = commit.promotions, draft.record
    try:
        if not draft.is_pushed:
            mirror.push(record.head_sha, record.head, expected=draft.expected)
        facts.pushed(commit, record, is_found=draft.is_pushed)
        found, is_found = _open_or_find(rows, record, host=host)
        note = _label(found, rows, host=host)
    except UpdaterError as error:
        facts.ledger.errored(rows, error)
        return
    facts.opened(rows, record.seen(found, at=clock.now()), is_found=is_found, note=note)


def _open_or_find(
    promotions: Sequence[Promotion], record: Record, *, host: PullRequestHost
) -> tuple[PullRequest, bool]:
    """Return the pull request of our branch, and whether it was there already."""
    labels = promotions[0].plan["pull_request"]["labels"]
    try:
        return host.open(proposals.proposal(record, promotions, labels=labels)), False
    except pull_requests.ProposalExistsError as exists:
        if found := host.find(record.head, record.base, only_open=True):
            return found[0], True
        raise ProposalUnseenError(str(exists)) from exists


def _label(found: PullRequest, promotions: Sequence[Promotion], *, host: PullRequestHost) -> str:
    """Add the configured labels; a pull request without them is still good."""
    labels = tuple(promotions[0].plan["pull_request"]["labels"])
    if not labels:
        return ""
    try:
        host.label(found.number, labels)
    except UpdaterError as error:
        return f"Without its labels: {error}"
    return ""
