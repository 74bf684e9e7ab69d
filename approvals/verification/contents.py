"""I4: what a commit changes is what was sealed, and nothing else. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from approvals.verification import documents
from approvals.verification.documents import Scalar, UnreadableError
from approvals.verification.facts import (
    BranchFacts,
    CommitFacts,
    Edit,
    FileChange,
    PromotionFacts,
)
from approvals.verification.findings import Finding, Unchecked

ABSENT, NEW_FILE, FILE_MODES = "000000", "100644", frozenset({"100644", "100755", "100664"})
# Beside its value, a Helm parameter has these fields, and a kustomization's image its name.
_BESIDE = (".name", ".forcestring", ".forceString")


def check(
    branches: Iterable[BranchFacts], promotions: Mapping[str, PromotionFacts]
) -> Iterator[Finding | Unchecked]:
    """Compare every commit of ours with the seals of the promotions it carries."""
    for branch in branches:
        for commit in branch.commits:
            carried = [promotions[name] for name in commit.promotions if name in promotions]
            if carried and len(commit.parents) <= 1:
                yield from _check_commit(commit, carried)


def _check_commit(
    commit: CommitFacts, carried: Sequence[PromotionFacts]
) -> Iterator[Finding | Unchecked]:
    paths = {path for row in carried for path in row.paths}
    for change in commit.changes:
        if change.path not in paths:
            yield Finding("I4", commit.name, f"It changes {change.path}, which nobody approved.")
        else:
            yield from _check_mode(commit, change)
            yield from _check_file(commit, change, carried)
    for path in sorted(paths - {change.path for change in commit.changes}):
        if any(len(row.paths) == 1 and path in row.paths for row in carried):
            yield Finding("I4", commit.name, f"It does not change {path}, which was approved.")


def _check_mode(commit: CommitFacts, change: FileChange) -> Iterator[Finding]:
    expected = {NEW_FILE} if change.old_mode == ABSENT else {change.old_mode} & FILE_MODES
    if change.new_mode not in expected:
        sentence = f"{change.path} goes from mode {change.old_mode} to {change.new_mode}."
        yield Finding("I4", commit.name, sentence)


def _check_file(
    commit: CommitFacts, change: FileChange, carried: Sequence[PromotionFacts]
) -> Iterator[Finding | Unchecked]:
    rows = [row for row in carried if change.path in row.paths]
    yield from _check_bytes(commit, change, rows)
    try:
        before, after = documents.flatten(change.before), documents.flatten(change.after)
    except UnreadableError as error:
        yield Unchecked("I4", f"{commit.name}, {change.path}", str(error))
        return
    edits = [edit for row in rows for edit in row.edits]
    shown = [*edits, *(edit for row in rows for edit in row.beside)]
    for place in sorted(before.keys() | after.keys()):
        old, new = before.get(place), after.get(place)
        if (old and old.value) != (new and new.value) and not _is_sealed(old, new, shown):
            was, now = (repr(side.value) if side else "nothing" for side in (old, new))
            sentence = f"{change.path}: {place} goes from {was} to {now}, which nobody approved."
            yield Finding("I4", commit.name, sentence)
    if len(rows[0].paths) == 1:
        for edit in edits:
            yield from _check_arrived(commit, change, edit, after)


def _check_bytes(
    commit: CommitFacts, change: FileChange, rows: Sequence[PromotionFacts]
) -> Iterator[Finding]:
    """Where one promotion alone was written on the very bytes that were sealed, every byte is known."""
    planned = [file for row in rows for file in row.files if file.path == change.path]
    if len(planned) != 1 or planned[0].before != _text(change.before):
        return
    if planned[0].after != _text(change.after):
        yield Finding("I4", commit.name, f"{change.path} is not, byte for byte, what was sealed.")


def _is_sealed(old: Scalar | None, new: Scalar | None, edits: Sequence[Edit]) -> bool:
    names = (old.names if old else frozenset()) | (new.names if new else frozenset())
    return any(_explains(edit, old, new, names) for edit in edits)


def _explains(edit: Edit, old: Scalar | None, new: Scalar | None, names: frozenset[str]) -> bool:
    if edit.key in names or f"{edit.key}.value" in names:
        was_sealed = (old.value if old else None) == edit.old or (old is None and edit.old == "")
        return was_sealed and (new.value if new else "") == edit.new
    # The rest of an entry that was not there before, or is not there any more.
    beside = any(f"{edit.key}{field}" in names for field in _BESIDE) or any(
        edit.key.rpartition(".")[0] + ".name" == name for name in names
    )
    return beside and (old is None or new is None or edit.old is None)


def _check_arrived(
    commit: CommitFacts, change: FileChange, edit: Edit, after: Mapping[str, Scalar]
) -> Iterator[Finding]:
    stands = [
        scalar.value
        for scalar in after.values()
        if edit.key in scalar.names or f"{edit.key}.value" in scalar.names
    ]
    if edit.new not in stands and not (edit.new == "" and not stands):
        found = ", ".join(stands) or "nothing"
        sentence = f"{change.path}: {edit.key} is {found}, not the approved {edit.new}."
        yield Finding("I4", commit.name, sentence)


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "replace")
