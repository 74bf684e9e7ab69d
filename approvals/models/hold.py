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
        named = _named(tracked_image.application)
        of_image = {f"tracked_image__application__{key}": value for key, value in named.items()}
        return self.filter(
            Q(scope=Hold.Scope.EVERYTHING)
            | Q(**{f"application__{key}": value for key, value in named.items()})
            | Q(tracked_image__alias=tracked_image.alias, **of_image)
        )

    def about(self, application: Application) -> "HoldQuerySet":
        """Those on this Application or on one of its images."""
        named = _named(application)
        return self.filter(
            Q(**{f"application__{key}": value for key, value in named.items()})
            | Q(**{f"tracked_image__application__{key}": value for key, value in named.items()})
        )

    def with_target(self) -> "HoldQuerySet":
        """With Application and image in the same query, but for what is large."""
        found = self.select_related("application", "tracked_image__application")
        return found.defer(
            "application__manifest",
            "application__write_back",
            "tracked_image__configuration",
            "tracked_image__choice",
            "tracked_image__application__manifest",
            "tracked_image__application__write_back",
        )


def _named(application: Application) -> dict[str, str]:
    # By name, not by row: an Application that is deleted and made again stays held.
    return {field: getattr(application, field) for field in ("cluster", "namespace", "name")}


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
    released_by = models.TextField(default="", blank=True)  # "" for one that ended by itself
    release_reason = models.TextField(default="", blank=True)

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

    @property
    def held_application(self) -> Application | None:
        """The Application it is about; None for everything."""
        return self.tracked_image.application if self.tracked_image else self.application

    def covers(self, application: Application, alias: str) -> bool:
        """Whether it stops this image: the same as `covering`, for rows already read."""
        held = self.held_application
        if held is None:
            return True
        if self.tracked_image is not None and self.tracked_image.alias != alias:
            return False
        return _named(held) == _named(application)

    def covered(self) -> Q:
        """Return the promotions it stops, whatever their status, as a condition on them."""
        held = self.held_application
        if held is None:
            return Q()
        condition = Q(**{f"application__{key}": value for key, value in _named(held).items()})
        if self.tracked_image is not None:
            condition &= Q(tracked_image__alias=self.tracked_image.alias)
        return condition
