"""The TrackedImage rows of one Application: one for each configured image, kept when it is gone."""

import hashlib
import json
from datetime import datetime

from updater import images
from updater.configuration import store
from updater.configuration.model import ApplicationConfiguration, ImageConfiguration
from updater.images import ImageReference
from updater.models import Application, ImageRepository, Registry, TrackedImage


def reconcile_images(
    application: Application, configuration: ApplicationConfiguration, *, at: datetime
) -> None:
    """Write a row for each configured image; rows of images no longer configured end."""
    for position, image in enumerate(configuration.images):
        _write(application, image, position=position)
    keys = [image.key for image in configuration.images]
    application.tracked_images.filter(removed_at=None).exclude(alias__in=keys).update(removed_at=at)


def is_usable(application: Application, alias: str) -> bool:
    """Whether nothing fatal stands against the image, alone or with its whole Application."""
    fatal = {problem["alias"] for problem in application.problems if problem["fatal"]}
    return application.is_managed and None not in fatal and alias not in fatal


def _write(application: Application, image: ImageConfiguration, *, position: int) -> None:
    live = _live(image)
    document = store.to_json(image)
    TrackedImage.objects.update_or_create(
        application=application,
        alias=image.key,
        defaults={
            "position": position,
            "image_repository": image_repository(image.reference),
            "configuration": document,
            "configuration_hash": _hash(document),
            "is_usable": is_usable(application, image.key),
            "is_live": live is not None,
            "live_tag": (live.tag or "") if live else "",
            "live_digest": (live.digest or "") if live else "",
            "removed_at": None,
        },
    )


def image_repository(reference: ImageReference) -> ImageRepository:
    """Return the one row of an image repository, whatever spelling the Application uses."""
    registry, _ = Registry.objects.get_or_create(host=images.registry_host(reference))
    row, _ = ImageRepository.objects.get_or_create(registry=registry, name=reference.repository)
    return row


def _live(image: ImageConfiguration) -> ImageReference | None:
    for text in image.live:
        try:
            return images.parse(text)
        except images.ImageReferenceError:
            continue  # Argo CD reports what pods say; an unreadable entry is simply not this image
    return None


def _hash(document: dict[str, object]) -> str:
    # What runs is a fact of the cluster, not of the configuration.
    configured = {key: value for key, value in document.items() if key != "live"}
    return hashlib.sha256(json.dumps(configured, sort_keys=True).encode()).hexdigest()
