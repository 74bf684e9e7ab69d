"""Argo CD's sync windows: may this Application sync now, and when does that change (argo-cd.md 8). Pure.

Windows come from the Application's project, which somebody else writes: one that cannot be read means no.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import re2
from cronsim import CronSim, CronSimError

MAX_WINDOWS = 200  # of one project that are looked at; more means no
MAX_GLOB = 512  # characters
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


@dataclass(frozen=True, slots=True)
class Subject:
    """What the selectors of a window look at."""

    name: str
    namespace: str
    clusters: tuple[str, ...]  # destination name and server


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether syncs may start now: automatic ones, and those that are asked for; why in words."""

    automatic: bool
    manual: bool
    reason: str
    is_readable: bool = True  # else it stays closed until somebody mends the window


class _UnreadableError(Exception):
    """A schedule or duration of a window is none."""


def subject_of(manifest: Mapping[str, Any]) -> Subject:
    """Return what windows look at in an Application."""
    destination = manifest.get("spec", {}).get("destination") or {}
    clusters = (str(destination.get("name") or ""), str(destination.get("server") or ""))
    return Subject(
        name=str(manifest.get("metadata", {}).get("name", "")),
        namespace=str(destination.get("namespace") or ""),
        clusters=tuple(filter(None, clusters)),
    )


def matching(windows: object, subject: Subject) -> list[dict[str, Any]]:
    """Return the windows of a project that are about this Application."""
    listed = windows if isinstance(windows, list) else []
    known = [window for window in listed if isinstance(window, dict)]
    return [window for window in known[:MAX_WINDOWS] if _matches(window, subject)]


def judge(windows: Sequence[Mapping[str, Any]], *, at: datetime) -> Answer:
    """Say whether syncs may start now, given the windows that match the Application."""
    if not windows:
        return Answer(automatic=True, manual=True, reason="No sync window is about it.")
    try:
        active = [window for window in windows if _is_active(window, at)]
    except _UnreadableError as error:
        reason = f"A sync window cannot be read: {error}."
        return Answer(automatic=False, manual=False, reason=reason, is_readable=False)
    denies = [window for window in active if window.get("kind") == "deny"]
    if denies:
        return Answer(
            automatic=False, manual=_all_manual(denies), reason=_words("closed by", denies)
        )
    allows = [window for window in windows if window.get("kind") == "allow"]
    if not allows or any(window in active for window in allows):
        return Answer(automatic=True, manual=True, reason="Argo CD's sync window is open.")
    return Answer(automatic=False, manual=_all_manual(allows), reason=_words("opens with", allows))


def _words(what: str, windows: Sequence[Mapping[str, Any]]) -> str:
    named = [
        f"{window.get('schedule')} for {window.get('duration')} ({window.get('timeZone') or 'UTC'})"
        for window in windows[:3]
    ]
    return f"Argo CD's sync window is {what} {'; '.join(named)}."


def _all_manual(windows: Sequence[Mapping[str, Any]]) -> bool:
    return all(window.get("manualSync") is True for window in windows)


def _is_active(window: Mapping[str, Any], at: datetime) -> bool:
    # Argo CD adds today's offset of the zone and compares plain times, open at both ends.
    local = at.astimezone(_zone(window.get("timeZone"))).replace(tzinfo=UTC)
    length = timedelta(seconds=_seconds(str(window.get("duration", ""))))
    start = _next_start(str(window.get("schedule", "")), local - length)
    return start < local


def _next_start(schedule: str, after: datetime) -> datetime:
    try:
        return next(CronSim(schedule.replace("?", "*"), after))
    except (CronSimError, StopIteration) as error:
        raise _UnreadableError(f"schedule {schedule[:80]!r}") from error


def _seconds(duration: str) -> float:
    parts = _DURATION.findall(duration[:80])
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise _UnreadableError(f"duration {duration[:80]!r}")
    return min(sum(float(number) * _UNITS[unit] for number, unit in parts), 366 * 86400.0)


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name or "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")  # as Argo CD does


def _matches(window: Mapping[str, Any], subject: Subject) -> bool:
    asked = (
        ("applications", (subject.name,)),
        ("namespaces", (subject.namespace,)),
        ("clusters", subject.clusters),
    )
    answers = [
        any(_glob(str(pattern), value) for pattern in window[key] for value in values)
        for key, values in asked
        if isinstance(window.get(key), list) and window[key]
    ]
    return bool(answers) and (all(answers) if window.get("andOperator") else any(answers))


def _glob(pattern: str, text: str) -> bool:
    """Whether a project's glob matches: `*` crosses everything, `?`, `[abc]`, `{a,b}`; in linear time."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.fullmatch(_expression(pattern[:MAX_GLOB]), text, options) is not None
    except re2.error:
        return False


def _expression(pattern: str) -> str:
    pieces = re.findall(r"\[[^\]]+\]|.", pattern, re.DOTALL)
    wild = {"*": ".*", "?": ".", "{": "(?:", "}": ")", ",": "|"}
    is_choice = "{" in pattern and "}" in pattern
    return "(?s)" + "".join(
        piece
        if len(piece) > 1
        else wild[piece]
        if piece in "*?" or (is_choice and piece in "{},")
        else re2.escape(piece)
        for piece in pieces
    )
