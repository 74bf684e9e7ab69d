"""Looks at one pull request that waits on its host, and acts on what became of it.

Merged: checked and recorded. Not wanted any more, or edited by others: closed by us. Closed by others: it stays so.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from uuid import UUID

from django.conf import settings

from approvals.execution import batches, gates, orphans, proposals, refreshing
from approvals.execution import pull_request_checks as checks
from approvals.execution import pull_request_reasons as reasons
from approvals.execution.ledger import Ledger
from approvals.execution.proposals import Record, Standing
from approvals.execution.pull_request_endings import Endings
from approvals.execution.pull_request_facts import Facts
from approvals.execution.pull_request_reasons import WAITING, Reason
from approvals.models import Promotion
from updater import clock
from updater.connections import Connections
from updater.errors import PermanentError, TransientError, UpdaterError
from updater.integrations import git
from updater.integrations.git.pull_requests import PullRequest, PullRequestHost, State

logger = logging.getLogger(__name__)

WHEN_ALLOWED = "when-allowed"
MAX_PATHS = 20  # named in one sentence


class HeadEditedError(PermanentError):
    """Somebody pushed to our branch; what it brings is not what was approved."""

    code = "pull_request_edited"


class MergedDifferentlyError(PermanentError):
    """It was merged, and the base branch does not hold what was approved."""

    code = "pull_request_merged_differently"


class MergeUnseenError(TransientError):
    """The host says it was merged, and the base branch does not show it."""

    code = "pull_request_merge_unseen"


def watch(
    promotions: Sequence[Promotion], *, ledger: Ledger, world: Connections
) -> list[Promotion]:
    """Look once; return those of `promotions` for which nothing stands on the host: to be proposed anew."""
    record = proposals.record_of(promotions[0])
    if record is None:
        return list(promotions)
    members, facts = _members(promotions[0], record), Facts(ledger)
    try:
        wanted = _Watch(members, record, facts, world).look()
    except TransientError as error:
        facts.postponed(members, error)
        return []
    except UpdaterError as error:
        Endings(ledger).stopped(members, None, error)
        return []
    due = {row.pk for row in promotions}
    return [row for row in wanted if row.pk in due]


def _members(promotion: Promotion, record: Record) -> list[Promotion]:
    """Return all that the pull request holds, whatever became of them here."""
    rows = Promotion.objects.with_target().prefetch_related("decisions__by")
    held = rows.filter(application=promotion.application, pull_request__head=record.head)
    return [row for row in held.order_by("created_at") if proposals.waits_on_host(row)]


class _Watch:
    """One look at the pull request of these promotions."""

    def __init__(
        self, members: list[Promotion], record: Record, facts: Facts, world: Connections
    ) -> None:
        self._members = members
        self._alive = [row for row in members if row.status in WAITING]
        self._record = record
        self._facts = facts
        self._endings = Endings(facts.ledger)
        self._world = world

    def look(self) -> list[Promotion]:
        """Act on what stands on the host; return the promotions for which nothing does."""
        found, unwanted = self._find(), reasons.unwanted(self._members)
        if found is None:
            self._endings.never_opened(self._members, self._record, unwanted)
            return [row for row in self._members if row.pk not in unwanted]
        if unwanted and found.state is not State.MERGED:
            found = self._call_off(found, unwanted)
        if found is not None:
            self._act(found)
        return []

    def _find(self) -> PullRequest | None:
        record = self._record
        if record.number:
            return self._host.get(record.number)
        # The worker that was to open it is gone, or did not hear the answer.
        found = self._host.find(record.head, record.base, only_open=False)
        own = checks.own_commits(self._members, record)
        ours = (each for each in found if each.state is State.OPEN or each.head_sha in own)
        seen = next(ours, None)
        return self._host.get(seen.number) if seen else None

    def _call_off(self, found: PullRequest, unwanted: dict[UUID, Reason]) -> PullRequest | None:
        """Close it, and record why; return it when it was merged before we could."""
        if found.state is State.OPEN:
            found = self._close(found, " ".join(reason.text for reason in unwanted.values()))
            if found.state is State.MERGED:
                return found
        self._endings.called_off(self._members, self._seen(found), unwanted)
        self._tidy(found)
        return None

    def _close(self, found: PullRequest, why: str) -> PullRequest:
        self._host.close(found.number)
        after = self._host.get(found.number)
        if after.state is not State.MERGED:
            text = f"Closed by Countersign:\n\n{proposals.fenced(why)}"
            self._leniently(lambda: self._host.comment(found.number, text), "no comment")
        return after

    def _act(self, found: PullRequest) -> None:
        self._facts.resume(self._alive, self._record)
        if self._record.state is Standing.PROPOSED:
            self._record = self._seen(found)
            self._facts.opened(self._alive, self._record, is_found=True)
        if found.state is State.MERGED:
            self._take(found)
        elif self._is_edited(found):
            self._refuse_edit(found)
        elif found.state is State.CLOSED:
            self._endings.closed(self._alive, self._record, who=found.ended_by)
        else:
            self._wait(found)

    def _wait(self, found: PullRequest) -> None:
        why = found.obstacle
        if settings.PULL_REQUEST_MERGE == WHEN_ALLOWED and not why:
            try:
                after = self._merge(found)
            except batches.DigestMovedError as moved:
                self._call_off(found, {row.pk: Reason(str(moved)) for row in self._alive})
                return
            except UpdaterError as refusal:
                why = _words(refusal)
            else:
                if after.state is State.MERGED:
                    self._take(after)
                    return
        self._facts.waits(self._alive, self._seen(found), why)

    def _merge(self, found: PullRequest) -> PullRequest:
        for row in self._alive:
            gates.require_open_now(row, at=clock.now())
            batches.require_digest(row, world=self._world)
        self._host.merge(found, message=self._record.message)
        return self._host.get(found.number)

    def _take(self, found: PullRequest) -> None:
        """Record the merge, if the base branch holds what was approved."""
        over = [row for row in self._members if row.status not in WAITING]
        self._facts.merged_anyway(over, self._seen(found), who=found.ended_by)
        if not self._alive:
            return
        ledger, base = self._facts.ledger, self._record.base
        cursor = orphans.before_fetch(self._place[0], base)
        tip = self._mirror.fetch(base)
        orphans.look(ledger.grant, cursor, tip=tip, mirror=self._mirror, by=ledger.by)
        commit = checks.arrival(found, tip=tip, mirror=self._mirror)
        if error := self._objection(found, tip, commit):
            seen = replace(self._seen(found), state=Standing.MERGED)
            self._endings.stopped(self._alive, seen, error)
            return
        written = self._facts.merged(
            self._alive, self._seen(found), commit=commit or tip, who=found.ended_by
        )
        for row in written:
            refreshing.refresh(row, ledger=ledger, world=self._world)
        self._tidy(found)

    def _objection(self, found: PullRequest, tip: str, commit: str) -> UpdaterError | None:
        base, name = self._record.base, found.name
        missing = checks.missing_edits(self._alive, tip=tip, world=self._world)
        if missing and found.merge_shas and not commit:
            return MergeUnseenError(
                f"{name} was merged as {found.merge_shas[0][:10]}, which {base} does not hold yet."
            )
        if missing:
            differences = "; ".join(missing)
            return MergedDifferentlyError(f"{name} was merged, but on {base} {differences}.")
        is_ours = found.head_sha in ("", *checks.own_commits(self._alive, self._record))
        foreign = (
            []
            if is_ours or not commit
            else checks.foreign_paths(self._alive, commit, mirror=self._mirror)
        )
        if foreign:
            return MergedDifferentlyError(
                f"{name} was merged with more than was approved: {', '.join(foreign[:MAX_PATHS])}."
            )
        return None

    def _is_edited(self, found: PullRequest) -> bool:
        """Whether the branch brings something else; one that the host brought up to date does not."""
        own = checks.own_commits(self._alive, self._record)
        if found.head_sha in ("", *own):
            return False
        if found.state is State.CLOSED:
            return True
        base, head = self._mirror.fetch(self._record.base), self._mirror.fetch(self._record.head)
        is_same = head in own or checks.brings_the_same(
            self._alive, head, base=base, mirror=self._mirror, world=self._world
        )
        if is_same:
            self._record = self._record.at_commit(head)
        return not is_same

    def _refuse_edit(self, found: PullRequest) -> None:
        why = (
            f"Somebody pushed to {self._record.head}: it stands at {found.head_sha[:10]} and brings something "
            f"else than {self._record.head_sha[:10]}, which was approved. {found.name} was closed; delete the "
            "branch before you retry."
        )
        if found.state is State.OPEN:
            found = self._close(found, why)
        if found.state is State.MERGED:
            self._take(found)
            return
        closed = replace(self._seen(found), state=Standing.CLOSED)
        self._endings.stopped(self._alive, closed, HeadEditedError(why))

    def _seen(self, found: PullRequest) -> Record:
        return self._record.seen(found, at=clock.now())

    def _tidy(self, found: PullRequest) -> None:
        """Remove our branch if nobody touched it; the host may have done so."""
        sha = found.head_sha
        if sha and sha in checks.own_commits(self._members, self._record):
            head = self._record.head
            self._leniently(lambda: self._mirror.delete_branch(head, expected=sha), "branch stays")

    def _leniently(self, work: Callable[[], None], otherwise: str) -> None:
        try:
            work()
        except UpdaterError as error:
            details = {"head": self._record.head, "reason": str(error), "otherwise": otherwise}
            logger.info("pull request not tidied", extra=details)

    @cached_property
    def _host(self) -> PullRequestHost:
        repository, project, secret = self._place
        return self._world.pull_requests(self._record.host, repository, project, secret)

    @cached_property
    def _mirror(self) -> git.GitMirror:
        return self._world.mirror(*self._place)

    @property
    def _place(self) -> tuple[str, str, str]:
        row = self._members[0]
        return row.plan["repository"], row.application.project, row.plan["secret"]


def _words(error: UpdaterError) -> str:
    why = error.why if isinstance(error, git.GitError) else ""
    return (why or str(error)).rstrip(".")
