"""Git repositories: a mirror without a working tree, one guarded runner of the git program, its credentials."""

from updater.integrations.git.changes import PathChange
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
    HistoryTooLongError,
    HostKeyRefusedError,
    MirrorBusyError,
    MirrorDamagedError,
    NothingToCommitError,
    NotInHistoryError,
    ObjectNotServedError,
    PushCutOffError,
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
from updater.integrations.git.history import CommitFacts, Message
from updater.integrations.git.mirror import GitMirror
from updater.integrations.git.process import Limits
from updater.integrations.git.remotes import Credentials, GitHubAppKey, Remote
from updater.integrations.git.signing import SigningKey
from updater.integrations.git.source_history import Hand, SourceHistory
from updater.integrations.git.urls import host as host_of
from updater.integrations.git.urls import redact

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
    "Hand",
    "HistoryTooLongError",
    "HostKeyRefusedError",
    "Limits",
    "Message",
    "MirrorBusyError",
    "MirrorDamagedError",
    "NotInHistoryError",
    "NothingToCommitError",
    "ObjectNotServedError",
    "PathChange",
    "PushCutOffError",
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
    "SourceHistory",
    "TargetNotAFileError",
    "UrlRefusedError",
    "complete",
    "credentials_of_secret",
    "host_of",
    "match",
    "redact",
    "with_trailers",
]
