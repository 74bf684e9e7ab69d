"""Image repositories, tags, manifests and blobs; a build's bytes follow from its description alone.

What was pushed is kept as one JSON line a build in a folder, so a restarted demo has the same digests.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_REPOSITORY = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


class BuildError(ValueError):
    """The description of a build is unusable; the message says why."""


@dataclass(frozen=True, slots=True)
class Build:
    """What is pushed: several platforms make an index, one makes a plain manifest."""

    repository: str
    tag: str
    created: str  # RFC 3339
    labels: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ("linux/amd64",)

    def __post_init__(self) -> None:
        if not _REPOSITORY.fullmatch(self.repository):
            raise BuildError(f"repository: {self.repository!r} is not a repository name.")
        if not _TAG.fullmatch(self.tag):
            raise BuildError(f"tag: {self.tag!r} is not a tag.")
        if not self.platforms or not all(one.count("/") in (1, 2) for one in self.platforms):
            raise BuildError("platforms: a list like ['linux/amd64'] is wanted.")


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes with a type and their digest."""

    body: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """The name of the bytes."""
        return "sha256:" + hashlib.sha256(self.body).hexdigest()


@dataclass(slots=True)
class Repository:
    """One image repository: tags point at manifests."""

    tags: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, Document] = field(default_factory=dict)
    blobs: dict[str, Document] = field(default_factory=dict)


class Content:
    """All repositories of the registry."""

    def __init__(self, folder: Path | None = None) -> None:
        self.repositories: dict[str, Repository] = {}
        self._lock = Lock()
        self._log = folder / "builds.jsonl" if folder else None
        if self._log is not None:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            self._replay(self._log)

    def push(self, build: Build) -> str:
        """Store a build under its tag and return the digest behind the tag."""
        with self._lock:
            digest = self._store(build)
            if self._log is not None:
                with self._log.open("a", encoding="utf-8") as log:
                    log.write("\n" + json.dumps(_as_line(build)))  # never behind half a line
        return digest

    def put(self, repository: str, tag: str, document: Document) -> str:
        """Store any bytes as the manifest of a tag: what no honest client would push."""
        found = self.repositories.setdefault(repository, Repository())
        found.manifests[document.digest] = document
        found.tags[tag] = document.digest
        return document.digest

    def put_blob(self, repository: str, document: Document) -> str:
        """Store any bytes as a blob."""
        self.repositories.setdefault(repository, Repository()).blobs[document.digest] = document
        return document.digest

    def untag(self, repository: str, tag: str) -> None:
        """Take a tag away; its manifest stays, as in real registries. Not kept over a restart."""
        self.repositories[repository].tags.pop(tag, None)

    def _replay(self, log: Path) -> None:
        if log.exists():
            for line in log.read_text(encoding="utf-8").splitlines():
                with suppress(json.JSONDecodeError):  # the last line of a registry that was killed
                    fields = json.loads(line)
                    self._store(Build(**{**fields, "platforms": tuple(fields["platforms"])}))

    def _store(self, build: Build) -> str:
        repository = self.repositories.setdefault(build.repository, Repository())
        images = [_image(build, platform, repository) for platform in build.platforms]
        top = images[0] if len(images) == 1 else _index(images, build.platforms)
        repository.manifests[top.digest] = top
        repository.tags[build.tag] = top.digest
        return top.digest


def _image(build: Build, platform: str, repository: Repository) -> Document:
    layer = Document(
        f"{build.repository}:{build.tag} {build.created} {platform}".encode(), OCI_LAYER
    )
    config = _document(OCI_CONFIG, _config(build, platform, layer))
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _descriptor(config),
        "layers": [_descriptor(layer)],
    }
    document = _document(OCI_MANIFEST, manifest)
    repository.blobs |= {config.digest: config, layer.digest: layer}
    repository.manifests[document.digest] = document
    return document


def _config(build: Build, platform: str, layer: Document) -> dict[str, Any]:
    system, architecture, *variant = platform.split("/")
    return {
        "architecture": architecture,
        "os": system,
        **({"variant": variant[0]} if variant else {}),
        "created": build.created,
        "config": {"Labels": dict(build.labels)},
        "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
    }


def _index(images: list[Document], platforms: tuple[str, ...]) -> Document:
    entries = [
        {**_descriptor(image), "platform": _platform(platform)}
        for image, platform in zip(images, platforms, strict=True)
    ]
    return _document(OCI_INDEX, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})


def _platform(text: str) -> dict[str, str]:
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))


def _descriptor(document: Document) -> dict[str, Any]:
    return {
        "mediaType": document.media_type,
        "digest": document.digest,
        "size": len(document.body),
    }


def _document(media_type: str, value: dict[str, Any]) -> Document:
    return Document(json.dumps(value, separators=(",", ":")).encode(), media_type)


def _as_line(build: Build) -> dict[str, Any]:
    return {
        "repository": build.repository,
        "tag": build.tag,
        "created": build.created,
        "labels": dict(build.labels),
        "platforms": list(build.platforms),
    }
