"""What can go wrong between us and a git repository; every sentence names the repository, never a credential.

GitError
├─ transient (the same call may succeed later)
│  ├─ RepositoryUnreachableError   no connection, no sensible answer, or the answer was cut off
│  ├─ GitTimeoutError              the time limit ended the git program
│  ├─ MirrorBusyError              another process holds the mirror
│  ├─ MirrorDamagedError           our local copy was unusable and has been thrown away
│  ├─ ObjectNotServedError         the host gives no single file contents; the mirror copes by itself
│  ├─ PushCutOffError              the git program was killed in a push: whether the host has it is not known
│  ├─ PushMovedError               someone else pushed first: fetch, look again, rebuild
│  └─ RefLockedError               the host could not lock the branch (a stale lock, or a push at the same moment)
└─ permanent (a person must act)
   ├─ GitProgramMissingError       git, ssh, ssh-keygen, gpg or openssl is not installed
   ├─ UrlRefusedError              not an address we talk to
   ├─ CredentialsUnusableError     a secret matches and cannot be used
   ├─ AuthenticationRefusedError   the host knows us not, or not for this
   ├─ HostKeyRefusedError          unknown or changed SSH host key
   ├─ CertificateRefusedError      TLS certificate not trusted
   ├─ RepositoryNotFoundError      no such repository, or not for us
   ├─ RepositoryMovedError         the host redirects; nothing was sent to the new place
   ├─ RepositoryMalformedError     git's own check refuses its objects
   ├─ RepositoryTooLargeError      beyond the limits of time, size or memory
   ├─ BranchNotFoundError          no such branch
   ├─ CommitNotFoundError          no such commit: the history was rewritten, or never fetched
   ├─ NotInHistoryError            of two commits, none follows the other
   ├─ HistoryTooLongError          more commits between two builds than anybody looks at
   ├─ TargetNotAFileError          a symlink, submodule or folder is in the way
   ├─ BlobTooLargeError            the file is larger than we edit
   ├─ NothingToCommitError         the files already hold these bytes
   ├─ SigningFailedError           the commit could not be signed
   └─ PushDeclinedError            a hook or a branch protection said no, in its own words
"""

from typing import ClassVar, Self

from updater.errors import PermanentError, TransientError, UpdaterError


class GitError(UpdaterError):
    """An anticipated git failure."""

    code = "git_error"
    sentence: ClassVar[str] = "something went wrong"
    why = ""

    @classmethod
    def of(cls, repository: str, why: str = "") -> Self:
        """Return the error of a repository (named as it may be shown); `why` is the detail, if there is one."""
        detail = f": {why}" if why else ""
        error = cls(f"Git repository {repository}: {cls.sentence}{detail}")
        error.why = why
        return error


class RepositoryUnreachableError(GitError, TransientError):
    """No connection, no sensible answer, or the answer was cut off."""

    code = "git_repository_unreachable"
    sentence = "the host cannot be reached"


class GitTimeoutError(GitError, TransientError):
    """The time limit ended the git program."""

    code = "git_timeout"
    sentence = "the host took too long"


class MirrorBusyError(GitError, TransientError):
    """Another process holds the mirror."""

    code = "git_mirror_busy"
    sentence = "another worker is using our local copy"


class MirrorDamagedError(GitError, TransientError):
    """Our local copy was unusable and has been thrown away; the next fetch makes a new one."""

    code = "git_mirror_damaged"
    sentence = "our local copy was damaged and is made anew"


class ObjectNotServedError(GitError, TransientError):
    """The host gives no single file contents; the mirror copes by fetching everything."""

    code = "git_object_not_served"
    sentence = "the host did not hand out an object it announced"


class PushMovedError(GitError, TransientError):
    """Someone else pushed first; nothing of ours was written."""

    code = "git_push_moved"
    sentence = "the branch moved before our push"


class PushCutOffError(GitError, TransientError):
    """The git program or its transport was killed in the middle of a push; the host may have it all the same."""

    code = "git_push_cut_off"
    sentence = "our push was ended in the middle; whether the host has it is not known"


