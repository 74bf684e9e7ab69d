"""The audit trail's chain, computed again: the first row that does not fit, or that all do."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

from updater.models import AuditEvent

MAX_NAMED = 5  # rows at which time went back


@dataclass(frozen=True, slots=True)
class Chain:
    """How far the chain is whole."""

    count: int  # rows looked at
    head: str  # hash of the last whole row
    broken_at: int | None = None  # sequence of the first row that does not fit
    backwards: tuple[
        int, ...
    ] = ()  # the first rows that are older than the one before: a clock was set back

    @property
    def note(self) -> str:
        """What is odd about a whole chain, "" when nothing is: order is by sequence, time only tells."""
        if not self.backwards:
            return ""
        rows = ", ".join(map(str, self.backwards))
        return f"The database's clock went back before event {rows}: their order is right, their times may not be."


def verify(events: Iterable[AuditEvent] | None = None) -> Chain:
    """Compute the chain of these rows again, of the whole trail if none are given."""
    if events is None:
        events = AuditEvent.objects.order_by("sequence").iterator(chunk_size=5000)
    count, previous, last = 0, "", None
    backwards: list[int] = []
    for event in events:
        count += 1
        is_next = event.sequence == count and event.previous_hash == previous
        if not is_next or event.hash != hash_of(event):
            return Chain(count, previous, event.sequence, tuple(backwards))
        if last is not None and event.at < last and len(backwards) < MAX_NAMED:
            backwards.append(event.sequence)
        previous, last = event.hash, event.at
    return Chain(count, previous, backwards=tuple(backwards))


def hash_of(event: AuditEvent) -> str:
    """Return the hash that an event must have, given what it says and the one before it."""
    at = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    texts = (event.previous_hash, str(event.sequence), at, event.kind, event.actor)
    origin = (event.actor_kind, event.via, event.address, event.request_id)
    subject = (event.application, event.image, event.promotion, event.details)
    return hashlib.sha256("\x1f".join((*texts, *origin, *subject)).encode()).hexdigest()
