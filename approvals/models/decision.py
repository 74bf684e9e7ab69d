"""What a person decided, about exactly which seal."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.models.promotion import Promotion


class Decision(models.Model):
    """One person's word on one revision of a promotion; a withdrawn or voided one stays, with the time."""

    class Verb(models.TextChoices):
        APPROVE = "APPROVE"
        REJECT = "REJECT"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, related_name="decisions")
    revision = models.PositiveIntegerField()
    seal = models.TextField()
    verb = models.TextField(choices=Verb.choices)
    reason = models.TextField(default="", blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions"
    )
    # Snapshot of the person at that time: {"username", "full_name", "roles", "groups", "via", "address"}
    identity = models.JSONField()
    # The rule this decision satisfied, in words
    rule = models.TextField(default="", blank=True)
    at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["promotion", "revision", "by"],
                condition=Q(voided_at=None),
                name="one_standing_decision_per_person",
            ),
            models.CheckConstraint(
                condition=~Q(verb="REJECT") | ~Q(reason=""), name="rejection_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.promotion_id}"
