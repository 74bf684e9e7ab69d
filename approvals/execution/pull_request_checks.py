"""Whether what stands on the host is what was approved: the branch before the merge, the base after it."""

from collections.abc import Sequence

from approvals import planning
from approvals.execution import batches
from approvals.execution.proposals import Record
from approvals.models import Execution, Promotion
from approvals.planning import Change, Prepared
from updater.connections import Connections
from updater.integrations import git
from updater.integrations.git.pull_requests import PullRequest


def own_commits(promotions: Sequence[Promotion], record: Record | None) -> set[str]:
    """Return every commit that we built for these promotions, or found to bring the same."""
    intended = Execution.objects.filter(promotion__in=promotions).exclude(intended_commit="")
    kept = {record.head_sha} if record else set()
    return kept | set(intended.values_list("intended_commit", flat=True))


def brings_the_same(
    promotions: Sequence[Promotion],
    head_sha: str,
    *,
    base: str,
    mirror: git.GitMirror,
    world: Connections,
) -> bool:
    """Whether merging `head_sha` into `base` brings the sealed change and nothing else.

    So it is after the host's own "update branch", which merges or rebases; a stranger's push is something else.
    """
    start = mirror.merge_base(base, head_sha)
    if start is None:
        return False
    prepared = _planned(promotions, parent=start, world=world)
    wanted = {file.path: file.after for file in prepared.plan.files}
    if batches.compare(promotions, prepared) or set(mirror.diff_names(start, head_sha)) != set(
        wanted
    ):
        return False
    return mirror.read_files(head_sha, wanted) == wanted


def missing_edits(promotions: Sequence[Promotion], *, tip: str, world: Connections) -> list[str]:
    """Return what of the sealed change does not stand at `tip`, as "key is this, not that"."""
    prepared = _planned(promotions, parent=tip, world=world)
    aliases = {promotion.tracked_image.alias for promotion in promotions}
    return [
        f"{edit.key} is {edit.old or 'absent'}, not {edit.new}"
        for edit in prepared.plan.edits
        if edit.image in aliases
    ]


def arrival(found: PullRequest, *, tip: str, mirror: git.GitMirror) -> str:
    """Return the commit by which it came onto the base branch, "" when none of those told is there."""
    told = (sha for sha in found.merge_shas if mirror.is_ancestor(sha, tip))
    return next(told, "")


def foreign_paths(
    promotions: Sequence[Promotion], commit: str, *, mirror: git.GitMirror
) -> list[str]:
    """Return the files that the merge changed and nobody approved."""
    parents = mirror.parents(commit)
    if not parents:
        return []
    sealed = {path for promotion in promotions for path in promotion.subject["paths"]}
    return sorted(set(mirror.diff_names(parents[0], commit)) - sealed)


def _planned(promotions: Sequence[Promotion], *, parent: str, world: Connections) -> Prepared:
    changes = [Change(row.tracked_image, row.candidate) for row in promotions]
    return planning.prepare(promotions[0].application, changes, world=world, parent=parent)