class RefLockedError(GitError, TransientError):
    """The host could not lock the branch; nothing of ours was written."""

    code = "git_ref_locked"
    sentence = "the host could not lock the branch"


class GitProgramMissingError(GitError, PermanentError):
    """A program we need is not installed."""

    code = "git_program_missing"
    sentence = "a program is missing; install it where the workers run"


class UrlRefusedError(GitError, PermanentError):
    """Not an address we talk to."""

    code = "git_url_refused"
    sentence = "the address is not accepted"


class CredentialsUnusableError(GitError, PermanentError):
    """A secret matches and cannot be used."""

    code = "git_credentials_unusable"
    sentence = "its credentials cannot be used"


class AuthenticationRefusedError(GitError, PermanentError):
    """The host refuses the credentials, or they do not allow this."""

    code = "git_authentication_refused"
    sentence = "the host refuses our credentials; check the repository's Secret and its rights"


class HostKeyRefusedError(GitError, PermanentError):
    """The SSH host key is unknown or changed."""

    code = "git_host_key_refused"
    sentence = "the SSH host key is unknown or has changed; compare it and update argocd-ssh-known-hosts-cm"


class CertificateRefusedError(GitError, PermanentError):
    """The TLS certificate is not trusted."""

    code = "git_certificate_refused"
    sentence = "the TLS certificate is not trusted; add its authority to argocd-tls-certs-cm"


class RepositoryNotFoundError(GitError, PermanentError):
    """No such repository, or the credentials may not see it."""

    code = "git_repository_not_found"
    sentence = "it does not exist, or our credentials may not see it"


class RepositoryMovedError(GitError, PermanentError):
    """The host redirects elsewhere; credentials were not sent there."""

    code = "git_repository_moved"
    sentence = "the host redirects to another address; change the URL (redirects are not followed)"


class RepositoryMalformedError(GitError, PermanentError):
    """Git's own check refuses objects of the repository."""

    code = "git_repository_malformed"
    sentence = "it holds objects that git's own check refuses; run git fsck on the host"


class RepositoryTooLargeError(GitError, PermanentError):
    """Beyond the limits of size or memory."""

    code = "git_repository_too_large"
    sentence = "it is larger than our limits allow"


class BranchNotFoundError(GitError, PermanentError):
    """No such branch on the host."""

    code = "git_branch_not_found"
    sentence = "no such branch"


class NotInHistoryError(GitError, PermanentError):
    """Two commits that should follow each other do not: the history was rewritten, or the build goes back."""

    code = "git_not_in_history"
    sentence = "one build does not follow the other"


class HistoryTooLongError(GitError, PermanentError):
    """More commits than anybody wants to look at."""

    code = "git_history_too_long"
    sentence = "too many commits to look at"


class CommitNotFoundError(GitError, PermanentError):
    """No such commit: the history was rewritten, or the branch was never fetched."""

    code = "git_commit_not_found"
    sentence = "no such commit in the fetched history"


class TargetNotAFileError(GitError, PermanentError):
    """A symlink, submodule or folder is in the way of the file."""

    code = "git_target_not_a_file"
    sentence = "the path does not lead to a regular file"


class BlobTooLargeError(GitError, PermanentError):
    """The file is larger than we edit."""

    code = "git_blob_too_large"
    sentence = "the file is too large to edit"


class NothingToCommitError(GitError, PermanentError):
    """The files already hold these bytes."""

    code = "git_nothing_to_commit"
    sentence = "the files already hold these bytes"


class SigningFailedError(GitError, PermanentError):
    """The commit could not be signed."""

    code = "git_signing_failed"
    sentence = "the commit could not be signed"


class PushDeclinedError(GitError, PermanentError):
    """A hook or a branch protection said no; `why` holds its own words, cleaned and cut."""

    code = "git_push_declined"
    sentence = "the host declined the push"
