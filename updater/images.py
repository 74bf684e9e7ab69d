"""Image references and image-list entries as the image updater reads them (specification 2.1, 2.3). Pure."""

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from updater.errors import PermanentError

DOCKER_HUB = "docker.io"
LONGEST_ENTRY = 4096  # bytes
LONGEST_REPOSITORY = 255

_HOST_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_DIGEST = r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}"

_NORMALIZED = re.compile(rf"(?:({_DOMAIN})/)?({_PATH})(?::({_TAG}))?(?:@({_DIGEST}))?")
_IS_DOMAIN = re.compile(_DOMAIN)
_IS_PATH = re.compile(_PATH)
_IS_TAG = re.compile(_TAG)
_IS_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9+._-]*:[0-9a-fA-F]+")
# Capitals live on in what runs; anything else is no name at all.
_IS_LITERAL_NAME = re.compile(r"[A-Za-z0-9._/-]+")
_IS_ALIAS = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._/:@+-]*[A-Za-z0-9._/@+-])?")


class ImageReferenceError(PermanentError):
    """The text is not an image reference, or not an entry of an image list."""

    code: ClassVar[str] = "BAD_IMAGE"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """Registry, repository, and tag and/or digest; `registry` is "" when the text names none."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """`[alias=]image[:constraint]`; alias "" when none is given, `reference.tag` is never set."""

    alias: str
    reference: ImageReference
    constraint: str | None


def parse(text: str, *, exact: bool = False) -> ImageReference:
    """Read a literal reference: what runs, or an entry of a kustomization."""
    _refuse_size(text)
    reference = _normalized(text) or _split(text, exact=exact)
    if not exact and not _is_literal(reference):
        raise ImageReferenceError(
            f"image {_shown(text)} is not understood: write registry/name:tag"
        )
    return reference


def parse_entry(text: str, *, exact: bool = False) -> Entry:
    """Read one entry of an image list; `exact` accepts and misreads all that upstream does."""
    _refuse_size(text)
    before, equals, after = text.partition("=")
    alias, image = (before.strip(), after.strip()) if equals else ("", text.strip())
    if not image:
        raise ImageReferenceError(f"entry {_shown(text)} names no image: write alias=registry/name")
    reference = _normalized(image) or _split(image, exact=exact)
    if not exact:
        _refuse_alias(text, alias)
        _refuse_entry(text, reference)
    return Entry(alias, replace(reference, tag=None), reference.tag or None)


def full_name(reference: ImageReference) -> str:
    """Join registry and repository; the registry is not repeated when the repository names it."""
    registry, repository = reference.registry, reference.repository
    if not registry or repository.startswith(f"{registry}/"):
        return repository
    return f"{registry}/{repository}"


def name_with_tag(reference: ImageReference) -> str:
    """Give the full name with `:tag` and/or `@digest`."""
    tag = f":{reference.tag}" if reference.tag else ""
    digest = f"@{reference.digest}" if reference.digest else ""
    return f"{full_name(reference)}{tag}{digest}"


def tag_with_digest(tag: str | None, digest: str | None) -> str:
    """Give `tag`, or `tag@digest`; a digest without a tag is written as `latest@digest`."""
    return f"{tag or 'latest'}@{digest}" if digest else tag or ""


def registry_host(reference: ImageReference) -> str:
    """Name the registry to ask when no configuration says otherwise."""
    if reference.registry in {"", "index.docker.io"}:
        return DOCKER_HUB
    return reference.registry


def is_same_image(configured: ImageReference, live: ImageReference, *, exact: bool = False) -> bool:
    """Say whether both are one image; `exact` takes `nginx` and `docker.io/nginx` for two."""
    if exact:
        return (configured.registry, configured.repository) == (live.registry, live.repository)
    return _canonical(configured) == _canonical(live)


def _canonical(reference: ImageReference) -> tuple[str, str]:
    host, repository = registry_host(reference), reference.repository
    if host == DOCKER_HUB and repository.count("/") == 1:
        repository = repository.removeprefix("library/")
    return host, repository


def _normalized(text: str) -> ImageReference | None:
    """Read by the grammar of the distribution project; None when the text is outside of it."""
    host, slash, rest = text.partition("/")
    domain, path = (host, rest) if slash and _names_host(host) else (DOCKER_HUB, text)
    domain = DOCKER_HUB if domain == "index.docker.io" else domain
    prefix = "library/" if domain == DOCKER_HUB and "/" not in path else ""
    match = _NORMALIZED.fullmatch(f"{domain}/{prefix}{path}")
    if match is None or len(match[2]) > LONGEST_REPOSITORY:
        return None
    registry, repository, tag, digest = match.groups()
    if registry == DOCKER_HUB:
        registry = DOCKER_HUB if text.startswith(DOCKER_HUB) else ""
        repository = repository if text.startswith("library/") else _without_library(repository)
    return ImageReference(registry or "", repository, tag, digest)


def _without_library(repository: str) -> str:
    return repository.removeprefix("library/")


def _names_host(text: str) -> bool:
    return "." in text or ":" in text or text == "localhost" or text != text.lower()


def _split(text: str, *, exact: bool) -> ImageReference:
    """Split what the grammar refuses: constraints, capitals, shortened digests."""
    before, _, digest = text.partition("@")
    host, slash, rest = before.partition("/")
    # Upstream asks for a dot only, and cuts registry:5000/app:^1 at the port.
    is_host = "." in host if exact else _names_host(host)
    registry, name = (host, rest) if slash and is_host else ("", before)
    if not digest:
        repository, _, tag = name.partition(":")
    elif name.rfind(":") > name.rfind("/"):
        repository, _, tag = name.rpartition(":")
    else:
        repository, tag = name, ""
    return ImageReference(registry, repository, tag or None, digest or None)


def _is_literal(reference: ImageReference) -> bool:
    return (
        _is_registry(reference.registry)
        and _IS_LITERAL_NAME.fullmatch(reference.repository) is not None
        and (not reference.tag or _IS_TAG.fullmatch(reference.tag) is not None)
        and (not reference.digest or _IS_DIGEST.fullmatch(reference.digest) is not None)
    )


def _is_registry(text: str) -> bool:
    return not text or _IS_DOMAIN.fullmatch(text) is not None


def _refuse_size(text: str) -> None:
    if not text:
        raise ImageReferenceError("the image is empty: write registry/name:tag")
    if len(text.encode(errors="replace")) > LONGEST_ENTRY:
        raise ImageReferenceError(
            f"image {_shown(text)} is longer than {LONGEST_ENTRY} bytes: shorten it"
        )


def _refuse_alias(text: str, alias: str) -> None:
    if alias and not _IS_ALIAS.fullmatch(alias):
        raise ImageReferenceError(
            f"entry {_shown(text)} has the alias {_shown(alias)}: an alias is letters, digits and ._/:-. "
            "A constraint that holds '=' needs an alias before it: app=name:>=1.0"
        )


def _refuse_entry(text: str, reference: ImageReference) -> None:
    if not _is_registry(reference.registry):
        complaint = f"{_shown(reference.registry)} is not a registry host"
    elif reference.repository != reference.repository.lower():
        complaint = "repository names are lower-case"
    elif not _IS_PATH.fullmatch(reference.repository):
        complaint = f"{_shown(reference.repository)} is not a repository name"
    elif len(reference.repository) > LONGEST_REPOSITORY:
        complaint = f"the repository name is longer than {LONGEST_REPOSITORY}"
    elif reference.digest and not _IS_DIGEST.fullmatch(reference.digest):
        complaint = f"{_shown(reference.digest)} is not a digest"
    elif not (reference.tag or "").isprintable():
        complaint = "the constraint holds control characters"
    else:
        return
    raise ImageReferenceError(
        f"entry {_shown(text)} is not understood: {complaint}; write alias=registry/name:constraint"
    )


def _shown(text: str) -> str:
    return ascii(text[:80]) + ("…" if len(text) > 80 else "")
