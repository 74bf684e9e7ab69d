"""The audit trail's chain, computed again: the first row that does not fit, or that all do."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

from updater.models import AuditEvent


@dataclass(frozen=True, slots=True)
class Chain:
    """How far the chain is whole."""

    count: int  # rows looked at
    head: str  # hash of the last whole row
    broken_at: int | None = None  # sequence of the first row that does not fit


def verify(events: Iterable[AuditEvent] | None = None) -> Chain:
    """Compute the chain of these rows again, of the whole trail if none are given."""
    if events is None:
        events = AuditEvent.objects.order_by("sequence").iterator(chunk_size=5000)
    count, previous = 0, ""
    for event in events:
        count += 1
        is_next = event.sequence == count and event.previous_hash == previous
        if not is_next or event.hash != _hash(event):
            return Chain(count, previous, event.sequence)
        previous = event.hash
    return Chain(count, previous)


def _hash(event: AuditEvent) -> str:
    at = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    texts = (event.previous_hash, str(event.sequence), at, event.kind, event.actor)
    origin = (event.actor_kind, event.via, event.address, event.request_id)
    subject = (event.application, event.image, event.promotion, event.details)
    return hashlib.sha256("\x1f".join((*texts, *origin, *subject)).encode()).hexdigest()
