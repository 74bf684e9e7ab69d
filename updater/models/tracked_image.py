"""One image of an Application that may move, and how."""

from django.db import models

from updater.models.application import Application
from updater.models.image_repository import ImageRepository


class TrackedImageQuerySet(models.QuerySet["TrackedImage"]):
    """Tracked images by state."""

    def present(self) -> "TrackedImageQuerySet":
        """Those configured now, of Applications that exist now."""
        return self.filter(removed_at=None, application__vanished_at=None)


class TrackedImage(models.Model):
    """An entry of the image list; `alias` is its key within the Application."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="tracked_images"
    )
    alias = models.TextField()
    position = models.PositiveIntegerField(default=0)
    image_repository = models.ForeignKey(
        ImageRepository,
        on_delete=models.PROTECT,
        related_name="tracked_images",
        null=True,
        blank=True,
    )
    # configuration.store.to_json(ImageConfiguration): read it back with configuration.store.from_json
    configuration = models.JSONField(default=dict)
    configuration_hash = models.TextField(default="", blank=True)
    # False: a fatal problem stands in Application.problems under this alias
    is_usable = models.BooleanField(default=True)
    is_live = models.BooleanField(default=False)
    live_tag = models.TextField(default="", blank=True)
    live_digest = models.TextField(default="", blank=True)
    # The last choice for people: {"chosen", "error", "reason", "at"}
    choice = models.JSONField(default=dict)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = TrackedImageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "alias"], name="one_tracked_image_per_alias"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application}/{self.alias}"
