"""What a person decided, about exactly which seal."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.models.promotion import Promotion


class Decision(models.Model):
    """One person's word, or the policy's, on one revision of a promotion; a voided one stays, with the time."""

    class Verb(models.TextChoices):
        APPROVE = "APPROVE"
        REJECT = "REJECT"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, related_name="decisions")
    revision = models.PositiveIntegerField()
    seal = models.TextField()
    verb = models.TextField(choices=Verb.choices)
    reason = models.TextField(default="", blank=True)
    # None: the policy alone, under the rule below
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="decisions",
        null=True,
        blank=True,
    )
    # Snapshot of the person at that time: {"username", "full_name", "roles", "groups", "via", "address"};
    # of the policy: {"username", "via": "policy", "inputs": what was looked at}
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
            models.UniqueConstraint(
                fields=["promotion", "revision"],
                condition=Q(by=None, voided_at=None),
                name="one_standing_decision_of_the_policy",
            ),
            models.CheckConstraint(
                condition=Q(by__isnull=False)
                | (Q(verb="APPROVE", identity__contains={"via": "policy"}) & ~Q(rule="")),
                name="only_the_policy_decides_without_a_person",
            ),
            models.CheckConstraint(
                condition=~Q(verb="REJECT") | ~Q(reason=""), name="rejection_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.promotion_id}"

    @property
    def is_automatic(self) -> bool:
        """Whether the policy alone decided."""
        return self.by_id is None
