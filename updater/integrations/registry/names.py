"""What may stand in a registry's URL, and digests: names are checked before anything is asked."""

import hashlib
import re

from updater.integrations.registry.errors import InvalidNameError

# The OCI grammar of tags; the grammar of repositories with upper case, which old registries serve.
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_REPOSITORY_PART = re.compile(r"[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}")
MAX_REPOSITORY = 255


def is_tag(text: object) -> bool:
    """Return whether `text` is a tag in the grammar of the specification."""
    return isinstance(text, str) and _TAG.fullmatch(text) is not None


def is_digest(text: object) -> bool:
    """Return whether `text` is a SHA-256 digest."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def digest_of(body: bytes) -> str:
    """Return the digest that names these bytes."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


def repository_path(text: str) -> str:
    """Return `text` if it can stand in a URL as a repository.

    Raises:
        InvalidNameError: it cannot.
    """
    is_short = len(text) <= MAX_REPOSITORY
    if is_short and all(_REPOSITORY_PART.fullmatch(part) for part in text.split("/")):
        return text
    raise InvalidNameError(f"{text[:80]!r} is not the name of an image repository.")


def reference_path(text: str) -> str:
    """Return `text` if it is a tag or a digest.

    Raises:
        InvalidNameError: it is neither.
    """
    if is_tag(text) or is_digest(text):
        return text
    raise InvalidNameError(f"{text[:80]!r} is neither a tag nor a digest.")
