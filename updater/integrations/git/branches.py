"""Names of branches: what may be one, and where its last fetched commit stands in the mirror. Pure."""

import hashlib
import re

from updater.integrations.git.errors import BranchNotFoundError

MAX_BRANCH_BYTES = 255
_NEVER = re.compile(
    r"[\x00-\x20\x7f-\x9f~^:?*\[\\\u2028\u2029\ud800-\udfff]|\.\.|@\{|//|/\.|\.lock(?:/|$)|\.$|/$"
)


def check(repository: str, branch: str) -> str:
    """Return `branch` if git would accept it as the name of one (the rules of `git check-ref-format`)."""
    wrong = not branch or branch == "@" or branch[0] in "-./" or _NEVER.search(branch)
    if wrong or len(branch.encode()) > MAX_BRANCH_BYTES:
        raise BranchNotFoundError.of(repository, f"{branch[:100]!r} cannot be the name of a branch")
    return branch


def head(branch: str) -> str:
    """Return the branch's full name on the host: a tag of the same name can never be meant."""
    return f"refs/heads/{branch}"


def fetched(branch: str) -> str:
    """Return the reference in our mirror. A hash, so that `a` and later `a/b`, or `Main` and `main`, can both be."""
    return f"refs/fetched/{hashlib.sha256(branch.encode()).hexdigest()}"
