"""I5, from outside: the heads of the trail that our commits carry are still part of it. Pure.

A chain that is whole says nothing of rows that were cut off at its end, or of a trail that was written anew from some
row on. The Git host remembers: each commit names the event that approved it by number and hash (`Audit-Head`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from approvals.verification.facts import BranchFacts, CommitFacts, PromotionFacts
from approvals.verification.findings import Finding


@dataclass(frozen=True, slots=True)
class Trail:
    """The trail as the database has it: its last event, and the hashes of those that commits name."""

    last: int  # 0: there is none
    hashes: Mapping[int, str]


def named(branches: Iterable[BranchFacts], promotions: Mapping[str, PromotionFacts]) -> set[int]:
    """Return the numbers of the events that our commits name."""
    return {
        sequence
        for branch in branches
        for commit in _ours(branch, promotions)
        for sequence, _ in map(_parse, commit.heads)
    }


def check(
    branches: Iterable[BranchFacts], promotions: Mapping[str, PromotionFacts], trail: Trail
) -> Iterator[Finding]:
    """Compare each head with the trail; gaps in time are as they may be, a shorter or other trail is not."""
    for branch in branches:
        for commit in _ours(branch, promotions):
            for head in commit.heads:
                if sentence := _objection(head, trail):
                    about = f"{commit.name} on {branch.branch} of {branch.repository}"
                    yield Finding("I5", about, sentence)


def _objection(head: str, trail: Trail) -> str:
    sequence, known = _parse(head)
    if not sequence:
        return f"It names {head[:80]!r} as head of the trail."
    if sequence > trail.last:
        return (
            f"It knows event {sequence}, and the trail ends at {trail.last}: its end was cut off."
        )
    if trail.hashes.get(sequence) != known:
        return f"It knows another event {sequence}: the trail was written anew before that."
    return ""


def _ours(branch: BranchFacts, promotions: Mapping[str, PromotionFacts]) -> Iterator[CommitFacts]:
    # Anybody can write a trailer. One whose authentication is not ours is told by I2 and believed by nobody.
    for commit in branch.commits:
        codes = (
            promotions[name].authentication for name in commit.promotions if name in promotions
        )
        if any(code in commit.authentications for code in codes):
            yield commit


def _parse(head: str) -> tuple[int, str]:
    """Return number and hash of `number:hash`; 0 for something else."""
    number, _, known = head.partition(":")
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    return (int(number), known) if is_number else (0, "")
