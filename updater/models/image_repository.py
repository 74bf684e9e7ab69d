"""What registries told us: registries, image repositories, and manifests by digest."""

from django.db import models


class Registry(models.Model):
    """One registry host and whether it answers."""

    host = models.TextField(unique=True)
    error_code = models.TextField(default="", blank=True)
    error_message = models.TextField(default="", blank=True)
    failures = models.PositiveIntegerField(default=0)
    unreachable_since = models.DateTimeField(null=True, blank=True)
    # No request before this time: Retry-After, or the breaker's back-off
    retry_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.host


class ImageRepository(models.Model):
    """One image repository of one registry: scanned once, however many Applications use it."""

    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="repositories")
    name = models.TextField()
    scanned_at = models.DateTimeField(null=True, blank=True)
    next_scan_at = models.DateTimeField(null=True, blank=True)
    # A tag list cut at a limit proposes nothing
    is_complete = models.BooleanField(default=False)
    tag_count = models.PositiveIntegerField(default=0)
    request_count = models.PositiveIntegerField(default=0)
    error_code = models.TextField(default="", blank=True)
    error_message = models.TextField(default="", blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registry", "name"], name="one_image_repository_per_name"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"


class ImageManifest(models.Model):
    """A manifest or index, immutable because known by digest: fetched once, ever."""

    image_repository = models.ForeignKey(
        ImageRepository, on_delete=models.PROTECT, related_name="manifests"
    )
    digest = models.TextField()
    media_type = models.TextField()
    created = models.DateTimeField(null=True, blank=True)
    # [{"platform": "linux/amd64", "digest", "created", "labels"}] one entry for a single manifest
    platforms = models.JSONField(default=list)
    labels = models.JSONField(default=dict)
    size_bytes = models.BigIntegerField(default=0)
    problem = models.TextField(default="", blank=True)
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image_repository", "digest"], name="one_manifest_per_digest"
            ),
        ]

    def __str__(self) -> str:
        return self.digest
