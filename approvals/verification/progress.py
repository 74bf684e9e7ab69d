"""I3 and I10: nothing approved is lost, and everything that ended says how. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.verification.facts import AttemptFacts, PromotionFacts
from approvals.verification.findings import Finding

SOON = timedelta(minutes=15)
LONGEST_WISH = timedelta(minutes=65)  # of a host that wants to be left alone
_NEEDS_REASON = frozenset({"FAILED", "ERRORED", "UNKNOWN", "ABORTED", "REJECTED", "WITHDRAWN"})


@dataclass(frozen=True, slots=True)
class Running:
    """What an image's Application reports; empty when nothing reports it."""

    application: str
    versions: frozenset[str]  # tags and digests of this image repository
    is_gone: bool = False


def check_not_lost(
    promotions: Iterable[PromotionFacts],
    running: Mapping[str, AttemptFacts],
    *,
    at: datetime,
    outcome_deadline: timedelta,
) -> Iterator[Finding]:
    """I3: who is approved and not over is due soon, held by a worker, or waits for a named person."""
    for promotion in promotions:
        if why := _lost(promotion, running.get(promotion.id), at, outcome_deadline):
            yield Finding("I3", promotion.name, f"It is {promotion.status}, and {why}.")


def _lost(
    row: PromotionFacts, attempt: AttemptFacts | None, at: datetime, deadline: timedelta
) -> str:
    if row.status == "APPROVED":
        return _not_due(row, at)
    if row.status == "EXECUTING":
        return _unattended(row, attempt, at)
    if row.status == "VERIFYING":
        since = row.pushed_at or row.status_at or at
        return "nobody judged it" if at - since > deadline + SOON else ""
    if row.status == "UNKNOWN" and row.pushed_at is None:
        return _not_due(row, at)
    if row.status == "ERRORED" and row.next_attempt_at is None:
        return "" if row.status_reason else "it neither tries again nor says what a person must do"
    return _not_due(row, at) if row.status == "ERRORED" else ""


def _not_due(row: PromotionFacts, at: datetime) -> str:
    due = row.next_attempt_at
    if due is None:
        return "no attempt is due"
    if due > at + SOON and not _is_wished(row, due, at):
        return f"the next attempt is only at {due:%Y-%m-%d %H:%M} UTC"
    if due < at - SOON:
        return f"it has been due since {due:%Y-%m-%d %H:%M} UTC"
    return ""


def _is_wished(row: PromotionFacts, due: datetime, at: datetime) -> bool:
    """Whether a host asked for the longer wait, and people read until when it is."""
    return due <= at + LONGEST_WISH and f"asked for: the next attempt is at {due:%H:%M} UTC" in (
        row.status_reason
    )


def _unattended(row: PromotionFacts, attempt: AttemptFacts | None, at: datetime) -> str:
    if row.is_pull_request or (attempt is not None and attempt.is_lease_current):
        return ""
    since = attempt.started_at if attempt is not None else row.status_at or at
    return f"no worker has held it since {since:%Y-%m-%d %H:%M} UTC" if at - since > SOON else ""


def check_ended(
    promotions: Iterable[PromotionFacts], running: Mapping[int, Running]
) -> Iterator[Finding]:
    """I10: the newest that succeeded is what runs; whoever did not succeed has a reason."""
    newest: dict[int, PromotionFacts] = {}
    for promotion in promotions:
        if promotion.status in _NEEDS_REASON and not promotion.status_reason:
            yield Finding("I10", promotion.name, f"It is {promotion.status} without a reason.")
        if promotion.pushed_at is not None:
            before = newest.get(promotion.tracked_image)
            if before is None or _written_at(before) <= _written_at(promotion):
                newest[promotion.tracked_image] = promotion
    for image, promotion in newest.items():
        if promotion.status == "SUCCEEDED" and image in running:
            yield from _check_runs(promotion, running[image])


def _written_at(promotion: PromotionFacts) -> float:
    return promotion.pushed_at.timestamp() if promotion.pushed_at else 0.0


def _check_runs(promotion: PromotionFacts, runs: Running) -> Iterator[Finding]:
    if runs.is_gone or not runs.versions:
        return
    if not runs.versions & {promotion.tag, promotion.digest}:
        reported = ", ".join(sorted(runs.versions))
        sentence = f"{runs.application} reports {reported}, not the approved {promotion.tag}."
        yield Finding("I10", promotion.name, sentence)
