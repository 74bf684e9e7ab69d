"""Who does what only one worker at a time may do."""

from django.db import models


class Lease(models.Model):
    """The holder of one target of executions, or of one kind of regular work; every claim raises the fence."""

    target = models.TextField(unique=True)
    holder = models.TextField(default="", blank=True)
    fence = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    seen_tip = models.TextField(
        default="", blank=True
    )  # up to where commits were compared with the rows

    class Meta:
        # The table keeps its old name: while an upgrade goes on, workers of both releases keep apart by its rows.
        db_table = "approvals_lease"

    def __str__(self) -> str:
        return self.target
