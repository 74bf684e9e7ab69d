"""What can go wrong between us and a host's pull requests; `why` holds the host's own words, cleaned and cut.

PullRequestError
├─ transient (the same call may succeed later)
│  ├─ HostUnavailableError    no connection, no sensible answer, or the host is out of order
│  ├─ RateLimitedError        too many requests; says when to come back
│  └─ MergeRefusedError       the host does not merge it now: checks, approvals, conflicts, a moved branch
└─ permanent (a person must act)
   ├─ AddressUnsuitableError  the repository's address leads to no such host
   ├─ TokenMissingError       the repository's credentials open git, not the host's API
   ├─ TokenRefusedError       the host knows the token not (any more)
   ├─ RightsMissingError      the token may not do this
   ├─ NotFoundError           no such repository or pull request, or not for us
   ├─ HostMovedError          the API redirects; nothing was sent to the new place
   ├─ ProposalRefusedError    the host does not take the pull request
   └─ ProposalExistsError     there is one of these branches already: look for it
"""

from typing import ClassVar

from updater.errors import PermanentError, TransientError
from updater.integrations.git.errors import GitError


class PullRequestError(GitError):
    """An anticipated failure of a host's API."""

    code = "pull_request_error"
    sentence: ClassVar[str] = "its pull requests cannot be used"


class HostUnavailableError(PullRequestError, TransientError):
    """No connection, no sensible answer, or the host is out of order."""

    code = "pull_request_host_unavailable"
    sentence = "the host's API does not answer"


class RateLimitedError(PullRequestError, TransientError):
    """Too many requests; `retry_after_seconds` says when to come back, if the host does."""

    code = "pull_request_rate_limited"
    sentence = "the host asks us to wait"


class MergeRefusedError(PullRequestError, TransientError):
    """The host does not merge it now."""

    code = "pull_request_merge_refused"
    sentence = "the host does not merge it yet"


class AddressUnsuitableError(PullRequestError, PermanentError):
    """The repository's address leads to no such host."""

    code = "pull_request_address_unsuitable"
    sentence = "its address leads to no API for pull requests"


class TokenMissingError(PullRequestError, PermanentError):
    """The repository's credentials open git, not the host's API."""

    code = "pull_request_token_missing"
    sentence = "pull requests need an access token or a GitHub App in the repository's Secret"


class TokenRefusedError(PullRequestError, PermanentError):
    """The host knows the token not (any more)."""

    code = "pull_request_token_refused"
    sentence = "the host refuses our token; renew it in the repository's Secret"


class RightsMissingError(PullRequestError, PermanentError):
    """The token may not do this."""

    code = "pull_request_rights_missing"
    sentence = "our token may not do this; give it the right to write pull requests"


class NotFoundError(PullRequestError, PermanentError):
    """No such repository or pull request, or not for us."""

    code = "pull_request_not_found"
    sentence = "the host's API does not know it, or our token may not see it"


class HostMovedError(PullRequestError, PermanentError):
    """The API redirects; nothing was sent to the new place."""

    code = "pull_request_host_moved"
    sentence = "the host's API redirects to another address; change the repository's URL"


class ProposalRefusedError(PullRequestError, PermanentError):
    """The host does not take the pull request."""

    code = "pull_request_refused"
    sentence = "the host does not take the pull request"


class ProposalExistsError(PullRequestError, PermanentError):
    """There is a pull request of these branches already."""

    code = "pull_request_exists"
    sentence = "there is a pull request of this branch already"
