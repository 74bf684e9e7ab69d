"""From a tag or digest to a `Manifest`: bytes checked against their name, children and configurations read."""

from collections.abc import Callable, Collection, Container, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from updater.integrations.registry import errors, names
from updater.integrations.registry.api import Api
from updater.integrations.registry.image_config import ImageConfig, parse_config
from updater.integrations.registry.manifests import (
    ACCEPTED,
    Child,
    Manifest,
    ParsedManifest,
    PlatformImage,
    parse_manifest,
)
from updater.integrations.registry.wire import Answer, Ask

ACCEPT = ", ".join(ACCEPTED)
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


async def ask_manifest(api: Api, repository: str, reference: str, method: str = "GET") -> Answer:
    """Return the raw answer for a tag or digest."""
    ask = Ask(
        kind="head" if method == "HEAD" else "manifest",
        url=api.url(repository, f"manifests/{names.reference_path(reference)}"),
        max_bytes=api.limits.manifest_bytes,
        method=method,
        accept=ACCEPT,
    )
    return await api.ask(ask, repository=repository)


def named_digest(answer: Answer) -> str | None:
    """Return the digest that the registry gives the answer, if it is one we can compare."""
    named = str(answer.headers.get("docker-content-digest", "")).strip()
    return named if names.is_digest(named) else None


async def read_manifest(
    api: Api,
    repository: str,
    reference: str,
    *,
    wanted: Callable[[str], bool],
    known: Container[str] = (),
) -> tuple[str, Manifest | None]:
    """Return the digest and what stands behind it, unless it is known; of an index the wanted platforms."""
    answer = await ask_manifest(api, repository, reference)
    digest = _checked_digest(answer, reference, f"{repository}:{reference}")
    if digest in known:
        return digest, None
    with _verdict_on(named_digest(answer)):
        return digest, await _read(api, repository, answer, digest, wanted)


async def _read(
    api: Api, repository: str, answer: Answer, digest: str, wanted: Callable[[str], bool]
) -> Manifest:
    parsed = _parse(answer, f"{repository}@{digest}")
    if parsed.config is not None:
        return await _single(api, repository, parsed, digest)
    return await _index(api, repository, parsed, digest, wanted)


def _parse(answer: Answer, what: str) -> ParsedManifest:
    content_type = answer.headers.get("content-type", "")
    return parse_manifest(answer.body, content_type=content_type, what=what)


async def _single(api: Api, repository: str, parsed: ParsedManifest, digest: str) -> Manifest:
    config = await _config(api, repository, parsed.config or "")
    image = PlatformImage(config.platform, digest, config.created, config.labels, is_read=True)
    return Manifest(digest, parsed.media_type, (image,), config.created, config.labels, parsed.size)


async def _index(
    api: Api,
    repository: str,
    parsed: ParsedManifest,
    digest: str,
    wanted: Callable[[str], bool],
) -> Manifest:
    chosen = [child for child in parsed.children if not child.platform or wanted(child.platform)]
    if len(chosen) > api.limits.platforms:
        raise errors.TooLargeError(f"{repository}@{digest}: too many images in one index.")
    read = {child.digest: await _child(api, repository, child) for child in chosen}
    newest = _newest(read.values())
    return Manifest(
        digest=digest,
        media_type=parsed.media_type,
        platforms=tuple(_image_of(child, read.get(child.digest)) for child in parsed.children),
        created=newest.created if newest else None,
        labels=newest.labels if newest else {},
        size=newest.size if newest else 0,
    )


async def _child(api: Api, repository: str, child: Child) -> Manifest:
    answer = await ask_manifest(api, repository, child.digest)
    what = f"{repository}@{_checked_digest(answer, child.digest, repository)}"
    parsed = _parse(answer, what)
    if parsed.config is None:
        raise errors.UnsupportedManifestError(f"{what}: an index within an index.")
    return await _single(api, repository, parsed, child.digest)


async def _config(api: Api, repository: str, digest: str) -> ImageConfig:
    ask = Ask(
        kind="blob",
        url=api.url(repository, f"blobs/{digest}"),
        max_bytes=api.limits.config_bytes,
        accept="*/*",
    )
    answer = await api.ask(ask, repository=repository)
    if names.digest_of(answer.body) != digest:
        raise errors.DigestMismatchError(f"{ask.what}: the registry sent other bytes.")
    return parse_config(answer.body, what=ask.what)


def _checked_digest(answer: Answer, reference: str, what: str) -> str:
    digest = names.digest_of(answer.body)
    claims = [reference] if names.is_digest(reference) else []
    named = str(answer.headers.get("docker-content-digest", "")).strip()
    if named.startswith("sha256:"):  # sha512 and the like cannot be compared with ours
        claims.append(named)
    for claim in claims:
        if claim != digest:
            raise errors.DigestMismatchError(
                f"{what}: the registry sent {digest} under the name {claim[:80]}."
            )
    return digest


@contextmanager
def _verdict_on(digest: str | None) -> Iterator[None]:
    try:
        yield
    except errors.UnexpectedAnswerError:
        raise
    except errors.BadAnswerError as error:
        error.digest = digest
        raise


def _image_of(child: Child, read: Manifest | None) -> PlatformImage:
    if read is None:
        return PlatformImage(child.platform, child.digest)
    platform = child.platform or read.platforms[0].platform
    return PlatformImage(platform, child.digest, read.created, read.labels, is_read=True)


def _newest(manifests: Collection[Manifest]) -> Manifest | None:
    return max(manifests, key=lambda manifest: manifest.created or EARLIEST, default=None)
