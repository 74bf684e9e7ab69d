"""Commits for all due promotions of one Git repository and branch: built, not yet pushed.

One commit an Application, each on top of the one before. An Application or promotion that cannot go along
is set aside with its error; the others go on without it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from approvals import planning, policy, resealing, sealing
from approvals.execution import messages, traces
from approvals.execution.traces import ForgedTrailerError, Traces
from approvals.models import Promotion
from approvals.planning import Change, NothingToWriteError, Prepared
from approvals.policy import Rules
from updater import clock
from updater.connections import Connections
from updater.crashpoints import crashpoint
from updater.errors import PermanentError, UpdaterError
from updater.integrations import git
from updater.models import Application


class SubjectChangedError(PermanentError):
    """What would be written is not what was approved."""

    code = "subject_changed"

    def __init__(self, message: str, *, plan: dict[str, object]) -> None:
        super().__init__(message)
        self.plan = plan


class HistoryRewrittenError(PermanentError):
    """The commit that the plan was made on is no longer part of the branch."""

    code = "history_rewritten"


class DigestMovedError(PermanentError):
    """The tag was pushed again after it was sealed."""

    code = "digest_moved"


@dataclass(frozen=True, slots=True)
class Commit:
    """One Application's commit, with the promotions it carries."""

    sha: str
    base: str
    promotions: tuple[Promotion, ...]
    message: str = ""  # "" for one that was found


@dataclass(slots=True)
class Batch:
    """What one push would bring, what stands on the branch already, and what was set aside."""

    base: str  # the commit it is built on
    branch: str
    expected: str | None  # what the remote branch must still be; None: it does not exist yet
    commits: list[Commit] = field(default_factory=list)
    found: list[Commit] = field(default_factory=list)
    set_aside: list[tuple[Promotion, UpdaterError]] = field(default_factory=list)

    @property
    def promotions(self) -> list[Promotion]:
        """Everything that the push would carry out."""
        return [row for commit in self.commits for row in commit.promotions]

    @property
    def tip(self) -> str:
        """The commit to push; equal to `base` when there is none."""
        return self.commits[-1].sha if self.commits else self.base


def build(
    promotions: Sequence[Promotion], *, branch: str, mirror: git.GitMirror, world: Connections
) -> Batch:
    """Look for what is done already, then build commits for the rest. Network, no transaction.

    Raises:
        What fetching the branch raises: then nothing can be said about any of them.
    """
    base_branch = promotions[0].plan["base_branch"]
    crashpoint("fetch.before")
    exists = branch == base_branch or mirror.branch_exists(branch)
    base = mirror.fetch(branch if exists else base_branch)
    crashpoint("fetch.after")
    batch = Batch(base=base, branch=branch, expected=base if exists else None)
    left = _still_sealed(batch, _look_for_done(batch, promotions, mirror=mirror), world=world)
    _bring_files(base, left, mirror=mirror)
    # Read once for all: a policy that changes meanwhile closes the gate that is looked at before the claim.
    rules = policy.rules_for(left)
    for application, rows in _by_application(left).items():
        _append(batch, application, rows, rules=rules, mirror=mirror, world=world)
    return batch


def _look_for_done(
    batch: Batch, promotions: Sequence[Promotion], *, mirror: git.GitMirror
) -> list[Promotion]:
    """Sort out promotions whose trailer is on the branch already; return the others."""
    left: list[Promotion] = []
    for since, rows in _by_base(promotions).items():
        is_rewritten = not mirror.is_ancestor(since, batch.base)
        start = None if is_rewritten else since
        found = traces.look(rows, branch=batch.branch, tip=batch.base, since=start, mirror=mirror)
        for row in rows:
            left += _sort_out(batch, row, found, is_rewritten=is_rewritten)
    order = {row.pk: place for place, row in enumerate(promotions)}
    return sorted(left, key=lambda row: order[row.pk])


def _by_base(promotions: Sequence[Promotion]) -> dict[str, list[Promotion]]:
    groups: dict[str, list[Promotion]] = {}
    for row in promotions:
        groups.setdefault(row.plan["base_commit"], []).append(row)
    return groups


