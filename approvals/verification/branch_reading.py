"""Reads the branches that promotions write to: every commit with our trailer or our identity, and what it changes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from approvals import sealing
from approvals.verification.facts import BranchFacts, CommitFacts, FileChange
from approvals.verification.findings import Unchecked
from updater.connections import Connections
from updater.errors import UpdaterError
from updater.integrations import git


@dataclass(frozen=True, slots=True)
class Place:
    """A branch, and the ways into its repository (project, Secret) that promotions took."""

    repository: str
    branch: str
    accesses: tuple[tuple[str, str], ...]
    recorded: tuple[str, ...]  # the commits that the database says stand there


def read(places: Iterable[Place], *, world: Connections) -> Iterator[BranchFacts | Unchecked]:
    """Return the facts of each branch, or why there are none."""
    for place in places:
        yield _read(place, world)


def _read(place: Place, world: Connections) -> BranchFacts | Unchecked:
    why = "no Application gives access to it"
    for project, secret in place.accesses:
        try:
            mirror = world.mirror(place.repository, project, secret)
            return _facts(place, mirror, email=world.signature.email)
        except UpdaterError as error:
            why = str(error)
    return Unchecked("I1", f"{place.branch} of {place.repository}", f"It cannot be read: {why}")


def _facts(place: Place, mirror: git.GitMirror, *, email: str) -> BranchFacts:
    tip = mirror.fetch(place.branch)
    ours = mirror.with_trailer(sealing.PROMOTION_ID, tip=tip)
    known = frozenset(message.sha for message in ours)
    bare = [one for one in mirror.committed_by(email, tip=tip) if one.sha not in known]
    messages = (*bare, *ours)
    changes = mirror.changes([message.sha for message in messages])
    commits = tuple(_commit(message, changes[message.sha]) for message in messages)
    unknown = [sha for sha in place.recorded if sha not in known]
    return BranchFacts(
        repository=place.repository,
        branch=place.branch,
        tip=tip,
        commits=commits[::-1],
        reachable=known.intersection(place.recorded) | mirror.reachable(unknown, tip),
    )


def _commit(message: git.Message, changes: Iterable[git.PathChange]) -> CommitFacts:
    return CommitFacts(
        sha=message.sha,
        parents=message.parents,
        committer=message.committer_email,
        promotions=_values(message, sealing.PROMOTION_ID),
        authentications=_values(message, sealing.PROMOTION_MAC),
        digests=_values(message, sealing.IMAGE_DIGEST),
        heads=_values(message, sealing.AUDIT_HEAD),
        changes=tuple(
            FileChange(one.path, one.old_mode, one.new_mode, one.before, one.after)
            for one in changes
        ),
    )


def _values(message: git.Message, key: str) -> tuple[str, ...]:
    found = [value for name, value in message.trailers if name.lower() == key.lower()]
    return tuple(dict.fromkeys(found))
