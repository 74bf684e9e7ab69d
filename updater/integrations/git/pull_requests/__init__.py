"""Pull requests of a repository's host: GitHub, GitLab, Gitea and Forgejo.

choosing.py   which host, and where its API is
github.py, gitlab.py, gitea.py   one host each, in its own words
model.py      what all of them have in common; answers.py reads theirs, wire.py carries ours
"""

from updater.integrations.git.pull_requests.choosing import GITEA, GITHUB, GITLAB, choose
from updater.integrations.git.pull_requests.errors import (
    AddressUnsuitableError,
    HostMovedError,
    HostUnavailableError,
    MergeRefusedError,
    NotFoundError,
    ProposalExistsError,
    ProposalRefusedError,
    PullRequestError,
    RateLimitedError,
    RightsMissingError,
    TokenMissingError,
    TokenRefusedError,
)
from updater.integrations.git.pull_requests.model import (
    MAX_BODY_LENGTH,
    MAX_TITLE_LENGTH,
    MergeMethod,
    Proposal,
    PullRequest,
    PullRequestHost,
    State,
)

__all__ = [
    "GITEA",
    "GITHUB",
    "GITLAB",
    "MAX_BODY_LENGTH",
    "MAX_TITLE_LENGTH",
    "AddressUnsuitableError",
    "HostMovedError",
    "HostUnavailableError",
    "MergeMethod",
    "MergeRefusedError",
    "NotFoundError",
    "Proposal",
    "ProposalExistsError",
    "ProposalRefusedError",
    "PullRequest",
    "PullRequestError",
    "PullRequestHost",
    "RateLimitedError",
    "RightsMissingError",
    "State",
    "TokenMissingError",
    "TokenRefusedError",
    "choose",
]
