"""Stops that people set: nothing new is written where one stands."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from updater.models import Application, TrackedImage


class HoldQuerySet(models.QuerySet["Hold"]):
    """Holds by where they stand."""

    def standing(self, at: datetime) -> "HoldQuerySet":
        """Those neither released nor over."""
        return self.filter(Q(until=None) | Q(until__gt=at), released_at=None)

    def over(self, at: datetime) -> "HoldQuerySet":
        """Those whose time is up and that nobody has released: to be closed before a new one is set."""
        return self.filter(until__lte=at, released_at=None)

    def covering(self, tracked_image: TrackedImage) -> "HoldQuerySet":
        """Those that stop this image: its own, its Application's, and those on everything."""
        return self.filter(
            Q(scope=Hold.Scope.EVERYTHING)
            | Q(application=tracked_image.application_id)
            | Q(tracked_image=tracked_image)
        )


class Hold(models.Model):
    """A person stops one image, one Application or everything, until a time or until released."""

    class Scope(models.TextChoices):
        EVERYTHING = "everything"
        APPLICATION = "application"
        IMAGE = "image"

    scope = models.TextField(choices=Scope.choices)
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, null=True, blank=True, related_name="holds"
    )
    tracked_image = models.ForeignKey(
        TrackedImage, on_delete=models.PROTECT, null=True, blank=True, related_name="holds"
    )
    reason = models.TextField()
    by = models.TextField()
    at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)  # None: until somebody releases it
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.TextField(default="", blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope"],
                condition=Q(scope="everything", released_at=None),
                name="one_standing_hold_on_everything",
            ),
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(scope="application", released_at=None),
                name="one_standing_hold_per_application",
            ),
            models.UniqueConstraint(
                fields=["tracked_image"],
                condition=Q(scope="image", released_at=None),
                name="one_standing_hold_per_image",
            ),
            models.CheckConstraint(
                condition=Q(scope="everything", application=None, tracked_image=None)
                | Q(scope="application", application__isnull=False, tracked_image=None)
                | Q(scope="image", application=None, tracked_image__isnull=False),
                name="hold_names_its_scope",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="hold_has_a_reason"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=models.F("at")),
                name="hold_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"hold on {self.target}"

    @property
    def target(self) -> str:
        """What it stops, in words."""
        return str(self.tracked_image or self.application or "everything")
