"""What a person asks for while there is no promotion yet: the way back, or a tag of their choice."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.models.promotion import Promotion
from updater.models import TrackedImage


class RequestQuerySet(models.QuerySet["Request"]):
    """Requests by where they stand."""

    def waiting(self) -> "RequestQuerySet":
        """Those that no worker has prepared yet."""
        return self.filter(status=Request.Status.WAITING)

    def with_target(self) -> "RequestQuerySet":
        """With the Application, image and person in the same query."""
        return self.select_related("tracked_image__application", "by")


class Request(models.Model):
    """A wish that a worker plans and seals; the promotion that it becomes has the same id."""

    class Kind(models.TextChoices):
        ROLLBACK = "rollback"
        CHOSEN = "chosen"

    class Status(models.TextChoices):
        WAITING = "WAITING", "Being prepared"
        OPENED = "OPENED", "Open"  # a promotion of this id stands
        REFUSED = "REFUSED", "Could not be prepared"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tracked_image = models.ForeignKey(
        TrackedImage, on_delete=models.PROTECT, related_name="requests"
    )
    kind = models.TextField(choices=Kind.choices)
    tag = models.TextField()
    digest = models.TextField(default="", blank=True)  # "": not known when it was asked for
    is_downgrade = models.BooleanField(default=False)
    # The release that succeeded here and that is to run again
    returns_to = models.ForeignKey(
        Promotion, on_delete=models.PROTECT, null=True, blank=True, related_name="return_requests"
    )
    reason = models.TextField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requests"
    )
    at = models.DateTimeField()
    status = models.TextField(choices=Status.choices, default=Status.WAITING)
    # One sentence for people: why it waits, or why nothing came of it
    problem = models.TextField(default="", blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = RequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tracked_image", "kind"],
                condition=Q(status="WAITING"),
                name="one_waiting_request_of_a_kind_per_image",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="request_has_a_reason"),
            models.CheckConstraint(
                condition=Q(kind="rollback", returns_to__isnull=False) & ~Q(digest="")
                | Q(kind="chosen", returns_to=None),
                name="request_names_where_a_rollback_goes",
            ),
            models.CheckConstraint(
                condition=Q(status="WAITING", ended_at=None)
                | ~Q(status="WAITING") & Q(ended_at__isnull=False),
                name="request_waits_or_ended",
            ),
        ]
        indexes = [models.Index(fields=["tracked_image", "-at"], name="request_by_image")]

    def __str__(self) -> str:
        return f"{self.tracked_image} to {self.tag}"

    @property
    def is_waiting(self) -> bool:
        """Whether a worker has yet to prepare it."""
        return self.status == self.Status.WAITING

    @property
    def is_rollback(self) -> bool:
        """Whether it goes back to a release that succeeded here."""
        return self.kind == self.Kind.ROLLBACK
