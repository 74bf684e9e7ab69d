"""What a person found out about a promotion whose effect our own looks could not establish."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.models.promotion import Promotion


class Finding(models.Model):
    """One person's word with evidence; it holds for the uncertainty that began at `unknown_since`."""

    class Verdict(models.TextChoices):
        WRITTEN = "written", "It is written"
        NOT_WRITTEN = "not_written", "It is not written"
        RUNS = "runs", "It runs and is healthy"
        BAD = "bad", "It was deployed and is bad"

    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, related_name="findings")
    unknown_since = models.DateTimeField()
    verdict = models.TextField(choices=Verdict.choices)
    evidence = models.TextField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="findings"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["promotion", "by", "unknown_since"], name="one_finding_per_person"
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["written", "not_written", "runs", "bad"]),
                name="finding_verdict_is_known",
            ),
            models.CheckConstraint(condition=~Q(evidence=""), name="finding_has_evidence"),
        ]

    def __str__(self) -> str:
        return f"{self.promotion_id} {self.verdict}"
