"""What ran when: the releases of one image as parts of a line, from so many days ago until now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.presenters import times
from approvals.presenters.texts import visible

DAYS = 30
_LABEL_WIDTH = 9.0  # percent of the line that a tag needs
_GAP = 0.2


@dataclass(frozen=True, slots=True)
class Segment:
    """One release's time on the line, in percent of its width."""

    promotion: Promotion
    start: float
    width: float
    tone: str
    active_for: str
    label: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The line and the days written under it."""

    segments: tuple[Segment, ...]
    days: tuple[datetime, ...]


def of_releases(releases: Sequence[Promotion], *, now: datetime) -> Strip:
    """Return the line for deployed releases, newest first."""
    first = now - timedelta(days=DAYS)
    segments = []
    until = now
    for release in releases:
        since = release.ended_at or release.created_at
        if until > first:
            segments.append(_segment(release, since, until, first=first, now=now))
        until = since
    marks = tuple(first + timedelta(days=DAYS * part / 4) for part in range(4))
    return Strip(tuple(reversed(segments)), marks)


def _segment(
    release: Promotion, since: datetime, until: datetime, *, first: datetime, now: datetime
) -> Segment:
    whole = now - first
    start = max(since, first) - first
    width = until - max(since, first)
    share = 100 * width / whole
    active_for = times.long_span(until - since)
    is_current = until == now
    tone = "bad" if release.status == Status.FAILED else "ok" if is_current else ""
    return Segment(
        promotion=release,
        start=round(100 * start / whole, 2),
        width=round(max(share - _GAP, _GAP), 2),
        tone=tone,
        active_for=active_for,
        label=_label(visible(release.to_tag), active_for, share),
    )


def _label(tag: str, active_for: str, share: float) -> str:
    if share < _LABEL_WIDTH:
        return ""
    return f"{tag}, {active_for}" if share > 2 * _LABEL_WIDTH else tag
