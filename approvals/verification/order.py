"""I8: what stands under a key was approved later than what stood there before. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from approvals.verification.facts import BranchFacts, PromotionFacts
from approvals.verification.findings import Finding

Place = tuple[str, ...]  # where a value is written


def check_branches(
    branches: Iterable[BranchFacts], promotions: Mapping[str, PromotionFacts]
) -> Iterator[Finding]:
    """I8 for Git: the order of the commits on a branch."""
    for branch in branches:
        written = (
            promotions[name]
            for commit in branch.commits
            for name in commit.promotions
            if name in promotions and promotions[name].authentication in commit.authentications
        )
        yield from _check(written)


def check_patches(promotions: Iterable[PromotionFacts]) -> Iterator[Finding]:
    """I8 for patches of Applications: the order in which they were recorded."""
    patched = [row for row in promotions if row.method == "argocd" and row.pushed_at is not None]
    yield from _check(sorted(patched, key=_pushed))


def _pushed(promotion: PromotionFacts) -> float:
    return promotion.pushed_at.timestamp() if promotion.pushed_at else 0.0


def _check(written: Iterable[PromotionFacts]) -> Iterator[Finding]:
    last: dict[Place, tuple[datetime, PromotionFacts]] = {}
    for promotion in written:
        if promotion.approved_at is None:
            continue  # I2 tells it
        for place in _places(promotion):
            before = last.get(place)
            if before is not None and before[0] > promotion.approved_at:
                sentence = f"{place[-1]} was written after that of {before[1].id}, approved later."
                yield Finding("I8", promotion.name, sentence)
            last[place] = promotion.approved_at, promotion


def _places(promotion: PromotionFacts) -> Iterator[Place]:
    for path in promotion.paths or (promotion.application,):
        for edit in promotion.edits:
            yield (path, edit.key)
