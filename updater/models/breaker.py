"""Which outside hosts do not answer: one row a host, shared by all workers."""

from django.db import models

FAILURES_TO_OPEN = 3  # without an answer in between


class BreakerQuerySet(models.QuerySet["Breaker"]):
    """Breakers by whether they hold calls back."""

    def open(self) -> "BreakerQuerySet":
        """Those that let nothing through but one probe at a time, the longest outage first."""
        return self.filter(failures__gte=FAILURES_TO_OPEN).order_by("failing_since", "pk")


class Breaker(models.Model):
    """One host of one kind, and how often in a row it gave no answer."""

    class Kind(models.TextChoices):
        GIT = "git", "Git host"
        GIT_API = "git-api", "API of the Git host"
        CLUSTER = "cluster", "Kubernetes API"
        REGISTRY = "registry", "Registry"

    kind = models.TextField(choices=Kind.choices)
    host = models.TextField()
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)  # nobody asks before
    error_code = models.TextField(default="", blank=True)
    error_message = models.TextField(default="", blank=True)

    objects = BreakerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "host"], name="one_breaker_per_host"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["git", "git-api", "cluster", "registry"]),
                name="breaker_kind_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(failures=0, failing_since=None, retry_at=None)
                | models.Q(failures__gt=0, failing_since__isnull=False, retry_at__isnull=False),
                name="breaker_failing_since_and_until",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.host}"

    @property
    def is_open(self) -> bool:
        """Whether calls are held back."""
        return self.failures >= FAILURES_TO_OPEN
