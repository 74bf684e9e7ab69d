"""Computes the audit trail's hash chain again and names the first row that does not fit."""

import hashlib
from datetime import UTC
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from updater.models import AuditEvent


class Command(BaseCommand):
    """`manage.py verify_audit`: exit status 0 only when every row was checked and fits."""

    help = "Verify that the audit trail has no gap and that its hash chain is whole."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002  Django's signature
        """Verify the chain."""
        count, previous = 0, ""
        for event in AuditEvent.objects.order_by("sequence").iterator(chunk_size=5000):
            count += 1
            is_next = event.sequence == count and event.previous_hash == previous
            if not is_next or event.hash != _hash(event):
                raise CommandError(f"The trail is broken at event {event.sequence}.")
            previous = event.hash
        self.stdout.write(f"{count} events verified, head {previous or 'none'}")


def _hash(event: AuditEvent) -> str:
    at = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    texts = (event.previous_hash, str(event.sequence), at, event.kind, event.actor)
    origin = (event.actor_kind, event.via, event.address, event.request_id)
    subject = (event.application, event.image, event.promotion, event.details)
    return hashlib.sha256("\x1f".join((*texts, *origin, *subject)).encode()).hexdigest()
