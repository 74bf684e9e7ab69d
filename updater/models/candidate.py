"""Tags that could replace what runs, and digests that were refused."""

from django.db import models
from django.db.models import Q

from updater.models.image_repository import ImageManifest
from updater.models.tracked_image import TrackedImage


class Candidate(models.Model):
    """A tag and digest chosen for a tracked image; the newest one with `is_current` is the offer."""

    tracked_image = models.ForeignKey(
        TrackedImage, on_delete=models.PROTECT, related_name="candidates"
    )
    tag = models.TextField()
    digest = models.TextField()
    manifest = models.ForeignKey(
        ImageManifest, on_delete=models.PROTECT, related_name="candidates", null=True, blank=True
    )
    # Why this one: the rule in words, from selection
    reason = models.TextField(default="", blank=True)
    is_downgrade = models.BooleanField(default=False)
    is_current = models.BooleanField(default=True)
    # Why no promotion could be opened for it yet (Git unreachable, file unreadable), and when to try again
    problem = models.TextField(default="", blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tracked_image", "tag", "digest"], name="one_candidate_per_digest"
            ),
            models.UniqueConstraint(
                fields=["tracked_image"],
                condition=Q(is_current=True),
                name="one_current_candidate_per_image",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tracked_image} {self.tag}"


class Refusal(models.Model):
    """A digest that is not to be offered again for a target until someone lifts it."""

    class Scope(models.TextChoices):
        DIGEST = "DIGEST"  # this digest only
        UNTIL_NEWER = "UNTIL_NEWER"  # nothing until a newer build than this one

    tracked_image = models.ForeignKey(
        TrackedImage, on_delete=models.PROTECT, related_name="refusals"
    )
    tag = models.TextField()
    digest = models.TextField()
    scope = models.TextField(choices=Scope.choices, default=Scope.DIGEST)
    reason = models.TextField()
    by = models.TextField()
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tracked_image", "digest"],
                condition=Q(lifted_at=None),
                name="one_standing_refusal_per_digest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tracked_image} {self.tag}"
