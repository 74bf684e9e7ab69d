"""Git repositories: a mirror without a working tree, one guarded runner of the git program, its credentials."""

from updater.integrations.git.commits import Signature, with_trailers
from updater.integrations.git.completion import complete
from updater.integrations.git.credentials import RepositorySecret, credentials_of_secret, match
from updater.integrations.git.errors import (
    AuthenticationRefusedError,
    BlobTooLargeError,
    BranchNotFoundError,
    CertificateRefusedError,
    CommitNotFoundError,
    CredentialsUnusableError,
    GitError,
    GitProgramMissingError,
    GitTimeoutError,
    HostKeyRefusedError,
    MirrorBusyError,
    MirrorDamagedError,
    NothingToCommitError,
    ObjectNotServedError,
    PushDeclinedError,
    PushMovedError,
    RefLockedError,
    RepositoryMalformedError,
    RepositoryMovedError,
    RepositoryNotFoundError,
    RepositoryTooLargeError,
    RepositoryUnreachableError,
    SigningFailedError,
    TargetNotAFileError,
    UrlRefusedError,
)
from updater.integrations.git.history import CommitFacts
from updater.integrations.git.mirror import GitMirror
from updater.integrations.git.process import Limits
from updater.integrations.git.remotes import Credentials, GitHubAppKey, Remote
from updater.integrations.git.signing import SigningKey

__all__ = [
    "AuthenticationRefusedError",
    "BlobTooLargeError",
    "BranchNotFoundError",
    "CertificateRefusedError",
    "CommitFacts",
    "CommitNotFoundError",
    "Credentials",
    "CredentialsUnusableError",
    "GitError",
    "GitHubAppKey",
    "GitMirror",
    "GitProgramMissingError",
    "GitTimeoutError",
    "HostKeyRefusedError",
    "Limits",
    "MirrorBusyError",
    "MirrorDamagedError",
    "NothingToCommitError",
    "ObjectNotServedError",
    "PushDeclinedError",
    "PushMovedError",
    "RefLockedError",
    "Remote",
    "RepositoryMalformedError",
    "RepositoryMovedError",
    "RepositoryNotFoundError",
    "RepositorySecret",
    "RepositoryTooLargeError",
    "RepositoryUnreachableError",
    "Signature",
    "SigningFailedError",
    "SigningKey",
    "TargetNotAFileError",
    "UrlRefusedError",
    "complete",
    "credentials_of_secret",
    "match",
    "with_trailers",
]
