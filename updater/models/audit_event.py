"""The audit trail's rows: text copies, no foreign keys, so they outlive what they describe."""

from django.db import models


class AuditEvent(models.Model):
    """One fact. `sequence`, `at`, `previous_hash` and `hash` are set by the database trigger, gapless and chained."""

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    kind = models.TextField()
    actor = models.TextField()
    actor_kind = models.TextField()  # "person" or "machine"
    via = models.TextField()  # "page", "api", "command", "worker", "beat"
    address = models.TextField(default="", blank=True)
    request_id = models.TextField(default="", blank=True)
    application = models.TextField(default="", blank=True)  # "namespace/name"
    image = models.TextField(default="", blank=True)  # alias
    promotion = models.TextField(default="", blank=True)  # promotion id
    # Canonical JSON as text: the hash is over these bytes, never over jsonb output
    details = models.TextField(default="{}")
    previous_hash = models.TextField()
    hash = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["application", "-sequence"], name="audit_by_application"),
            models.Index(fields=["actor", "-sequence"], name="audit_by_actor"),
            models.Index(fields=["kind", "-sequence"], name="audit_by_kind"),
            models.Index(fields=["promotion", "sequence"], name="audit_by_promotion"),
            models.Index(fields=["-at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.kind}"
