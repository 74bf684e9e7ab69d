"""I1 and I2: promotions and commits belong to each other, one to one. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from approvals.verification.facts import BranchFacts, CommitFacts, PromotionFacts
from approvals.verification.findings import Finding

Branches = Mapping[tuple[str, str], BranchFacts]


def check_written(promotions: Iterable[PromotionFacts], branches: Branches) -> Iterator[Finding]:
    """I1: each promotion that the database calls written has one commit on its branch, the recorded one."""
    for promotion in promotions:
        branch = branches.get((promotion.repository, promotion.branch))
        if promotion.is_written and branch is not None:
            yield from _check_one(promotion, branch)


def _check_one(promotion: PromotionFacts, branch: BranchFacts) -> Iterator[Finding]:
    own = [
        commit for commit in branch.commits if promotion.authentication in commit.authentications
    ]
    if promotion.commit not in branch.reachable:
        sentence = f"Its commit {promotion.commit[:10]} is not part of {branch.branch}."
        yield Finding("I1", promotion.name, sentence)
    if len(own) > 1:
        names = ", ".join(commit.sha[:10] for commit in own)
        yield Finding("I1", promotion.name, f"It was written {len(own)} times: {names}.")
    if promotion.is_pull_request:
        return  # the host may have squashed it, trailers and all
    if not own:
        yield Finding("I1", promotion.name, f"No commit on {branch.branch} carries it.")
    elif promotion.commit not in {commit.sha for commit in own}:
        sentence = f"It is recorded as {promotion.commit[:10]} and stands as {own[0].sha[:10]}."
        yield Finding("I1", promotion.name, sentence)


def check_approved(
    branches: Iterable[BranchFacts], promotions: Mapping[str, PromotionFacts]
) -> Iterator[Finding]:
    """I2: each commit that says it is ours is one that people approved."""
    for branch in branches:
        for commit in branch.commits:
            yield from _check_commit(commit, branch, promotions)


def _check_commit(
    commit: CommitFacts, branch: BranchFacts, promotions: Mapping[str, PromotionFacts]
) -> Iterator[Finding]:
    about = f"{commit.name} on {branch.branch} of {branch.repository}"
    if not commit.promotions and not commit.authentications:
        yield Finding(
            "I2", about, f"It was committed as {commit.committer} and names no promotion."
        )
    for promotion_id in commit.promotions:
        promotion = promotions.get(promotion_id)
        if promotion is None:
            yield Finding("I2", about, f"It names promotion {promotion_id}, which does not exist.")
        else:
            yield from _check_claim(commit, promotion, branch, about)
    known = {promotions[name].authentication for name in commit.promotions if name in promotions}
    for code in set(commit.authentications) - known:
        if all(name in promotions for name in commit.promotions):
            yield Finding(
                "I2", about, f"Its authentication {code[:10]} is of no promotion it names."
            )


def _check_claim(
    commit: CommitFacts, promotion: PromotionFacts, branch: BranchFacts, about: str
) -> Iterator[Finding]:
    if promotion.authentication not in commit.authentications:
        yield Finding("I2", about, f"It names {promotion.name} without our authentication of it.")
        return
    if promotion.approved_at is None:
        sentence = f"It carries {promotion.name}, which is {promotion.status} and was not approved."
        yield Finding("I2", about, sentence)
    if (promotion.repository, promotion.branch) != branch.place:
        yield Finding("I2", about, f"{promotion.name} was approved for {promotion.branch}.")
