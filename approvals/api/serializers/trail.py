"""What the API shows of the audit trail."""

import json
from typing import Any

from rest_framework import serializers

from updater.models import AuditEvent


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    """One fact of the audit trail."""

    details = serializers.SerializerMethodField()

    class Meta:
        model = AuditEvent
        fields = (
            "sequence",
            "at",
            "kind",
            "actor",
            "actor_kind",
            "via",
            "address",
            "request_id",
            "application",
            "image",
            "promotion",
            "details",
            "previous_hash",
            "hash",
        )

    def get_details(self, event: AuditEvent) -> dict[str, Any]:
        """Return the details as an object; the chain is over their stored text."""
        details: dict[str, Any] = json.loads(event.details)
        return details