def _sort_out(
    batch: Batch, row: Promotion, found: Traces, *, is_rewritten: bool
) -> list[Promotion]:
    """Put the promotion where it belongs; return it when it is still to be written."""
    try:
        sha = found.commit_of(row)
    except ForgedTrailerError as error:
        batch.set_aside.append((row, error))
        return []
    if sha:
        batch.found.append(Commit(sha, batch.base, (row,)))
        return []
    if is_rewritten:
        message = f"The history of {batch.branch} was rewritten since this was sealed; look again."
        batch.set_aside.append((row, HistoryRewrittenError(message)))
        return []
    return [row]


def _bring_files(base: str, promotions: Sequence[Promotion], *, mirror: git.GitMirror) -> None:
    """Read everything that will be written in one go; who cannot be read is told when its turn comes."""
    paths = [file["path"] for row in promotions for file in row.plan["files"]]
    with suppress(git.GitError):
        mirror.read_files(base, paths)


def _by_application(promotions: Sequence[Promotion]) -> dict[Application, list[Promotion]]:
    groups: dict[Application, list[Promotion]] = {}
    for row in promotions:
        groups.setdefault(row.application, []).append(row)
    return groups


def _append(
    batch: Batch,
    application: Application,
    rows: list[Promotion],
    *,
    rules: Rules,
    mirror: git.GitMirror,
    world: Connections,
) -> None:
    """Add this Application's commit; whoever does not fit is set aside and the rest is planned anew."""
    while rows:
        try:
            changes = [Change(row.tracked_image, row.candidate) for row in rows]
            prepared = planning.prepare(
                application,
                changes,
                world=world,
                parent=batch.tip,
                effective=rules.effective[application.pk],
            )
        except UpdaterError as error:
            batch.set_aside += [(row, error) for row in rows]
            return
        changed = compare(rows, prepared, rules=rules)
        if not changed:
            _commit(batch, rows, prepared, mirror=mirror, world=world)
            return
        batch.set_aside += changed
        left = {row.pk for row, _ in changed}
        rows = [row for row in rows if row.pk not in left]


def _still_sealed(
    batch: Batch, rows: Sequence[Promotion], *, world: Connections
) -> list[Promotion]:
    """Return the rows whose tag still stands for the sealed digest; the others are set aside."""
    kept = []
    answers = world.digests_of([(row.tracked_image, row.to_tag) for row in rows])
    for row, answer in zip(rows, answers, strict=True):
        error = answer if isinstance(answer, UpdaterError) else _moved(row, answer)
        if error is None:
            kept.append(row)
        else:
            batch.set_aside.append((row, error))
    return kept


def require_digest(row: Promotion, *, world: Connections) -> None:
    """Ask the registry which digest the tag stands for now.

    Raises:
        DigestMovedError: not the sealed one.
    """
    if error := _moved(row, world.digest_of(row.tracked_image, row.to_tag)):
        raise error


def _moved(row: Promotion, digest: str) -> DigestMovedError | None:
    if digest == row.to_digest:
        return None
    return DigestMovedError(
        f"{row.to_tag} was pushed again: sealed {row.to_digest}, now {digest}. Nothing was written."
    )


def compare(
    rows: Sequence[Promotion], prepared: Prepared, *, rules: Rules | None = None
) -> list[tuple[Promotion, UpdaterError]]:
    """Return the promotions whose sealed change is not what this plan would write, each with why."""
    plan = planning.document(prepared, at=clock.now())
    changed: list[tuple[Promotion, UpdaterError]] = []
    for row in rows:
        own = [edit for edit in plan["edits"] if edit["image"] == row.tracked_image.alias]
        if not own:
            changed.append((row, NothingToWriteError(f"{row.to_tag} already stands in Git.")))
        elif sealing.seal(resealing.current_subject(row, plan, rules=rules)) != row.seal:
            message = "What would be written is not what was approved."
            changed.append((row, SubjectChangedError(message, plan=plan)))
    return changed


def _commit(
    batch: Batch,
    rows: Sequence[Promotion],
    prepared: Prepared,
    *,
    mirror: git.GitMirror,
    world: Connections,
) -> None:
    base = batch.tip
    approved = [row.approved_at for row in rows if row.approved_at is not None]
    message = messages.with_trailers(prepared.plan.message, rows)
    sha = mirror.commit(
        parent=base,
        files={file.path: file.after for file in prepared.plan.files},
        message=message,
        author=world.signature,
        committer=world.signature,
        at=max(approved),
        sign=world.signing_key,
    )
    batch.commits.append(Commit(sha, base, tuple(rows), message))
