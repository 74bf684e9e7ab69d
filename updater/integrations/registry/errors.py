"""What can go wrong with a registry; `for_status` is the one mapping from HTTP statuses.

TransientError
├─ RegistryUnavailableError      no connection, broken answer, 5xx
│  └─ RegistryTimeoutError       no whole answer in time
└─ RateLimitedError              429, or the registry's own budget is used up; says when to come back
PermanentError
├─ AuthenticationFailedError     401 although we did what was asked
│  └─ RealmNotAllowedError       the challenge sends credentials to a host it must not
├─ ForbiddenError                403
├─ RepositoryNotFoundError       404 for the tag list
├─ ManifestNotFoundError         404 for a tag, manifest or blob
├─ AddressRefusedError           the host name leads to an address nobody may talk to
├─ InsecureRegistryError         plain HTTP to a host the operator did not list
├─ InvalidNameError              not a repository, tag or digest at all
├─ TagListIncompleteError        a list cut at a limit: nothing may be concluded from it
├─ DigestMismatchError           the bytes are not those that were named: an alarm
└─ BadAnswerError                not what the specification says; `digest` is set if the registry names the bytes so
   ├─ UnexpectedAnswerError      status, redirect or compression: about the moment, never remembered
   ├─ TooLargeError              more bytes or values than its kind may have
   ├─ AmbiguousManifestError     two things at once
   └─ UnsupportedManifestError   a kind of manifest we do not read
"""

from updater.errors import PermanentError, TransientError, UpdaterError


class RegistryUnavailableError(TransientError):
    """The registry did not answer, or with 5xx."""

    code = "registry_unavailable"


class RegistryTimeoutError(RegistryUnavailableError):
    """The registry did not answer in time."""

    code = "registry_timeout"


class RateLimitedError(TransientError):
    """The registry wants fewer requests; `retry_after_seconds` says for how long."""

    code = "rate_limited"


class AuthenticationFailedError(PermanentError):
    """The registry refuses these credentials, or asks for some where we have none."""

    code = "authentication_failed"


class RealmNotAllowedError(AuthenticationFailedError):
    """The registry wants tokens from a host that is not its own and not on the operator's list."""

    code = "realm_not_allowed"


class ForbiddenError(PermanentError):
    """These credentials may not read this repository."""

    code = "forbidden"


class RepositoryNotFoundError(PermanentError):
    """There is no such image repository, or it is hidden from us."""

    code = "repository_not_found"


class ManifestNotFoundError(PermanentError):
    """There is no such tag, manifest or blob."""

    code = "manifest_not_found"


class AddressRefusedError(PermanentError):
    """The host name resolves to an address that is not a registry's."""

    code = "address_refused"


class InsecureRegistryError(PermanentError):
    """Plain HTTP is spoken only to hosts that the operator lists."""

    code = "insecure_registry"


class InvalidNameError(PermanentError):
    """A repository, tag or digest that no registry can have."""

    code = "invalid_name"


class TagListIncompleteError(PermanentError):
    """The tag list ended at a limit or a broken link."""

    code = "tag_list_incomplete"


class DigestMismatchError(PermanentError):
    """The registry delivered other bytes than it named."""

    code = "digest_mismatch"


class BadAnswerError(PermanentError):
    """The answer is not what the specification says."""

    code = "bad_body"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        # Set where the verdict is about immutable bytes and may be remembered under their name
        self.digest: str | None = None


class UnexpectedAnswerError(BadAnswerError):
    """A status, redirect or compression that means nothing here; says nothing of the bytes."""

    code = "unexpected_answer"


class TooLargeError(BadAnswerError):
    """The answer has more bytes or values than its kind may have."""

    code = "answer_too_large"


class AmbiguousManifestError(BadAnswerError):
    """A manifest that can be read as two things."""

    code = "ambiguous_manifest"


class UnsupportedManifestError(BadAnswerError):
    """A manifest of a kind we do not read."""

    code = "unsupported_manifest"


def for_status(
    status: int, *, what: str, retry_after_seconds: float | None, is_list: bool
) -> UpdaterError:
    """Return the error for a status that is not success; `what` names host and object."""
    if status == 429:
        return RateLimitedError(
            f"{what}: the registry allows no more requests now (429).",
            retry_after_seconds=retry_after_seconds,
        )
    if status >= 500 or status == 408:
        return RegistryUnavailableError(
            f"{what}: the registry answered {status}.", retry_after_seconds=retry_after_seconds
        )
    return _for_refusal(status, what=what, is_list=is_list)


def _for_refusal(status: int, *, what: str, is_list: bool) -> UpdaterError:
    if status == 401:
        return AuthenticationFailedError(
            f"{what}: the registry refuses the credentials (401). Check the pull secret."
        )
    if status == 403:
        return ForbiddenError(f"{what}: the credentials may not read this (403).")
    if status == 404:
        missing = RepositoryNotFoundError if is_list else ManifestNotFoundError
        return missing(f"{what}: the registry knows no such thing (404).")
    return UnexpectedAnswerError(
        f"{what}: the registry answered {status}, which means nothing here."
    )
