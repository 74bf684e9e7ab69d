"""What exactly is approved: the canonical subject of a promotion and its SHA-256, the seal.

Only what this image changes is sealed. Another image of the same Application may be promoted meanwhile;
its lines of the same file are not this promotion's subject.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from updater.models import Application, Candidate, TrackedImage

# The trailers by which a commit of ours is found and believed
PROMOTION_ID = "Promotion-Id"
PROMOTION_MAC = "Promotion-MAC"
IMAGE_DIGEST = "Image-Digest"
AUDIT_HEAD = "Audit-Head"

FIELD_NAMES = {
    "cluster": "Cluster",
    "application": "Application",
    "image": "Image",
    "image_repository": "Image repository",
    "tag": "Tag",
    "digest": "Digest",
    "method": "Written by",
    "git_repository": "Git repository",
    "branch": "Branch",
    "pull_request": "Pull request on",
    "paths": "Files",
    "edits": "Values",
    "pin": "Pinned by",
    "policy": "Policy",
    "kind": "Kind",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of the subject that is not what it was."""

    field: str
    sealed: str
    current: str


def subject(
    *,
    application: Application,
    tracked_image: TrackedImage,
    candidate: Candidate,
    plan: Mapping[str, Any],
    kind: str,
    policy_version: str,
) -> dict[str, Any]:
    """Return the subject of a promotion as plain JSON values (design.md 6)."""
    own = [edit for edit in plan.get("edits", []) if edit["image"] == tracked_image.alias]
    # Only where there is one: seals from before pull requests stand.
    by_pull_request = plan.get("pull_request") or {}
    return {
        **({"pull_request": by_pull_request["host"]} if by_pull_request else {}),
        "cluster": application.cluster,
        "application": {
            "namespace": application.namespace,
            "name": application.name,
            "uid": application.uid,
            "project": application.project,
        },
        "image": tracked_image.alias,
        "image_repository": str(tracked_image.image_repository),
        "tag": candidate.tag,
        "digest": candidate.digest,
        "method": plan.get("method", ""),
        "git_repository": plan.get("repository", ""),
        "branch": plan.get("branch", ""),
        "paths": [file["path"] for file in plan.get("files", [])],
        "edits": [[edit["key"], edit["old"], edit["new"]] for edit in own],
        "pin": plan.get("pin", "tag"),
        "policy": policy_version,
        "kind": kind,
    }


def seal(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of a subject, in hex."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def authenticate(promotion_id: str, seal_hex: str, paths: Sequence[str]) -> str:
    """Return the HMAC that a commit of ours carries: nobody else can write a trailer that we believe."""
    key = hashlib.sha256(f"countersign promotion {settings.PROMOTION_KEY}".encode()).digest()
    text = "\x1f".join([promotion_id, seal_hex, *paths])
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def authentication_of(promotion_id: str, sealed: Mapping[str, Any], seal_hex: str) -> str:
    """Return what only we can write into a commit for a promotion as it is sealed."""
    return authenticate(promotion_id, seal_hex, [str(path) for path in sealed["paths"]])


def differences(sealed: Mapping[str, Any], current: Mapping[str, Any]) -> list[Difference]:
    """Return the fields in which two subjects differ, in reading order."""
    return [
        Difference(field=name, sealed=readable(sealed.get(key)), current=readable(current.get(key)))
        for key, name in FIELD_NAMES.items()
        if sealed.get(key) != current.get(key)
    ]


def readable(value: object) -> str:
    """Return a subject's value as a person reads it."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list):
        return "; ".join(_readable_item(item) for item in value) or "none"
    return str(value)


def _readable_item(item: object) -> str:
    if isinstance(item, list) and len(item) == 3:
        key, old, new = item
        return f"{key}: {'nothing' if old is None else old} → {new}"
    return str(item)
