"""Manifests, indexes and image configurations: bytes in, checked dataclasses out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from updater.integrations.registry.decoding import decode_object
from updater.integrations.registry.errors import (
    AmbiguousManifestError,
    BadAnswerError,
    UnsupportedManifestError,
)
from updater.integrations.registry.names import is_digest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
ACCEPTED = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)
INDEXES = (OCI_INDEX, DOCKER_LIST)
IMAGE_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
NAMELESS_TYPES = ("", "application/json", "application/octet-stream", "text/plain")
MAX_DESCRIPTORS = 1000
MAX_SIZE = 2**50
_PLATFORM_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class PlatformImage:
    """One image of one platform; `is_read` is False while nobody needed its configuration."""

    platform: str
    digest: str
    created: datetime | None = None
    labels: Mapping[str, str] | None = None
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands behind a digest. `created` and `labels` are those of the newest platform that was read."""

    digest: str
    media_type: str
    platforms: tuple[PlatformImage, ...]
    created: datetime | None
    labels: Mapping[str, str]
    size: int  # bytes of the layers of the first platform read


@dataclass(frozen=True, slots=True)
class Child:
    """One image named by an index; the platform is "" where the index does not say it."""

    digest: str
    platform: str


@dataclass(frozen=True, slots=True)
class ParsedManifest:
    """A manifest (its configuration's digest is set) or an index (its children are)."""

    media_type: str
    config: str | None = None
    size: int = 0
    children: tuple[Child, ...] = ()


def parse_manifest(body: bytes, *, content_type: str, what: str) -> ParsedManifest:
    """Return what a manifest's bytes say.

    Raises:
        BadAnswerError: and its subclasses Ambiguous… and UnsupportedManifestError.
    """
    document = decode_object(body, what=what)
    media_type = _media_type(document, content_type, what)
    if media_type in INDEXES:
        return ParsedManifest(media_type, children=_children(document, what))
    config = document.get("config")
    if not isinstance(config, dict) or not is_digest(config.get("digest")):
        raise BadAnswerError(f"{what}: the manifest names no configuration.")
    if config.get("mediaType") not in IMAGE_CONFIGS:
        raise UnsupportedManifestError(f"{what}: this is not a container image.")
    return ParsedManifest(media_type, config["digest"], _size(document, what))


def _media_type(document: dict[str, Any], content_type: str, what: str) -> str:
    named = content_type.partition(";")[0].strip().lower()
    inside = document.get("mediaType")
    _refuse_two_in_one(document, what)
    if document.get("schemaVersion") != 2 or "fsLayers" in document:
        raise UnsupportedManifestError(f"{what}: only manifests of schema version 2 are read.")
    if named in NAMELESS_TYPES:
        named = inside if isinstance(inside, str) else ""
    if inside is not None and inside != named:
        raise AmbiguousManifestError(f"{what}: the manifest's mediaType is not its Content-Type.")
    if named not in ACCEPTED:
        raise UnsupportedManifestError(f"{what}: unknown kind of manifest.")
    if ("manifests" in document) != (named in INDEXES):
        raise AmbiguousManifestError(f"{what}: the manifest's content does not fit its type.")
    return named


def _refuse_two_in_one(document: dict[str, Any], what: str) -> None:
    # CVE-2021-41190: one client reads the index, another the image
    if "manifests" in document and ("layers" in document or "config" in document):
        raise AmbiguousManifestError(f"{what}: manifest and index in one.")


def _children(document: dict[str, Any], what: str) -> tuple[Child, ...]:
    entries = document["manifests"]
    if not isinstance(entries, list) or len(entries) > MAX_DESCRIPTORS:
        raise BadAnswerError(f"{what}: the index lists no images.")
    if not all(isinstance(entry, dict) and is_digest(entry.get("digest")) for entry in entries):
        raise BadAnswerError(f"{what}: the index names something without a digest.")
    images = (entry for entry in entries if _is_image(entry))
    return tuple(Child(entry["digest"], platform_text(entry.get("platform"))) for entry in images)


def _is_image(entry: dict[str, Any]) -> bool:
    # Indexes within indexes are not followed; attestations say platform unknown/unknown.
    platform = entry.get("platform")
    is_attestation = isinstance(platform, dict) and platform.get("os") == "unknown"
    return entry.get("mediaType") in (OCI_MANIFEST, DOCKER_MANIFEST) and not is_attestation


def platform_text(platform: object) -> str:
    """Return `os/architecture[/variant]` of a JSON object that has these members, or ""."""
    if not isinstance(platform, dict):
        return ""
    parts = [platform.get(key) for key in ("os", "architecture", "variant")]
    texts = [part for part in parts if isinstance(part, str) and _PLATFORM_PART.fullmatch(part)]
    return "/".join(texts) if all(part in texts for part in parts[:2]) else ""


def _size(document: dict[str, Any], what: str) -> int:
    layers = document.get("layers", [])
    entries = layers if isinstance(layers, list) else [None]
    sizes = [entry.get("size") if isinstance(entry, dict) else None for entry in entries]
    whole = [size for size in sizes if type(size) is int and 0 <= size <= MAX_SIZE]
    if len(whole) != len(sizes):
        raise BadAnswerError(f"{what}: a layer has no proper size.")
    return min(sum(whole), MAX_SIZE)
