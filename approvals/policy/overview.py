"""What the policy says about an Application when nobody asks about a promotion: values, people, windows, dead ends."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from approvals.policy import evaluation, openings, store, words
from approvals.policy.effective import Effective
from approvals.policy.evaluation import Facts, QuorumStanding
from approvals.policy.people import people_of
from approvals.policy.rules import effective_for
from approvals.policy.store import Policy
from approvals.policy.words import Line
from updater.models import Application

_HIDDEN = "an Application that you may not see"


@dataclass(frozen=True, slots=True)
class Windows:
    """Whether a release may start now, and the next two changes of that; None: not in sight."""

    is_open: bool
    opens_at: datetime | None
    closes_at: datetime | None
    because: tuple[str, ...]  # the windows that keep it closed
    zone: str

    def as_dict(self) -> dict[str, Any]:
        """Return them as JSON values."""
        return {
            "open": self.is_open,
            "opens_at": self.opens_at and self.opens_at.isoformat(),
            "closes_at": self.closes_at and self.closes_at.isoformat(),
            "because": list(self.because),
            "zone": self.zone,
        }


@dataclass(frozen=True, slots=True)
class Overview:
    """The effective policy of one Application."""

    application: Application
    policy: Policy
    version: str  # what its approvals are sealed under
    lines: tuple[Line, ...]
    quorums: tuple[QuorumStanding, ...]
    unsatisfiable: tuple[str, ...]
    windows: Windows | None  # None: no window limits it

    def as_dict(self) -> dict[str, Any]:
        """Return the overview as JSON values."""
        return {
            "application": self.application.full_name,
            "sealed_as": self.version,
            "values": [
                {"name": line.name, "value": line.value, "from": list(line.origins)}
                for line in self.lines
            ],
            "approvals": [
                {
                    "name": quorum.name,
                    "needed": quorum.needed,
                    "who": quorum.who,
                    "people": list(quorum.eligible),
                    "from": list(quorum.origins),
                }
                for quorum in self.quorums
            ],
            "unsatisfiable": list(self.unsatisfiable),
            "windows": self.windows and self.windows.as_dict(),
        }


def of(application: Application, *, visible: Collection[str] | None, at: datetime) -> Overview:
    """Return the overview; `visible` are the full names that its reader may see, None for all."""
    policy = store.current()
    effective = effective_for([application], policy)[application.pk]
    count = evaluation.count(effective, _nobody_asked(application, policy, at))
    return Overview(
        application=application,
        policy=policy,
        version=effective.version(),
        lines=words.lines(_for_reader(effective, visible), at=at),
        quorums=count.quorums,
        unsatisfiable=count.unsatisfiable,
        windows=_windows(effective, at),
    )


def dead_ends(
    applications: Iterable[Application], *, at: datetime
) -> list[tuple[Application, tuple[str, ...]]]:
    """Return the Applications with rules that nobody can fulfil, whatever is promoted there."""
    shown, policy = list(applications), store.current()
    effective = effective_for(shown, policy)
    people = people_of(shown, policy)
    found = []
    for application in shown:
        around = Facts(at=at, expires_at=at, people=people[application.pk])
        sentences = evaluation.count(effective[application.pk], around).unsatisfiable
        found += [(application, sentences)] if sentences else []
    return found


def _nobody_asked(application: Application, policy: Policy, at: datetime) -> Facts:
    people = people_of([application], policy)[application.pk]
    return Facts(at=at, expires_at=at, people=people, closed=policy.closed)


def _for_reader(effective: Effective, visible: Collection[str] | None) -> Effective:
    if visible is None:
        return effective
    upstream = tuple(
        rule if rule.application in visible else replace(rule, application=_HIDDEN)
        for rule in effective.upstream
    )
    return replace(effective, upstream=upstream)


def _windows(effective: Effective, at: datetime) -> Windows | None:
    limits = (*effective.allow, *effective.deny)
    if not limits:
        return None
    now = openings.look(effective.allow, effective.deny, at=at)
    next_change = now.changes_at
    later = next_change and openings.look(effective.allow, effective.deny, at=next_change)
    after = later.changes_at if later else None
    return Windows(
        is_open=now.is_open,
        opens_at=after if now.is_open else next_change,
        closes_at=next_change if now.is_open else after,
        because=tuple(rule.name for rule in now.because),
        zone=limits[0].schedules[0].zone,
    )
