"""API tokens and the memory of idempotent requests."""

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """A token for machine clients; only its hash is kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_tokens"
    )
    name = models.TextField()
    token_hash = models.TextField(unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.user} {self.name}"


class IdempotencyRecord(models.Model):
    """The answer given to one Idempotency-Key of one person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    key = models.TextField()
    request_hash = models.TextField()
    status_code = models.PositiveIntegerField()
    body = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_key"),
        ]

    def __str__(self) -> str:
        return self.key
