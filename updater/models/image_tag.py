"""Tags of an image repository, and which digest stood behind each, when."""

from django.db import models
from django.db.models import Q

from updater.models.image_repository import ImageRepository


class ImageTag(models.Model):
    """A tag as the registry lists it now (`removed_at` set: it no longer does)."""

    image_repository = models.ForeignKey(
        ImageRepository, on_delete=models.PROTECT, related_name="tags"
    )
    name = models.TextField()
    digest = models.TextField(default="", blank=True)  # "" until somebody needed it
    digest_seen_at = models.DateTimeField(null=True, blank=True)
    position = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image_repository", "name"], name="one_row_per_tag"),
        ]

    def __str__(self) -> str:
        return self.name


class TagDigest(models.Model):
    """The interval in which one digest stood behind one tag, as far as we looked."""

    image_tag = models.ForeignKey(ImageTag, on_delete=models.PROTECT, related_name="digests")
    digest = models.TextField()
    seen_from = models.DateTimeField()
    seen_until = models.DateTimeField(null=True, blank=True)  # None: still

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image_tag"],
                condition=Q(seen_until=None),
                name="one_current_digest_per_tag",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_tag}@{self.digest}"
