"""What the machine knows, one model a file."""

from updater.models.application import Application
from updater.models.audit_event import AuditEvent
from updater.models.breaker import Breaker
from updater.models.candidate import Candidate, Refusal
from updater.models.image_repository import ImageManifest, ImageRepository, Registry
from updater.models.image_tag import ImageTag, TagDigest
from updater.models.lease import Lease
from updater.models.tracked_image import TrackedImage
from updater.models.turn import Turn

__all__ = [
    "Application",
    "AuditEvent",
    "Breaker",
    "Candidate",
    "ImageManifest",
    "ImageRepository",
    "ImageTag",
    "Lease",
    "Refusal",
    "Registry",
    "TagDigest",
    "TrackedImage",
    "Turn",
]
