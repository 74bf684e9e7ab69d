"""Commits on a branch that claim promotions which the database does not know as written: found at the next fetch.

So a database that was restored from an older backup is noticed by the running product. Each commit is looked at
once, also where several Applications have their pull requests merged into one branch: the lease of the branch
remembers up to which commit, whether anybody pushes to it directly or not. Whoever pushes writes what they like, so a
look has its bounds: the newest claims; `verify executions` looks at all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from uuid import UUID

from django.db import transaction

from approvals import lifecycle, sealing
from approvals.execution.destinations import branch_name
from approvals.execution.proposals import Standing
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import audit, leases
from updater.audit import Actor, AuditKind
from updater.integrations import git
from updater.leases import Grant
from updater.models import Lease

# These look for their own trailer, and are linked again by it.
_LOOKED_FOR = (Status.APPROVED, Status.EXECUTING, Status.ERRORED, Status.UNKNOWN)
_MAY_BE_MERGED = (Standing.PROPOSED, Standing.OPEN, Standing.MERGED)

MAX_CLAIMS = 1000  # of one look
MAX_SEALS = 100  # of one commit; ours carry half as many
MAX_PATHS_LENGTH = 64 * 1024  # of all names that a commit changes; ours change a few files
_SEAL = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Claim:
    """A commit that names a promotion, and whether our key made its trailer."""

    commit: str
    promotion_id: str
    row: Promotion | None
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to which commit a branch had been looked at before it was fetched."""

    target: str
    branch: str
    seen: str


def before_fetch(repository: str, branch: str) -> Cursor:
    """Return where the last look ended; read later, it might name a commit that the fetch did not bring."""
    target = branch_name(repository, branch)
    lease, _ = Lease.objects.get_or_create(target=target)
    return Cursor(target, branch, lease.seen_tip)


def look(grant: Grant, cursor: Cursor, *, tip: str, mirror: git.GitMirror, by: Actor) -> int:
    """Raise an alarm for each commit since the last look that should not be there; return how many."""
    if cursor.seen == tip:
        return 0
    messages = _messages(mirror, tip=tip, since=cursor.seen or None)
    found = chain.from_iterable(_claims(message, mirror) for message in messages)
    strange = [claim for claim in islice(found, MAX_CLAIMS) if not _is_known(claim)]
    with transaction.atomic():
        leases.require_current(grant)
        unmoved = Lease.objects.filter(target=cursor.target, seen_tip=cursor.seen)
        if not unmoved.update(seen_tip=tip):
            return 0  # who looked meanwhile for another Application tells of them
        for claim in strange:
            _alarm(claim, branch=cursor.branch, by=by)
    return len(strange)


def skip(grant: Grant, *, since: str, tip: str) -> None:
    """Count our own push, just recorded, as looked at: nothing else came between `since` and `tip`."""
    Lease.objects.filter(target=grant.target, fence=grant.fence, seen_tip=since).update(
        seen_tip=tip
    )


def _messages(mirror: git.GitMirror, *, tip: str, since: str | None) -> tuple[git.Message, ...]:
    try:
        return mirror.with_trailer(sealing.PROMOTION_ID, tip=tip, since=since)
    except git.CommitNotFoundError:  # the history was rewritten: all of it is new
        return mirror.with_trailer(sealing.PROMOTION_ID, tip=tip)


def _claims(message: git.Message, mirror: git.GitMirror) -> Iterator[_Claim]:
    ids = _values(message, sealing.PROMOTION_ID)[:MAX_CLAIMS]
    seals = list(filter(_SEAL.fullmatch, _values(message, "Seal")))[:MAX_SEALS]
    codes = set(_values(message, sealing.PROMOTION_MAC))
    rows = _rows(ids)
    changed = _paths(message, mirror) if len(rows) < len(ids) else ()
    for promotion_id in ids:
        row = rows.get(promotion_id)
        paths = row.subject["paths"] if row else changed
        made = {sealing.authenticate(promotion_id, seal, paths) for seal in seals}
        yield _Claim(message.sha, promotion_id, row, is_ours=bool(made & codes))


def _rows(ids: list[str]) -> Mapping[str, Promotion]:
    known = Promotion.objects.with_target().in_bulk([each for each in ids if _is_uuid(each)])
    return {str(key): row for key, row in known.items()}


def _paths(message: git.Message, mirror: git.GitMirror) -> Sequence[str]:
    """Return what a commit changes; nothing where that is more than a commit of ours would."""
    try:
        names = [mirror.diff_names(parent, message.sha) for parent in message.parents[:1]]
    except git.RepositoryTooLargeError:
        return ()
    changed = tuple(chain.from_iterable(names))
    return changed if sum(map(len, changed)) <= MAX_PATHS_LENGTH else ()


def _is_known(claim: _Claim) -> bool:
    if claim.row is None:
        return False
    # A promotion that is carried out now judges trailers with its own name by itself; whatever became of it
    # meanwhile, what it proposed may be merged until we see its pull request closed.
    is_proposed = claim.row.pull_request.get("state") in _MAY_BE_MERGED
    return bool(claim.row.commit) or is_proposed or claim.row.status in _LOOKED_FOR


def _alarm(claim: _Claim, *, branch: str, by: Actor) -> None:
    subject = lifecycle.subject_of(claim.row) if claim.row else audit.Subject()
    stands = (
        f"is {claim.row.get_status_display().lower()} here" if claim.row else "is not known here"
    )
    said = (
        "Was the database restored from an older backup?"
        if claim.is_ours
        else "Its authentication is not ours."
    )
    audit.record(
        kind=AuditKind.COMMIT_ORPHANED if claim.is_ours else AuditKind.TRAILER_FORGED,
        by=by,
        subject=subject,
        details={
            "commit": claim.commit,
            "branch": branch,
            "claims": claim.promotion_id,
            "reason": f"Commit {claim.commit[:10]} on {branch} is for promotion {claim.promotion_id}, "
            f"which {stands}. {said}",
        },
    )


def _values(message: git.Message, key: str) -> list[str]:
    found = [value for name, value in message.trailers if name.lower() == key.lower()]
    return list(dict.fromkeys(found))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
