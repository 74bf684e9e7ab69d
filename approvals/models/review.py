"""The review that an emergency owes: by somebody else, in a set time."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from approvals.models.promotion import Promotion


class ReviewQuerySet(models.QuerySet["Review"]):
    """Reviews by whether they were given."""

    def owed(self) -> "ReviewQuerySet":
        """Those that nobody has given yet, the most urgent first."""
        return self.filter(given_at=None).order_by("due_at")

    def overdue(self, at: datetime) -> "ReviewQuerySet":
        """Those that should have been given by now."""
        return self.owed().filter(due_at__lte=at)


class Review(models.Model):
    """What an emergency was declared for, and what somebody else thought of it afterwards."""

    class Verdict(models.TextChoices):
        JUSTIFIED = "justified"
        NOT_JUSTIFIED = "not justified"

    promotion = models.OneToOneField(Promotion, on_delete=models.PROTECT, related_name="review")
    incident = models.TextField(default="", blank=True)
    reason = models.TextField()
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="emergencies"
    )
    declared_at = models.DateTimeField()
    due_at = models.DateTimeField()
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reviews",
    )
    given_at = models.DateTimeField(null=True, blank=True)
    verdict = models.TextField(choices=Verdict.choices, default="", blank=True)
    notes = models.TextField(default="", blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(given_by=None) | ~Q(given_by=F("declared_by")),
                name="nobody_reviews_their_own_emergency",
            ),
            models.CheckConstraint(
                condition=Q(given_at=None, given_by=None, verdict="")
                | (
                    Q(given_at__isnull=False, given_by__isnull=False)
                    & ~Q(verdict="")
                    & ~Q(notes="")
                ),
                name="review_is_owed_or_whole",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="emergency_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"review of {self.promotion_id}"
