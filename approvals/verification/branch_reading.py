"""Reads the branches that promotions write to: every commit with our trailer or our identity, and what it changes."""

from collections.abc import Iterable, Iterator, Sequence
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
    known = {message.sha for message in ours}
    bare = [one for one in mirror.committed_by(email, tip=tip) if one.sha not in known]
    commits = tuple(_commit(message, mirror) for message in (*bare, *ours))
    return BranchFacts(
        repository=place.repository,
        branch=place.branch,
        tip=tip,
        commits=commits[::-1],
        reachable=frozenset(
            sha for sha in place.recorded if sha in known or mirror.is_ancestor(sha, tip)
        ),
    )


def _commit(message: git.Message, mirror: git.GitMirror) -> CommitFacts:
    has_changes = len(message.parents) == 1
    return CommitFacts(
        sha=message.sha,
        parents=message.parents,
        committer=message.committer_email,
        promotions=_values(message, sealing.PROMOTION_ID),
        authentications=_values(message, sealing.PROMOTION_MAC),
        digests=_values(message, sealing.IMAGE_DIGEST),
        heads=_values(message, sealing.AUDIT_HEAD),
        changes=_changes(message.parents[0], message.sha, mirror) if has_changes else (),
    )


def _values(message: git.Message, key: str) -> tuple[str, ...]:
    found = [value for name, value in message.trailers if name.lower() == key.lower()]
    return tuple(dict.fromkeys(found))


def _changes(parent: str, sha: str, mirror: git.GitMirror) -> tuple[FileChange, ...]:
    changed = mirror.changes(parent, sha)
    before = _contents(parent, [one.path for one in changed if _is_file(one.old_mode)], mirror)
    after = _contents(sha, [one.path for one in changed if _is_file(one.new_mode)], mirror)
    return tuple(
        FileChange(one.path, one.old_mode, one.new_mode, before.get(one.path), after.get(one.path))
        for one in changed
    )


def _is_file(mode: str) -> bool:
    return mode.startswith("100")


def _contents(commit: str, paths: Sequence[str], mirror: git.GitMirror) -> dict[str, bytes | None]:
    return mirror.read_files(commit, paths)
