"""Attempts to carry out a promotion, and their steps."""

import uuid

from django.db import models
from django.db.models import Q

from approvals.models.promotion import Promotion


class Execution(models.Model):
    """One attempt; it ends SUCCEEDED, FAILED, ERRORED, UNKNOWN, or ABORTED."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, related_name="executions")
    attempt = models.PositiveIntegerField()
    target = models.TextField()
    holder = models.TextField()
    fence = models.BigIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    status = models.TextField(default="RUNNING")
    error_code = models.TextField(default="", blank=True)
    message = models.TextField(default="", blank=True)
    # Recorded before the push: where from, and the commit that will stand on the branch
    base_commit = models.TextField(default="", blank=True)
    intended_commit = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["promotion", "attempt"], name="one_row_per_attempt"),
            models.UniqueConstraint(
                fields=["promotion"], condition=Q(ended_at=None), name="one_running_attempt"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.promotion_id} attempt {self.attempt}"


class ExecutionStep(models.Model):
    """One outside effect: what was intended, what a look outside found, what was concluded."""

    class State(models.TextChoices):
        INTENDED = "INTENDED"
        DONE = "DONE"
        FOUND_DONE = "FOUND_DONE"  # an earlier attempt had done it
        STOPPED = "STOPPED"

    execution = models.ForeignKey(Execution, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveIntegerField()
    name = models.TextField()
    intended = models.TextField(default="", blank=True)
    probed = models.TextField(default="", blank=True)
    state = models.TextField(choices=State.choices, default=State.INTENDED)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["execution", "name"], name="one_row_per_step"),
        ]

    def __str__(self) -> str:
        return self.name
