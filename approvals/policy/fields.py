"""The kinds of values in the policy file: names, globs, durations, windows.

Every message completes "KEY VALUE …", because `reading` puts the place in front of it.
"""

import difflib
from datetime import datetime
from functools import cache
from typing import Annotated, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from approvals.policy import durations, schedules
from approvals.policy.schedules import Schedule
from updater import patterns

MAX_ITEMS = 500


def _glob(text: str) -> str:
    try:
        patterns.glob(text)
    except patterns.PatternError as error:
        raise ValueError(f"is no glob: {error}") from error
    return text


def _application_glob(text: str) -> str:
    if text.count("/") != 1:
        raise ValueError(
            "names no Application; write namespace/name, for example argocd/payments-*"
        )
    return _glob(text)


def _seconds(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(durations.MEND)  # noqa: TRY004  pydantic takes ValueError only
    return durations.seconds_of(value)


def _some_seconds(value: object) -> int:
    if not (seconds := _seconds(value)):
        raise ValueError("is no time at all; leave the key out, or write for example 30m")
    return seconds


def _plain(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError("holds a blank at its end or something invisible")
    return text


Name = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_plain)]
Glob = Annotated[Name, AfterValidator(_glob)]
ApplicationGlob = Annotated[Name, AfterValidator(_application_glob)]
Duration = Annotated[int, BeforeValidator(_seconds)]
SomeDuration = Annotated[int, BeforeValidator(_some_seconds)]
Length = Annotated[int, Field(ge=0, le=500)]
Names = Annotated[tuple[Name, ...], Field(max_length=MAX_ITEMS)]
Globs = Annotated[tuple[Glob, ...], Field(max_length=MAX_ITEMS)]
ApplicationGlobs = Annotated[tuple[ApplicationGlob, ...], Field(max_length=MAX_ITEMS)]


class Strict(BaseModel):
    """Unknown keys and other types are errors, and nothing changes after reading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Window(Strict):
    """A recurring time on the wall clock of a zone."""

    name: Name
    reason: Annotated[str, Field(max_length=300)] = ""
    cron: str | None = None
    first: Annotated[str | None, Field(alias="from")] = None
    rrule: str | None = None
    duration: SomeDuration
    zone: str

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, expression: str | None) -> str | None:
        if expression is not None:
            schedules.check_cron(expression)
        return expression

    @field_validator("first")
    @classmethod
    def _is_local(cls, text: str | None) -> str | None:
        return None if text is None else local_time(text).isoformat()

    @field_validator("rrule")
    @classmethod
    def _is_rrule(cls, expression: str | None, info: ValidationInfo) -> str | None:
        if expression is not None and info.data.get("first"):
            schedules.check_rrule(expression, datetime.fromisoformat(info.data["first"]))
        return expression

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, zone: str) -> str:
        if zone not in _zones():
            near = difflib.get_close_matches(zone, _zones(), n=1) or ["Europe/Berlin"]
            raise ValueError(f"is no zone of the IANA database; write for example {near[0]}")
        return zone

    @model_validator(mode="after")
    def _has_one_schedule(self) -> Self:
        if bool(self.cron) == bool(self.rrule):
            raise ValueError("needs one of cron and rrule")
        if bool(self.rrule) != bool(self.first):
            raise ValueError("needs from, the first start in local time, with rrule and only then")
        return self

    @property
    def schedule(self) -> Schedule:
        """When it starts and how long it lasts."""
        kind = "cron" if self.cron else "rrule"
        expression = " ".join((self.cron or self.rrule or "").upper().split())
        return Schedule(kind, expression, self.first or "", self.duration, self.zone)


class Windows(Strict):
    """When releases may start, and when they may not; deny wins."""

    allow: Annotated[tuple[Window, ...], Field(max_length=100)] = ()
    deny: Annotated[tuple[Window, ...], Field(max_length=100)] = ()


def local_time(text: str) -> datetime:
    """Return a time of the wall clock.

    Raises:
        ValueError: not a time, one with an offset, or outside of this century.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("is no local time; write for example 2026-12-18T18:00") from error
    if moment.tzinfo is not None:
        raise ValueError("has an offset; write the local time, zone says where")
    if not 2000 <= moment.year <= 2100:
        raise ValueError("is not in this century")
    return moment


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
