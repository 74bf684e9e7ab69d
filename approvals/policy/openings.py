"""Whether the policy's windows let a release start, and when that changes. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from approvals.policy import windows
from approvals.policy.effective import WindowRule
from approvals.policy.schedules import Schedule

_MAX_STEPS = 60  # windows looked through for the next change
_HORIZON = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Opening:
    """Open or closed, by which window, until when; None: no change in sight."""

    is_open: bool
    changes_at: datetime | None
    because: tuple[WindowRule, ...]  # the windows that close it


@lru_cache(maxsize=512)
def look(allow: tuple[WindowRule, ...], deny: tuple[WindowRule, ...], *, at: datetime) -> Opening:
    """Return whether a release may start: no deny window in force, and of each allow list one open."""
    denying, missing = _denying(deny, at), _missing(allow, at)
    if denying or missing:
        return Opening(False, _opens(allow, deny, at), (*denying, *missing))  # noqa: FBT003
    return Opening(True, _closes(allow, deny, at), ())  # noqa: FBT003  named by the class


def in_words(moment: datetime, zone: str) -> str:
    """Return a moment in the zone of the rule and in UTC."""
    local = moment.astimezone(ZoneInfo(zone))
    utc = moment.astimezone(UTC)
    return f"{local:%a %d %b %Y %H:%M} {zone} ({utc:%Y-%m-%d %H:%M} UTC)"


def _denying(deny: tuple[WindowRule, ...], at: datetime) -> tuple[WindowRule, ...]:
    return tuple(rule for rule in deny if _any(windows.is_denied, rule, at))


def _missing(allow: tuple[WindowRule, ...], at: datetime) -> tuple[WindowRule, ...]:
    return tuple(rule for rule in allow if not _any(windows.is_open, rule, at))


def _any(test: Callable[[Schedule, datetime], bool], rule: WindowRule, at: datetime) -> bool:
    return any(test(schedule, at) for schedule in rule.schedules)


def _opens(
    allow: tuple[WindowRule, ...], deny: tuple[WindowRule, ...], at: datetime
) -> datetime | None:
    moment = at
    for _ in range(_MAX_STEPS):
        hopes = [
            *(_end_of_denial(rule, moment) for rule in _denying(deny, moment)),
            *(_start_of_permission(rule, moment) for rule in _missing(allow, moment)),
        ]
        known = [hope for hope in hopes if hope is not None]
        if not hopes:
            return moment
        if len(known) < len(hopes) or max(known) - at > _HORIZON:
            return None
        moment = max(known)
    return None


def _end_of_denial(rule: WindowRule, at: datetime) -> datetime | None:
    (schedule,) = rule.schedules
    return windows.denying(schedule, at).changes_at


def _start_of_permission(rule: WindowRule, at: datetime) -> datetime | None:
    starts = [windows.allowing(schedule, at).changes_at for schedule in rule.schedules]
    return min((start for start in starts if start is not None), default=None)


def _closes(
    allow: tuple[WindowRule, ...], deny: tuple[WindowRule, ...], at: datetime
) -> datetime | None:
    moment = at
    for _ in range(_MAX_STEPS):
        changes = [
            *(windows.denying(item, moment).changes_at for rule in deny for item in rule.schedules),
            *(
                windows.allowing(item, moment).changes_at
                for rule in allow
                for item in rule.schedules
            ),
        ]
        moment = min((change for change in changes if change is not None), default=at)
        if moment <= at or moment - at > _HORIZON:
            return None
        if _denying(deny, moment) or _missing(allow, moment):
            return moment
    return None
